//! The part of a store that holds accounts, sessions, tokens, audit entries and the settings of the rescue.
//!
//! All except the audit entries is small and is held in memory by `auth`, which follows it: an engine
//! stores every edit and passes it on to the followers of every node. As in all of the store, calls block on
//! the disk or the network.

#[cfg(test)]
pub(super) mod contract;
mod follower;
mod memory;
mod record;

use std::sync::{Arc, Weak};

pub use self::follower::AccountFollower;
pub(super) use self::follower::{AccountFollowers, LocalAccountVersion};
pub use self::memory::MemoryAccountStore;
pub(super) use self::memory::{AccountRecords, newest_of_both};
pub(super) use self::record::{
    decode_account, decode_audit_entry, decode_clock, decode_key, decode_rescue, decode_session,
    decode_token, decode_webhook, encode_account, encode_audit_entry, encode_clock, encode_key,
    encode_rescue, encode_session, encode_token, encode_webhook,
};
use super::StoreError;
use crate::model::{
    Account, AccountName, AuditEntry, Key, MonotonicSeconds, Rescue, Rev, Session, Timestamp,
    Token, Webhook, WebhookId,
};

/// Audit entries that are kept of each kind; the oldest of a kind are dropped.
pub const AUDIT_ENTRIES_KEPT: u64 = 10_000;

/// Edits in one call at most. A cluster takes no more than 1,000 messages in one batch.
pub const MAX_ACCOUNT_EDITS: usize = 500;

/// Everything that a store holds about staff and the rescue except the audit entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountSet {
    /// Accounts, sorted by name.
    pub accounts: Vec<Account>,
    /// Sessions, sorted by key.
    pub sessions: Vec<Session>,
    /// API tokens, sorted by key.
    pub tokens: Vec<Token>,
    /// The reading of the two clocks at the last edit.
    pub clock: Option<ClockReading>,
    /// The settings of the rescue, once they were saved.
    pub rescue: Option<Arc<Rescue>>,
    /// Webhooks, sorted by id.
    pub webhooks: Vec<Arc<Webhook>>,
}

impl AccountSet {
    /// Returns true if there is an account of this name.
    pub fn has_account(&self, name: &AccountName) -> bool {
        self.accounts.iter().any(|account| account.name == *name)
    }
}

/// The store's own clock and the wall clock, read at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// The store's own clock.
    pub tick: MonotonicSeconds,
    /// The wall clock.
    pub wall: Timestamp,
}

/// An edit of accounts. Putting replaces what is there under the same name or key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountEdit {
    /// Stores an account.
    PutAccount(Account),
    /// Removes an account.
    RemoveAccount(AccountName),
    /// Stores a session.
    PutSession(Session),
    /// Removes a session.
    RemoveSession(Key),
    /// Stores an API token.
    PutToken(Token),
    /// Removes an API token.
    RemoveToken(Key),
    /// Stores the settings of the rescue.
    PutRescue(Arc<Rescue>),
    /// Stores a webhook with its progress.
    PutWebhook(Arc<Webhook>),
    /// Removes a webhook.
    RemoveWebhook(WebhookId),
    /// Stores a reading of the clocks.
    SetClock(ClockReading),
    /// Adds an audit entry.
    AddAuditEntry(AuditEntry),
}

/// The part of a store that holds accounts.
pub trait AccountStore: Send + Sync + 'static {
    /// Returns the time of a remote engine's clock; `None` for a local engine, or if it is not known.
    fn engine_time(&self) -> Option<Timestamp> {
        None
    }

    /// Reads a consistent snapshot of everything except the audit entries.
    ///
    /// # Errors
    /// `Read`, as for the rest of the store.
    fn account_set(&self) -> Result<AccountSet, StoreError>;

    /// Gives `follower` everything before it returns, and every edit after that.
    ///
    /// # Errors
    /// As `account_set`.
    fn follow_accounts(&self, follower: Weak<dyn AccountFollower>) -> Result<(), StoreError>;

    /// Returns true if other nodes edit the accounts too.
    fn are_accounts_shared(&self) -> bool {
        false
    }

    /// Returns the rev of the newest change of a pet, after which an audit entry that is written now is
    /// listed; `None` if it is not known.
    fn last_change(&self) -> Option<Rev> {
        None
    }

    /// Passes to the followers what other nodes edited before this call.
    ///
    /// # Errors
    /// `Unavailable` if that cannot be known.
    fn catch_up_accounts(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Commits `edits`, at most `MAX_ACCOUNT_EDITS`, atomically and in their order, if `version` is the
    /// present version; a new store is at 0. Passes them to the followers, and returns the version that
    /// they lead to.
    ///
    /// # Errors
    /// `Conflict` if the version is another; the followers then know it. `Unavailable` if nothing was
    /// written. `Write` or `Unknown` if the followers were not called, although the edits may turn out to
    /// be stored later.
    fn edit_accounts(&self, version: u64, edits: &[AccountEdit]) -> Result<u64, StoreError>;

    /// Reads up to `limit` audit entries with their numbers, newest first, with numbers below `before`.
    ///
    /// # Errors
    /// `Read`, as for the rest of the store.
    fn audit_entries(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError>;
}
