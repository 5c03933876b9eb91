//! What every engine promises about staff: accounts, sessions, tokens, and who did what to them.
//!
//! All of it is small and is held in memory by `auth`; an engine reads it once and keeps every
//! edit. Like all of the store, calls block on the disk.

#[cfg(test)]
mod contract;
mod memory;
mod record;

pub use self::memory::MemoryAccounts;
pub(super) use self::record::{
    decode_account, decode_deed, decode_session, decode_token, encode_account, encode_deed,
    encode_session, encode_token, hex, unhex,
};
use super::StoreError;
use crate::model::{Account, AccountName, Deed, Key, Moment, Session, Tick, Token};

/// Deeds that are kept; the oldest make room.
pub const DEEDS_KEPT: u64 = 10_000;

/// Everything that is kept about staff, deeds apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    pub accounts: Vec<Account>,
    pub sessions: Vec<Session>,
    pub tokens: Vec<Token>,
    /// What the store's own clock and the wall clock said at the last edit.
    pub clock: Option<ClockReading>,
}

/// The two clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    pub tick: Tick,
    pub wall: Moment,
}

/// One edit of the roster. Putting replaces what is there under the same name or key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RosterEdit {
    PutAccount(Account),
    RemoveAccount(AccountName),
    PutSession(Session),
    RemoveSession(Key),
    PutToken(Token),
    RemoveToken(Key),
    SetClock(ClockReading),
    Note(Deed),
}

/// The part of the store that holds staff.
pub trait Accounts: Send + Sync + 'static {
    /// Everything but the deeds, read at one moment; in the order of names and keys.
    ///
    /// # Errors
    /// `Read`, as for the rest of the store.
    fn roster(&self) -> Result<Roster, StoreError>;

    /// Makes `edits` durable, all or none, in their order.
    ///
    /// # Errors
    /// `Write`: nothing of it is true, although some of it may turn out to be after a restart.
    fn edit_roster(&self, edits: &[RosterEdit]) -> Result<(), StoreError>;

    /// Up to `limit` deeds with their numbers, newest first, all before `before` where it is given.
    ///
    /// # Errors
    /// `Read`, as for the rest of the store.
    fn deeds(&self, before: Option<u64>, limit: usize) -> Result<Vec<(u64, Deed)>, StoreError>;
}
