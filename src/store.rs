//! What every engine promises: a durable, ordered log of changes and the state it leads to.
//!
//! The writer decides what a change is; an engine gives it its rev, keeps it, and shows it to its
//! follower. Calls block on the disk or the network, so they are made from the writer's own thread
//! or from a blocking task, never from an async worker. `contract` holds the tests that every
//! engine passes.

mod accounts;
pub mod archive;
#[cfg(test)]
pub(crate) mod contract;
mod error;
mod follower;
mod memory;
#[cfg(feature = "nats")]
mod nats;
#[cfg(not(feature = "nats"))]
#[path = "store/no_nats.rs"]
mod nats;
mod record;
mod redb;
mod regular;
mod replay;

use std::sync::{Arc, Weak};
use std::time::Duration;

pub use self::accounts::{
    AUDIT_ENTRIES_KEPT, AccountEdit, AccountFollower, AccountSet, AccountStore, ClockReading,
    MAX_ACCOUNT_EDITS, MemoryAccountStore,
};
pub use self::error::StoreError;
pub use self::follower::Follower;
use self::follower::Following;
pub use self::memory::MemoryEngine;
#[cfg(feature = "nats")]
pub use self::nats::NatsEngine;
pub use self::nats::{
    AddressError, ClusterAddress, connect as connect_cluster, export as export_cluster,
    import as import_into_cluster,
};
pub use self::redb::{
    Contents, IoEvent, IoObserver, RedbEngine, backup, check, compact, export, import, restore,
    write_new,
};
pub use self::regular::open_source;
use crate::model::{Change, Epoch, Pet, PetId, Rev, Timestamp};

/// Changes committed together at most. A cluster takes no more than 1,000 messages in one batch.
pub const MAX_COMMIT_CHANGES: usize = 500;

/// Everything that is true at `rev`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub rev: Rev,
    /// The id that the next pet gets; ids are never given twice.
    pub next_pet: PetId,
    /// In the order of their ids.
    pub pets: Vec<Pet>,
    /// The rev of the last change of each of `pets`, in the same order; `Rev::ZERO` if the engine has
    /// no change of the pet, as after an import without history.
    pub revs: Vec<Rev>,
}

/// A change, and its pet after it.
#[derive(Clone, Debug)]
pub struct AppliedChange {
    /// Its rev is provisional until the engine has committed it.
    pub change: Change,
    /// `None` if the change removed the pet.
    pub after: Option<Arc<Pet>>,
}

impl AppliedChange {
    /// Applies `change` to its pet, which was `before` until then.
    pub fn new(change: Change, before: Option<Arc<Pet>>) -> Self {
        let after = change.apply_to(before);
        AppliedChange { change, after }
    }
}

/// The newest changes of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    /// Every change after it is here.
    pub after: Rev,
    pub changes: Vec<Change>,
}

