//! Accounts, sessions, API tokens, webhooks and the settings of the rescue: a cache of all of them in memory, and
//! their edits.
//!
//! Looking up a session or a token touches no disk, so every request and every command looks its
//! credential up again. Edits block on the disk and are made one after the other. The store passes
//! each committed edit, also of other nodes, to the cache. Only revocations apply to the cache before
//! they are durable.
//!
//! `members`, `invitations`, `sessions`, `stations`, `tokens`, `settings` and `webhooks` contain the edits of each; `edit`
//! commits them.

mod cache;
mod edit;
mod invitations;
mod members;
mod sessions;
mod settings;
mod stations;
#[cfg(test)]
mod tests;
mod tokens;
mod webhooks;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use tokio::sync::watch;

use self::cache::AccountCache;
pub use self::edit::Actor;
use self::edit::{ActorRequirement, Plan};
use self::invitations::Invitations;
pub use self::members::AccountSummary;
use self::members::Members;
use self::sessions::Sessions;
pub use self::sessions::{LONGEST as LONGEST_SESSION, SessionSummary, author};
use self::settings::Settings;
use self::stations::Stations;
use self::tokens::Tokens;
pub use self::webhooks::Webhooks;
use super::Refusal;
use super::clock::StoreClock;
use super::password::HashingBusy;
use super::secret::FormSecrets;
use crate::clock::Clock;
use crate::model::{Account, AccountName, AuditEntry, Rescue, Turn, WebhookId};
use crate::store::{AccountEdit, AccountFollower, AccountSet, AccountStore, StoreError};
use crate::writer::InFlightCommits;

/// Accounts at most. A rescue has tens of people.
const MAX_ACCOUNTS: usize = 500;

/// The accounts of staff with their sessions and tokens.
pub struct Accounts {
    store: Arc<dyn AccountStore>,
    clock: StoreClock,
    cache: Arc<SharedCache>,
    /// Held from the decision about an edit until it is durable, so that the next one sees it.
    editing: Mutex<()>,
    /// Changes of pets that were authorized and are not committed yet. A revocation waits for them.
    in_flight: InFlightCommits,
    /// Secrets for forms that may be submitted twice.
    form_secrets: FormSecrets,
}

