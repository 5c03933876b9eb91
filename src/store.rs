//! Engines: a durable, ordered log of changes, and the state after them.
//!
//! The writer decides changes; an engine gives each one its rev, stores it, and hands it to its
//! follower. Calls block on the disk or the network, so they are made by the writer's thread or a
//! blocking task, never by an async worker. `contract` has the tests that every engine passes.

#![cfg_attr(
    not(feature = "nats"),
    allow(
        dead_code,
        unused_imports,
        reason = "the engine of a cluster uses the rest"
    )
)]

mod accounts;
pub mod archive;
#[cfg(test)]
pub(crate) mod contract;
mod day;
mod error;
mod follower;
mod memory;
#[cfg(feature = "nats")]
mod nats;
#[cfg(not(feature = "nats"))]
#[path = "store/no_nats.rs"]
mod nats;
mod photos;
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
pub use self::day::read_day;
pub use self::error::StoreError;
pub use self::follower::Follower;
use self::follower::Following;
pub use self::memory::MemoryEngine;
#[cfg(test)]
pub(crate) use self::memory::delegate_reads;
#[cfg(feature = "nats")]
pub use self::nats::NatsEngine;
pub use self::nats::{
    AddressError, ClusterAddress, connect as connect_cluster, export as export_cluster,
    import as import_into_cluster,
};
#[cfg(test)]
pub(crate) use self::photos::delegate_photos;
pub use self::photos::{PhotoStore, used_photos};
pub use self::redb::{
    Contents, IoEvent, IoObserver, RedbEngine, backup, check, compact, export, import, restore,
    serving_process, write_new,
};
pub use self::regular::open_source;
use crate::model::{Change, Epoch, Pet, PetId, Rev, Timestamp};

/// The most changes of one commit that creates no pet and is not the simulator's. A cluster accepts at most
/// 1,000 messages in one batch, and those commits have further messages.
pub const MAX_COMMIT_CHANGES: usize = 1000;

/// The most changes of one commit that creates pets.
pub const MAX_COMMIT_CREATIONS: usize = 500;

/// The whole state at one rev.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The rev of the last change.
    pub rev: Rev,
    /// The id of the pet that is created next; ids are never reused.
    pub next_pet: PetId,
    /// The pets, in the order of their ids.
    pub pets: Vec<Pet>,
    /// The rev of the last change of each of `pets`, in the same order; `Rev::ZERO` if the engine has
    /// no change of the pet, as after an import without history.
    pub revs: Vec<Rev>,
}

/// A change, and its pet after it.
#[derive(Clone, Debug)]
pub struct AppliedChange {
    /// The change. Its rev is provisional until the engine has committed it.
    pub change: Change,
    /// The pet; `None` if the change removed it.
    pub after: Option<Arc<Pet>>,
}

impl AppliedChange {
    /// Applies `change` to its pet, which was `before` until then.
    pub fn new(change: Change, before: Option<Arc<Pet>>) -> Self {
        let after = change.apply_to(before);
        AppliedChange { change, after }
    }
}

/// A task that one node of a cluster carries out at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Runs the simulator.
    Simulator,
    /// Sends to webhooks.
    Webhooks,
}

/// The newest changes of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    /// Every change after this rev is in `changes`.
    pub after: Rev,
    /// The changes, oldest first.
    pub changes: Vec<Change>,
}

/// A part of a log that may have lost changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPart {
    /// The changes that are left, oldest first.
    pub changes: Vec<Change>,
    /// The log has no other changes up to this rev.
    pub reaches: Rev,
    /// The first and the last rev of what the log lost before `reaches`.
    pub lost: Option<(Rev, Rev)>,
}

