//! Replays a log of changes, to compare the result with the stored pets.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::StoreError;
use crate::model::{Change, Pet, PetId};

/// The pets after the changes so far; `None` for a pet that was removed. A pet is absent until its
/// whole record was in the log: a trimmed log may only have changes of its status.
#[derive(Default)]
pub struct LogReplay(BTreeMap<PetId, Option<Arc<Pet>>>);

impl LogReplay {
    /// Applies the next change.
    pub fn apply(&mut self, change: &Change) {
        let before = self.0.remove(&change.pet);
        if before.is_some() || change.status().is_none() {
            let after = change.apply_to(before.flatten());
            self.0.insert(change.pet, after);
        }
    }

    /// Compares the result with the stored `pets`, in the order of their ids. If the log is
    /// `complete`, every pet must be in it.
    ///
    /// # Errors
    /// `Record` if they differ.
    pub fn compare(&self, pets: &[Arc<Pet>], complete: bool) -> Result<(), StoreError> {
        let is_replayed = |pet: &&Arc<Pet>| self.0.contains_key(&pet.id);
        let replayed = self.0.values().flatten();
        if !pets.iter().filter(is_replayed).eq(replayed) {
            return Err(StoreError::record("the pets are not what the log says"));
        }
        if complete && !pets.iter().all(|pet| is_replayed(&pet)) {
            return Err(StoreError::record("a pet is not in the log"));
        }
        Ok(())
    }
}