/// The log of changes and the state it leads to. Shared between the writer, which alone commits on
/// this machine, and readers.
pub trait Engine: Send + Sync + 'static {
    /// Identity of this history. Made when the store is created, and the same ever after, unless
    /// the history ended. Only an engine that is elsewhere comes to have another while it runs, of
    /// which the follower is told.
    fn epoch(&self) -> Epoch;

    /// The whole state, read at one moment.
    ///
    /// # Errors
    /// `Read` when the store cannot be read, `Record` when it holds what no pet-store wrote.
    fn snapshot(&self) -> Result<Snapshot, StoreError>;

    /// Has `follower` shown every change after `after`, the newest that it knows. Called once.
    fn follow(&self, after: Rev, follower: Weak<dyn Follower>);

    /// Commits `changes`, at most `MAX_COMMIT_CHANGES`, as one durable transaction, if none of their
    /// pets has changed after `base`, the rev at which the changes were decided. Replaces their
    /// provisional revs and returns the new ones, which increase. On return the changes survive a
    /// power cut, and the follower has received them.
    ///
    /// # Errors
    /// `Conflict` when a pet has changed; the follower has been shown how. `Unavailable` when
    /// nothing was written. `Unknown`, `Full` or `Write` when the network or the disk failed:
    /// nothing of it was shown, although all of it may turn out to be there after `recover`.
    /// `Rejected` when the engine will never take it.
    fn commit(&self, base: Rev, changes: &[AppliedChange]) -> Result<Vec<Rev>, StoreError>;

    /// Whether it is elsewhere and others write to it too. Out of reach, it takes no writes, while
    /// what is known of it is still worth being read.
    fn is_shared(&self) -> bool {
        false
    }

    /// Tries from now on to be the one node that runs the simulator.
    fn campaign(&self) {}

    /// Whether it is that node now, as far as its own clock tells.
    fn leads(&self) -> bool {
        true
    }

    /// Ends what the engine runs for itself. What is committed is safe without it.
    fn close(&self) {}

    /// Checks that the store's file is still where it was opened. Writes to a file that was deleted
    /// or replaced would succeed, and be lost when the program ends.
    ///
    /// # Errors
    /// `Moved`, until the same file is back.
    fn check_location(&self) -> Result<(), StoreError> {
        Ok(())
    }

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

    /// Whether the log has come as far as `rev`, wherever it is; here it may not be shown yet.
    ///
    /// # Errors
    /// `Unavailable` when nobody can say; `Read`, as for `snapshot`.
    fn has(&self, rev: Rev) -> Result<bool, StoreError> {
        Ok(self.newest()? >= rev)
    }

    /// Up to `limit` changes after `after`, oldest first, without a hole.
    ///
    /// # Errors
    /// `Forgotten` when the log no longer reaches back so far; `Read`, as for `snapshot`.
    fn tail(&self, after: Rev, limit: usize) -> Result<Vec<Change>, StoreError>;

    /// The changes after `after` and before `before` that the log still has, oldest first, whatever
    /// it has forgotten in between.
    ///
    /// # Errors
    /// `Read`, as for `snapshot`.
    fn kept(&self, after: Rev, before: Rev) -> Result<Vec<Change>, StoreError>;

    /// The newest changes up to `upto`, at most `limit`, as far back as there is no hole.
    ///
    /// # Errors
    /// `Read`, as for `snapshot`.
    fn recent(&self, upto: Rev, limit: usize) -> Result<Recent, StoreError> {
        let after = Rev::new(upto.get().saturating_sub(limit as u64));
        let changes = self.kept(after, upto.next())?;
        // A log that no others write to forgets its oldest changes only.
        let first = changes.first().map_or(upto.next(), |first| first.rev);
        let after = Rev::new(first.get().saturating_sub(1));
        Ok(Recent { after, changes })
    }

    /// Forgets up to `limit` of the oldest changes that are more than `history` older than both
    /// the newest one and `present`, and returns how many these were. The newest `kept` stay
    /// however old they are. The pets are not touched.
    ///
    /// A change with a timestamp later than `present`, or from a clock that was never set, counts as
    /// old as the change after it.
    ///
    /// # Errors
    /// `Full`, `Write` or `Read`, as for `commit`; then nothing is forgotten.
    fn trim(
        &self,
        present: Timestamp,
        history: Duration,
        kept: u64,
        limit: usize,
    ) -> Result<usize, StoreError>;

    /// The present that `save_present` saved last, if any. An engine that is never trimmed saves
    /// none.
    ///
    /// # Errors
    /// `Read`, as for `snapshot`.
    fn saved_present(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    /// Saves the present by which ages were counted, for the next start: the wall clock may be
    /// wrong then.
    ///
    /// # Errors
    /// `Full` or `Write`, as for `commit`.
    fn save_present(&self, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

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

/// Gives `changes` the revs that follow `base` without a gap, as in a log with a single writer.
pub(crate) fn assign_revs(base: Rev, changes: &[AppliedChange]) -> Vec<Change> {
    let mut rev = base;
    let numbered = changes.iter().map(|applied| {
        rev = rev.next();
        Change {
            rev,
            ..applied.change.clone()
        }
    });
    numbered.collect()
}

/// Checks that a tail begins right after `after`, as what was not trimmed does.
fn check_tail(after: Rev, changes: Vec<Change>) -> Result<Vec<Change>, StoreError> {
    match changes.first() {
        Some(first) if first.rev != after.next() => Err(StoreError::Forgotten),
        _ => Ok(changes),
    }
}

/// Checks that `changes` follow `last` without a hole; what an engine does before it appends
/// to a log of its own.
fn check_revs(last: Rev, changes: &[Change]) -> Result<(), StoreError> {
    let mut expected = last;
    for change in changes {
        expected = expected.next();
        if change.rev != expected {
            return Err(StoreError::Conflict);
        }
    }
    Ok(())
}
