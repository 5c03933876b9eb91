//! Who is staff: accounts, sessions and tokens, all of them in memory, and every edit in the store
//! before it is true.
//!
//! Asking whether a session or a token is valid touches no disk, so it is asked for every request
//! and every command anew: what was ended a moment ago opens nothing, whatever began before. Edits
//! block on the disk and are made one after the other; the store shows them, and those of other
//! nodes. Only what takes something away is true at once, before the disk has it.
//!
//! `accounts`, `sessions` and `tokens` hold what can be done to each; `edit` how it is done.

mod accounts;
mod actor;
mod edit;
mod held;
mod issued;
mod sessions;
#[cfg(test)]
pub(super) mod tests;
mod tokens;
mod uses;

use std::sync::{Arc, Mutex, MutexGuard, Weak};

pub use self::accounts::AccountSummary;
pub use self::actor::Actor;
use self::actor::Need;
use self::edit::Plan;
use self::held::Held;
use self::issued::Issued;
pub use self::sessions::{LONGEST as LONGEST_SESSION, SessionSummary, author};
use super::clock::StoreClock;
use crate::clock::Clock;
use crate::model::{AccountName, AuditEntry};
use crate::store::{AccountEdit, AccountFollower, AccountSet, AccountStore, StoreError};
use crate::writer::InFlight;

/// Accounts that there can be. A rescue has tens of people.
const ACCOUNTS: usize = 500;

/// The roster of staff.
pub struct Accounts {
    store: Arc<dyn AccountStore>,
    clock: StoreClock,
    shared: Arc<Shared>,
    /// Held while an edit is decided and made durable, so that each is decided on what is true.
    editing: Mutex<()>,
    /// Changes of pets whose permission was checked and that are not committed yet. A revocation
    /// is answered after them.
    in_flight: InFlight,
    /// Secrets for forms that may be submitted twice.
    issued: Issued,
}

/// Why something could not be done to the roster.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    #[error("the name {0} is taken already")]
    NameTaken(AccountName),
    #[error("there is no account {0}")]
    UnknownAccount(String),
    #[error(
        "at least one admin must be able to sign in, and {0} is the last one; make someone else an admin first"
    )]
    LastAdmin(AccountName),
    #[error("the link is no longer valid; ask for a new one")]
    BadInvitation,
    #[error("there are {0} already, which is as many as there can be")]
    Full(usize),
    #[error("the session has ended")]
    SignedOut,
    #[error("only an admin may do this")]
    NotAdmin,
    #[error("it no longer exists")]
    Gone,
    #[error(transparent)]
    Store(#[from] StoreError),
}

type Done<T> = Result<T, AccountsError>;

impl Accounts {
    /// Reads the roster, and follows it; blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(store: Arc<dyn AccountStore>) -> Result<Self, StoreError> {
        let engine = Arc::clone(&store);
        let clock = Clock::system().bounded_by(move || engine.engine_time());
        let clock = StoreClock::resume(store.account_set()?.clock, clock);
        Accounts::of(store, clock)
    }

    /// The same by a clock that was given.
    pub fn of(store: Arc<dyn AccountStore>, clock: StoreClock) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::default());
        let follower: Weak<Shared> = Arc::downgrade(&shared);
        store.follow_accounts(follower)?;
        let directory = Accounts {
            store,
            clock,
            shared,
            editing: Mutex::new(()),
            in_flight: InFlight::default(),
            issued: Issued::default(),
        };
        directory.remove_orphans();
        Ok(directory)
    }

    /// Returns the commits in flight, which the writer enters when it checks a permission here.
    pub fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }

    /// Whether other nodes edit the roster too.
    pub fn is_shared(&self) -> bool {
        self.store.are_accounts_shared()
    }

    /// Has what other nodes edited before this call be true here. Blocks on the network.
    ///
    /// # Errors
    /// When it cannot be known.
    pub fn catch_up(&self) -> Result<(), StoreError> {
        self.store.catch_up_accounts()
    }

    /// Whether something was ended that the disk does not know of yet.
    pub fn has_pending_revocations(&self) -> bool {
        !self.held().owed().is_empty()
    }

    /// Up to `limit` audit_entries with their numbers, newest first. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn audit_entries(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        self.store.audit_entries(before, limit)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.shared.held()
    }
}

/// What the directory shares with the store, which shows it every edit.
#[derive(Default)]
struct Shared(Mutex<Held>);

impl Shared {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

impl AccountFollower for Shared {
    fn reset(&self, accounts: AccountSet, version: u64) {
        self.held().begin_anew(accounts, version);
    }

    fn apply(&self, edits: &[AccountEdit], version: u64) {
        self.held().apply(edits, version);
    }
}
