//! What every engine promises: a durable, ordered log of changes and the state it leads to.
//!
//! The writer decides what a change is and which rev it has; an engine keeps it. Calls block on
//! the disk, so they are made from the writer's own thread or from a blocking task, never from an
//! async worker. `contract` holds the tests that every engine passes.

mod accounts;
pub mod archive;
#[cfg(test)]
mod contract;
mod error;
mod memory;
mod record;
mod redb;

use std::time::Duration;

pub use self::accounts::{Accounts, ClockReading, DEEDS_KEPT, MemoryAccounts, Roster, RosterEdit};
pub use self::error::StoreError;
pub use self::memory::MemoryEngine;
pub use self::redb::{
    Contents, Event, RedbEngine, Witness, backup, check, compact, export, export_to, import,
    restore,
};
use crate::model::{Change, Epoch, Pet, PetId, Rev};

/// Everything that is true at `rev`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub rev: Rev,
    /// The id that the next pet gets; ids are never given twice.
    pub next_pet: PetId,
    /// In the order of their ids.
    pub pets: Vec<Pet>,
}

/// The log of changes and the state it leads to. Shared between the writer, which alone commits,
/// and readers.
pub trait Engine: Send + Sync + 'static {
    /// Identity of this history. Made when the store is created, and the same ever after, unless
    /// the history ended.
    fn epoch(&self) -> Epoch;

    /// The whole state, read at one moment.
    ///
    /// # Errors
    /// `Read` when the store cannot be read, `Record` when it holds what no pet-store wrote.
    fn snapshot(&self) -> Result<Snapshot, StoreError>;

    /// Makes `changes` durable, all or none; on return they survive a power cut.
    ///
    /// Their revs follow the last committed one without a hole.
    ///
    /// # Errors
    /// `Conflict` when they do not follow. `Full` or `Write` when the disk refused: nothing may be
    /// shown to anyone, although all of it may turn out to be there after `recover`.
    fn commit(&self, changes: &[Change]) -> Result<(), StoreError>;

    /// False from the first error of the disk until `recover` has worked.
    fn is_healthy(&self) -> bool;

    /// Opens the store anew after an error of the disk, and proves that it can be written. What a
    /// failed commit left behind is then there as a whole, or not at all: `newest` tells.
    ///
    /// # Errors
    /// `Full`, `Write` or `Open` as long as the disk refuses; reading may work again all the same.
    fn recover(&self) -> Result<(), StoreError>;

    /// Has the next start begin a history of its own, with another epoch: this one has forgotten
    /// changes that were shown, and their revs must not come to mean others.
    ///
    /// # Errors
    /// `Full` or `Write`, as for `commit`.
    fn end_history(&self) -> Result<(), StoreError>;

    /// The rev of the last change that is in the store.
    ///
    /// # Errors
    /// `Read`, as for `snapshot`.
    fn newest(&self) -> Result<Rev, StoreError>;

    /// Up to `limit` changes after `after`, oldest first, without a hole.
    ///
    /// # Errors
    /// `Read`, as for `snapshot`.
    fn tail(&self, after: Rev, limit: usize) -> Result<Vec<Change>, StoreError>;

    /// Forgets up to `limit` of the oldest changes that are more than `history` older than the
    /// newest one, and how many these were. The newest `kept` stay however old they are. What the
    /// pets are is not touched.
    ///
    /// Measured by the changes and not by the clock: one that jumps ahead takes nothing away.
    ///
    /// # Errors
    /// `Full`, `Write` or `Read`, as for `commit`; then nothing is forgotten.
    fn trim(&self, history: Duration, kept: u64, limit: usize) -> Result<usize, StoreError>;

    /// Up to `limit` changes of one pet, newest first, all before `before` where it is given.
    ///
    /// # Errors
    /// `Read`, as for `snapshot`.
    fn history(
        &self,
        pet: PetId,
        before: Option<Rev>,
        limit: usize,
    ) -> Result<Vec<Change>, StoreError>;
}

/// Checks that `changes` follow `last` without a hole; what every engine does before it commits.
fn check_revs(last: Rev, changes: &[Change]) -> Result<(), StoreError> {
    let mut expected = last;
    for change in changes {
        expected = expected.next();
        if change.rev != expected {
            return Err(StoreError::Conflict {
                expected,
                found: change.rev,
            });
        }
    }
    Ok(())
}
