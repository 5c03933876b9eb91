//! An engine in memory, for tests and benches that do not need a disk.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use bytes::Bytes;

use super::{
    AppliedChange, Engine, Follower, Following, PhotoStore, Snapshot, StoreError, assign_revs,
    check_revs, check_tail,
};
use crate::model::{Change, Epoch, Pet, PetId, PhotoFile, PhotoHash, Rev, Timestamp};

/// A log in memory, which is never trimmed.
pub struct MemoryEngine {
    epoch: Epoch,
    state: Mutex<MemoryState>,
    /// The files of each photo, and when they were stored.
    photos: Mutex<Photos>,
    following: Following,
}

type Photos = HashMap<PhotoHash, (Timestamp, Vec<PhotoFile>)>;

struct MemoryState {
    next_pet: PetId,
    pets: BTreeMap<PetId, Arc<Pet>>,
    /// The change with rev `n` is at index `n - 1`.
    log: Vec<Change>,
    present: Option<Timestamp>,
}

impl MemoryEngine {
    /// Creates an empty log.
    pub fn new(epoch: Epoch) -> Self {
        MemoryEngine {
            epoch,
            state: Mutex::new(MemoryState {
                next_pet: PetId::FIRST,
                pets: BTreeMap::new(),
                log: Vec::new(),
                present: None,
            }),
            photos: Mutex::default(),
            following: Following::default(),
        }
    }

    /// Appends `changes`, which have their revs, to the log. The follower does not receive them.
    ///
    /// # Errors
    /// `Conflict` if there is a gap before the first change.
    pub fn append(&self, changes: &[Change]) -> Result<(), StoreError> {
        let mut state = self.state();
        check_revs(state.rev(), changes)?;
        for change in changes {
            state.apply(change);
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, MemoryState> {
        self.state.lock().expect("no holder of this lock panics")
    }

    fn photos(&self) -> MutexGuard<'_, Photos> {
        self.photos.lock().expect("no holder of this lock panics")
    }
}

impl PhotoStore for MemoryEngine {
    fn put_photo(
        &self,
        hash: PhotoHash,
        files: &[PhotoFile],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.photos().insert(hash, (now, files.to_vec()));
        Ok(())
    }

    fn photo(&self, hash: PhotoHash, width_px: u32) -> Result<Option<Bytes>, StoreError> {
        let photos = self.photos();
        let mut files = photos.get(&hash).into_iter().flat_map(|(_, files)| files);
        let file = files.find(|file| file.width_px == width_px);
        Ok(file.map(|file| file.jpeg.clone()))
    }

    fn remove_unused_photos(
        &self,
        used: &HashSet<PhotoHash>,
        before: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut photos = self.photos();
        let count = photos.len();
        photos.retain(|hash, (stored, _)| used.contains(hash) || *stored >= before);
        Ok(count - photos.len())
    }
}

impl MemoryState {
    fn rev(&self) -> Rev {
        Rev::new(self.log.len() as u64)
    }

    /// Returns the rev of the last change of each pet, in the order of their ids.
    fn last_changes(&self) -> Vec<Rev> {
        let changes = self.log.iter().map(|change| (change.pet, change.rev));
        let last: HashMap<PetId, Rev> = changes.collect();
        let pets = self.pets.keys();
        pets.map(|pet| last.get(pet).copied().unwrap_or_default())
            .collect()
    }

    fn apply(&mut self, change: &Change) {
        let before = self.pets.remove(&change.pet);
        if let Some(after) = change.apply_to(before) {
            self.pets.insert(change.pet, after);
        }
        self.next_pet = self.next_pet.max(change.pet.next());
        self.log.push(change.clone());
    }
}

impl Engine for MemoryEngine {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let state = self.state();
        Ok(Snapshot {
            rev: state.rev(),
            next_pet: state.next_pet,
            pets: state.pets.values().map(|pet| Pet::clone(pet)).collect(),
            revs: state.last_changes(),
        })
    }

    fn follow(&self, _: Rev, follower: Weak<dyn Follower>) {
        self.following.begin(follower);
    }

    fn commit(&self, base: Rev, proposed: &[AppliedChange]) -> Result<Vec<Rev>, StoreError> {
        let changes = assign_revs(base, proposed);
        self.append(&changes)?;
        self.following.show(&changes);
        Ok(changes.iter().map(|change| change.rev).collect())
    }

    fn is_healthy(&self) -> bool {
        true
    }

    fn recover(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Does nothing: the log ends with the process.
    fn end_history(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn newest(&self) -> Result<Rev, StoreError> {
        Ok(self.state().rev())
    }

    /// Keeps everything: the log ends with the process.
    fn trim(&self, _: Timestamp, _: Duration, _: u64, _: usize) -> Result<usize, StoreError> {
        Ok(0)
    }

    fn saved_present(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.state().present)
    }

    fn save_present(&self, present: Timestamp) -> Result<(), StoreError> {
        self.state().present = Some(present);
        Ok(())
    }

    fn tail(&self, after: Rev, limit: usize) -> Result<Vec<Change>, StoreError> {
        let skipped = usize::try_from(after.get()).unwrap_or(usize::MAX);
        let state = self.state();
        let tail = state.log.iter().skip(skipped).take(limit);
        check_tail(after, tail.cloned().collect())
    }

    fn changes_between(&self, after: Rev, before: Rev) -> Result<Vec<Change>, StoreError> {
        let state = self.state();
        let is_in_range = |change: &&Change| after < change.rev && change.rev < before;
        Ok(state.log.iter().filter(is_in_range).cloned().collect())
    }

    fn history(
        &self,
        pet: PetId,
        before: Option<Rev>,
        limit: usize,
    ) -> Result<Vec<Change>, StoreError> {
        let is_in_range =
            |change: &&Change| change.pet == pet && before.is_none_or(|before| change.rev < before);
        let state = self.state();
        let changes = state.log.iter().rev().filter(is_in_range);
        Ok(changes.take(limit).cloned().collect())
    }
}

/// Defines the reads of an engine, inside of its `impl Engine`: those of the engine in the field `$inner`.
#[cfg(test)]
macro_rules! delegate_reads {
    ($inner:ident) => {
        fn epoch(&self) -> $crate::model::Epoch {
            self.$inner.epoch()
        }

        fn snapshot(&self) -> Result<$crate::store::Snapshot, $crate::store::StoreError> {
            self.$inner.snapshot()
        }

        fn follow(
            &self,
            after: $crate::model::Rev,
            follower: std::sync::Weak<dyn $crate::store::Follower>,
        ) {
            self.$inner.follow(after, follower);
        }

        fn tail(
            &self,
            after: $crate::model::Rev,
            limit: usize,
        ) -> Result<Vec<$crate::model::Change>, $crate::store::StoreError> {
            self.$inner.tail(after, limit)
        }

        fn changes_between(
            &self,
            after: $crate::model::Rev,
            before: $crate::model::Rev,
        ) -> Result<Vec<$crate::model::Change>, $crate::store::StoreError> {
            self.$inner.changes_between(after, before)
        }

        fn history(
            &self,
            pet: $crate::model::PetId,
            before: Option<$crate::model::Rev>,
            limit: usize,
        ) -> Result<Vec<$crate::model::Change>, $crate::store::StoreError> {
            self.$inner.history(pet, before, limit)
        }
    };
}
#[cfg(test)]
pub(crate) use delegate_reads;
