//! What every engine promises about staff: accounts, sessions, tokens, and who did what to them.
//!
//! All of it is small and is held in memory by `auth`, which follows it: an engine keeps every edit
//! and shows it, whichever node made it. Like all of the store, calls block on the disk or the
//! network.

#[cfg(test)]
pub(super) mod contract;
mod following;
mod memory;
mod record;

use std::sync::Weak;

pub use self::following::AccountFollower;
pub(super) use self::following::{AccountFollowers, LocalAccountVersion};
pub use self::memory::MemoryAccountStore;
pub(super) use self::memory::{AccountRecords, newest_of_both};
pub(super) use self::record::{
    decode_account, decode_audit_entry, decode_clock, decode_key, decode_session, decode_token,
    encode_account, encode_audit_entry, encode_clock, encode_key, encode_session, encode_token,
};
use super::StoreError;
use crate::model::{
    Account, AccountName, AuditEntry, Key, MonotonicSeconds, Rev, Session, Timestamp, Token,
};

/// Audit entries that are kept of each kind, routine and other; the oldest of a kind are dropped.
pub const AUDIT_ENTRIES_KEPT: u64 = 10_000;

/// Edits that are made together at most. A cluster takes no more than 1,000 messages in one batch.
pub const MAX_ACCOUNT_EDITS: usize = 500;

/// Everything that is kept about staff, audit_entries apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountSet {
    pub accounts: Vec<Account>,
    pub sessions: Vec<Session>,
    pub tokens: Vec<Token>,
    /// What the store's own clock and the wall clock said at the last edit.
    pub clock: Option<ClockReading>,
}

impl AccountSet {
    /// Returns true if there is an account of this name.
    pub fn has_account(&self, name: &AccountName) -> bool {
        self.accounts.iter().any(|account| account.name == *name)
    }
}

/// The two clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    pub tick: MonotonicSeconds,
    pub wall: Timestamp,
}

/// One edit of the roster. Putting replaces what is there under the same name or key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountEdit {
    PutAccount(Account),
    RemoveAccount(AccountName),
    PutSession(Session),
    RemoveSession(Key),
    PutToken(Token),
    RemoveToken(Key),
    SetClock(ClockReading),
    AddAuditEntry(AuditEntry),
}

/// The part of the store that holds staff.
pub trait AccountStore: Send + Sync + 'static {
    /// The present time by the clock of a remote engine; `None` for a local engine, or if the clock is
    /// not known.
    fn engine_time(&self) -> Option<Timestamp> {
        None
    }

    /// Everything but the audit_entries, read at one moment; in the order of names and keys.
    ///
    /// # Errors
    /// `Read`, as for the rest of the store.
    fn account_set(&self) -> Result<AccountSet, StoreError>;

    /// Gives `follower` the whole roster before it returns, and every edit after that.
    ///
    /// # Errors
    /// As for `roster`.
    fn follow_accounts(&self, follower: Weak<dyn AccountFollower>) -> Result<(), StoreError>;

    /// Whether other nodes edit it too.
    fn are_accounts_shared(&self) -> bool {
        false
    }

    /// The rev of the newest change, after which an audit entry that is written now is listed; `None`
    /// if it is not known.
    fn last_change(&self) -> Option<Rev> {
        None
    }

    /// Has the followers shown what other nodes edited before this call.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be known.
    fn catch_up_accounts(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Makes `edits`, `MAX_ACCOUNT_EDITS` at most, durable, all or none, in their order, if nothing was
    /// edited after the version `read` that they were decided at; a new store is at 0. On return
    /// the followers were shown them. The version they lead to.
    ///
    /// # Errors
    /// `Conflict` when something was edited meanwhile; the followers have been shown what.
    /// `Unavailable` when nothing was written. `Write` or `Unknown`: nothing of it was shown,
    /// although it may turn out to be there later.
    fn edit_accounts(&self, read: u64, edits: &[AccountEdit]) -> Result<u64, StoreError>;

    /// Up to `limit` audit_entries with their numbers, newest first, all before `before` where it is given.
    ///
    /// # Errors
    /// `Read`, as for the rest of the store.
    fn audit_entries(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError>;
}