/// Failure of an edit of accounts.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AccountsError {
    /// Another account has the name.
    #[error("the name {0} is already taken")]
    NameTaken(AccountName),
    /// No account has the name.
    #[error("there is no account {0}")]
    UnknownAccount(String),
    /// The edit would leave no admin who can sign in.
    #[error(
        "at least one admin must be able to sign in, and {0} is the last one; make someone else an admin first"
    )]
    LastAdmin(AccountName),
    /// The invitation was used, has expired or never existed.
    #[error("this link has expired or was already used; ask an admin for a new one")]
    BadInvitation,
    /// There are as many accounts or tokens as there can be.
    #[error("the limit of {0} is reached; remove one first")]
    Full(usize),
    /// The session of the actor has ended.
    #[error("the session has ended")]
    SignedOut,
    /// The actor is not an admin.
    #[error("only an admin can do this")]
    NotAdmin,
    /// The session, token or password was removed or replaced.
    #[error("it no longer exists")]
    Gone,
    /// Too many edits of accounts are waiting.
    #[error("too many staff edits are in progress; please try again")]
    Busy,
    /// Too many passwords are being compared.
    #[error(transparent)]
    HashingBusy(#[from] HashingBusy),
    /// The principal may not edit accounts at all.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The edit panicked, which is a bug.
    #[error("the edit of accounts panicked")]
    Panicked,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

type AccountsResult<T> = Result<T, AccountsError>;

impl Accounts {
    /// Reads the accounts and follows their edits; blocks on the disk.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn open(store: Arc<dyn AccountStore>) -> Result<Self, StoreError> {
        let engine = Arc::clone(&store);
        let clock = Clock::system().bounded_by(move || engine.engine_time());
        let clock = StoreClock::resume(store.account_set()?.clock, clock);
        Accounts::with_clock(store, clock)
    }

    /// As `open`, with a given clock.
    fn with_clock(store: Arc<dyn AccountStore>, clock: StoreClock) -> Result<Self, StoreError> {
        let cache = Arc::new(SharedCache::default());
        cache.lock().turn_idle = Turn::IDLE;
        let follower: Weak<SharedCache> = Arc::downgrade(&cache);
        store.follow_accounts(follower)?;
        let accounts = Accounts {
            store,
            clock,
            cache,
            editing: Mutex::new(()),
            in_flight: InFlightCommits::default(),
            form_secrets: FormSecrets::new(),
        };
        accounts.remove_orphans();
        Ok(accounts)
    }

    /// Sets the time without a tap after which a turn at a station ends.
    #[must_use]
    pub fn with_turns(self, idle: Duration) -> Self {
        self.cache().turn_idle = idle;
        self
    }

    /// Returns the accounts and their edits by admins.
    pub fn members(&self) -> Members<'_> {
        Members(self)
    }

    /// Returns the invitations to choose a password.
    pub fn invitations(&self) -> Invitations<'_> {
        Invitations(self)
    }

    /// Returns the sessions.
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions(self)
    }

    /// Returns the stations.
    pub fn stations(&self) -> Stations<'_> {
        Stations(self)
    }

    /// Returns the API tokens.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens(self)
    }

    /// Returns the edits of the settings of the rescue.
    pub fn settings(&self) -> Settings<'_> {
        Settings(self)
    }

    /// Returns the webhooks.
    pub fn webhooks(&self) -> Webhooks<'_> {
        Webhooks(self)
    }

    /// Returns the settings of the rescue; the default until they are saved.
    pub fn rescue(&self) -> Arc<Rescue> {
        Arc::clone(&self.cache().rescue)
    }

    /// Calls `follower` with the settings of the rescue, now and after each edit, also by another node.
    pub fn follow_rescue(&self, follower: impl Fn(&Rescue) + Send + 'static) {
        *self.cache.lock_follower() = Some(Box::new(follower));
        self.cache.notify();
    }

    /// Returns the account of this name.
    pub fn account(&self, name: &AccountName) -> Option<Arc<Account>> {
        self.cache().accounts.get(name).cloned()
    }

    /// Returns true if there is no account, as at the first start.
    pub fn is_empty(&self) -> bool {
        self.cache().accounts.is_empty()
    }

    /// Returns the commits in flight, which the writer enters when it checks a permission.
    pub fn in_flight(&self) -> &InFlightCommits {
        &self.in_flight
    }

    /// Returns true if other nodes edit the accounts too.
    pub fn is_shared(&self) -> bool {
        self.store.are_accounts_shared()
    }

    /// Applies what other nodes edited before this call. Blocks on the network.
    ///
    /// # Errors
    /// If the edits cannot be read.
    pub fn catch_up(&self) -> Result<(), StoreError> {
        self.store.catch_up_accounts()
    }

    /// Returns true if something was revoked that the store still has.
    pub fn has_pending_revocations(&self) -> bool {
        !self.cache().pending_revocations().is_empty()
    }

    /// Returns up to `limit` audit entries with their numbers, newest first. Blocks on the disk.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn audit_entries(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        self.store.audit_entries(before, limit)
    }

    fn cache(&self) -> MutexGuard<'_, AccountCache> {
        self.cache.lock()
    }
}

/// The cache, shared with the store, which applies every edit to it.
#[derive(Default)]
struct SharedCache {
    cache: Mutex<AccountCache>,
    on_rescue: Mutex<Option<RescueFollower>>,
    /// Marked as changed after each edit of a webhook, also by another node.
    webhooks_changed: watch::Sender<()>,
    /// Failures that keep this node from sending to a webhook. They are not stored: the store may be the cause.
    webhook_notices: Mutex<HashMap<WebhookId, String>>,
}

type RescueFollower = Box<dyn Fn(&Rescue) + Send>;

impl SharedCache {
    fn lock(&self) -> MutexGuard<'_, AccountCache> {
        self.cache.lock().expect("no holder of this lock panics")
    }

    fn lock_follower(&self) -> MutexGuard<'_, Option<RescueFollower>> {
        let lock = self.on_rescue.lock();
        lock.expect("no holder of this lock panics")
    }

    /// Passes the settings of the rescue to their follower. The settings are read under its lock, so that it gets the
    /// newest last.
    fn notify(&self) {
        let follower = self.lock_follower();
        let rescue = Arc::clone(&self.lock().rescue);
        if let Some(follower) = &*follower {
            follower(&rescue);
        }
    }
}

impl AccountFollower for SharedCache {
    fn reset(&self, accounts: AccountSet, version: u64) {
        self.lock().reset(accounts, version);
        self.notify();
        self.webhooks_changed.send_replace(());
    }

    fn apply(&self, edits: &[AccountEdit], version: u64) {
        self.lock().apply(edits, version);
        let is_rescue = |edit: &AccountEdit| matches!(edit, AccountEdit::PutRescue(_));
        if edits.iter().any(is_rescue) {
            self.notify();
        }
        let is_webhook = |edit: &AccountEdit| {
            matches!(
                edit,
                AccountEdit::PutWebhook(_) | AccountEdit::RemoveWebhook(_)
            )
        };
        if edits.iter().any(is_webhook) {
            self.webhooks_changed.send_replace(());
        }
    }
}
