//! What every engine promises: a durable, ordered log of changes and the state it leads to.
//!
//! The writer decides what a change is and which rev it has; an engine keeps it. Calls block on
//! the disk, so they are made from the writer's own thread or from a blocking task, never from an
//! async worker. `contract` holds the tests that every engine passes.

mod accounts;
#[cfg(test)]
mod contract;
mod memory;
mod record;
mod redb;

use std::path::PathBuf;

pub use self::accounts::{Accounts, ClockReading, DEEDS_KEPT, MemoryAccounts, Roster, RosterEdit};
pub use self::memory::MemoryEngine;
pub use self::redb::RedbEngine;
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
    /// Identity of this history. Made when the store is created, and the same ever after.
    fn epoch(&self) -> Epoch;

    /// The whole state, read at one moment.
    ///
    /// # Errors
    /// `Read` when the store cannot be read or holds what is no record of this program.
    fn snapshot(&self) -> Result<Snapshot, StoreError>;

    /// Makes `changes` durable, all or none; on return they survive a power cut.
    ///
    /// Their revs follow the last committed one without a hole.
    ///
    /// # Errors
    /// `Conflict` when they do not follow. `Write` when the disk refused: nothing may be shown
    /// to anyone, although some of it may turn out to be there after a restart.
    fn commit(&self, changes: &[Change]) -> Result<(), StoreError>;

    /// Up to `limit` changes after `after`, oldest first, without a hole.
    ///
    /// # Errors
    /// `Read`, as for `snapshot`.
    fn tail(&self, after: Rev, limit: usize) -> Result<Vec<Change>, StoreError>;

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

/// Why a store could not be opened, read or written, in the words of the person who runs it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{} is in use by another pet-store; stop that one, or choose another --data", .0.display())]
    InUse(PathBuf),
    #[error(
        "{} has schema {found}, and this program knows up to {known}: \
         use the newer program that wrote it; the file was not touched", path.display()
    )]
    NewerSchema {
        path: PathBuf,
        found: u64,
        known: u64,
    },
    #[error(
        "{} is not a pet-store file ({reason}); it was not touched: \
         move it away, or choose another --data", path.display()
    )]
    Foreign { path: PathBuf, reason: String },
    #[error("cannot open {}: {reason}", path.display())]
    Open { path: PathBuf, reason: String },
    #[error("changes must follow rev {expected:?}, but the first has {found:?}")]
    Conflict { expected: Rev, found: Rev },
    #[error("the store could not be written: {0}")]
    Write(String),
    #[error("the store could not be read: {0}")]
    Read(String),
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