/// A log of changes and the state after them. Shared by the writer, the only one in this process to
/// commit, and readers.
pub trait Engine: PhotoStore + Send + Sync + 'static {
    /// Returns the identity of this history. It stays the same until the history ends. Only a shared
    /// engine can change it while the program runs, and notifies the follower then.
    fn epoch(&self) -> Epoch;

    /// Reads the whole state in one consistent view.
    ///
    /// # Errors
    /// `Read` if the store cannot be read, `Record` if it has a record that no pet-store wrote.
    fn snapshot(&self) -> Result<Snapshot, StoreError>;

    /// Hands every change after `after` to `follower`. Called once.
    fn follow(&self, after: Rev, follower: Weak<dyn Follower>);

    /// Commits `changes`, at most `MAX_COMMIT_CHANGES`, as one durable transaction, if none of their
    /// pets has changed after `base`, the rev at which the changes were decided. Replaces their
    /// provisional revs and returns the new ones, which increase. On return the changes survive a
    /// power cut, and the follower has received them.
    ///
    /// # Errors
    /// `Conflict` if a pet has changed; the follower has received that change. `Unavailable` if
    /// nothing was written. `Unknown`, `Full` or `Write` if the network or the disk failed: the
    /// follower has received nothing, but all of the changes may be in the store after `recover`.
    /// `Rejected` if the engine will never accept the changes.
    fn commit(&self, base: Rev, changes: &[AppliedChange]) -> Result<Vec<Rev>, StoreError>;

    /// Returns true if other nodes write to the engine too. While such an engine does not respond,
    /// this node refuses writes and serves its local state.
    fn is_shared(&self) -> bool {
        false
    }

    /// Starts to take part in the election of the node that has a duty. Called once per duty.
    fn campaign(&self, _: Duty) {}

    /// Returns true if this node is the one that has the duty, by its own clock.
    fn is_leader(&self, _: Duty) -> bool {
        true
    }

    /// Ends the engine's tasks. Committed changes are safe without this.
    fn close(&self) {}

    /// Checks that the store's file is still where it was opened. Writes to a file that was deleted
    /// or replaced would succeed, and be lost when the program ends.
    ///
    /// # Errors
    /// `Moved`, until the same file is back.
    fn check_location(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Returns false from the first error of the disk until `recover` succeeds.
    fn is_healthy(&self) -> bool;

    /// Opens the store again after a disk error, and proves that it can be written. The changes of a
    /// failed commit are then in the store as a whole, or not at all: `newest` shows which.
    ///
    /// # Errors
    /// `Full`, `Write` or `Open` while the disk fails; reading can work again nevertheless.
    fn recover(&self) -> Result<(), StoreError>;

    /// Ends this history: the next start begins a new one, with another epoch. Called when the store
    /// has lost published changes, so that their revs are never used for others.
    ///
    /// # Errors
    /// `Full` or `Write`, as for `commit`.
    fn end_history(&self) -> Result<(), StoreError>;

    /// Returns the rev of the last change in the store.
    ///
    /// # Errors
    /// `Read`, as for `snapshot`.
    fn newest(&self) -> Result<Rev, StoreError>;

    /// Returns true if the log has reached `rev` on any node, even if this node has not received it.
    ///
    /// # Errors
    /// `Unavailable` if the engine does not respond; `Read`, as for `snapshot`.
    fn has_reached(&self, rev: Rev) -> Result<bool, StoreError> {
        Ok(self.newest()? >= rev)
    }

    /// Returns up to `limit` changes after `after`, oldest first, without a gap.
    ///
    /// # Errors
    /// `Trimmed` if the log no longer has the first of them; `Read`, as for `snapshot`.
    fn tail(&self, after: Rev, limit: usize) -> Result<Vec<Change>, StoreError>;

    /// Returns the changes between `after` and `before`, both excluded, that the log still has,
    /// oldest first. There can be gaps.
    ///
    /// # Errors
    /// `Read`, as for `snapshot`.
    fn changes_between(&self, after: Rev, before: Rev) -> Result<Vec<Change>, StoreError>;

    /// Returns the oldest changes after `after` that the log still has, at most `limit`. The follower has received `upto`,
    /// and nothing after it is returned.
    ///
    /// # Errors
    /// `Read`, as for `snapshot`; `Unavailable` if the servers lag behind `upto`.
    fn remaining_after(&self, after: Rev, upto: Rev, limit: usize) -> Result<LogPart, StoreError> {
        let (mut changes, mut reaches) = (Vec::new(), after);
        while changes.is_empty() && reaches < upto {
            let end = Rev::new(reaches.get().saturating_add(limit as u64)).min(upto);
            changes = self.changes_between(reaches, end.next())?;
            reaches = end;
        }
        // A log with a single writer loses only its oldest changes.
        let first = changes.first().map_or(reaches.next(), |first| first.rev);
        let lost = (first > after.next()).then(|| (after.next(), Rev::new(first.get() - 1)));
        Ok(LogPart {
            changes,
            reaches,
            lost,
        })
    }

    /// Returns the newest changes up to `upto`, at most `limit`, as far back as there is no gap.
    ///
    /// # Errors
    /// `Read`, as for `snapshot`.
    fn recent(&self, upto: Rev, limit: usize) -> Result<Recent, StoreError> {
        let after = Rev::new(upto.get().saturating_sub(limit as u64));
        let changes = self.changes_between(after, upto.next())?;
        // A log with a single writer loses only its oldest changes.
        let first = changes.first().map_or(upto.next(), |first| first.rev);
        let after = Rev::new(first.get().saturating_sub(1));
        Ok(Recent { after, changes })
    }

    /// Removes up to `limit` of the oldest changes that are more than `history` older than both the
    /// newest change and `present`, and returns their number. Never removes the newest `kept`
    /// changes. The pets stay as they are.
    ///
    /// A change with a timestamp later than `present`, or from a clock that was never set, counts as
    /// old as the change after it.
    ///
    /// # Errors
    /// `Full`, `Write` or `Read`, as for `commit`; then nothing is removed.
    fn trim(
        &self,
        present: Timestamp,
        history: Duration,
        kept: u64,
        limit: usize,
    ) -> Result<usize, StoreError>;

    /// Returns the present that `save_present` saved last. An engine without `trim` saves none.
    ///
    /// # Errors
    /// `Read`, as for `snapshot`.
    fn saved_present(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    /// Saves the present from which ages are counted, for the next start: the wall clock may be
    /// wrong then.
    ///
    /// # Errors
    /// `Full` or `Write`, as for `commit`.
    fn save_present(&self, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    /// Returns up to `limit` changes of one pet before `before`, newest first.
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

/// Checks that there is no gap between `after` and `changes`: a trimmed log has one.
fn check_tail(after: Rev, changes: Vec<Change>) -> Result<Vec<Change>, StoreError> {
    match changes.first() {
        Some(first) if first.rev != after.next() => Err(StoreError::Trimmed),
        _ => Ok(changes),
    }
}

/// Checks that `changes` follow `last` without a gap.
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
