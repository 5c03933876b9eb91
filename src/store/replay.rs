//! What a log tells of the pets, change by change.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::StoreError;
use crate::model::{Change, ChangeKind, Pet, PetId};

/// Nothing of a pet until its record was seen, then what it is or that it is gone: of a pet whose
/// record a trimmed log no longer has, a status tells not all.
#[derive(Default)]
pub struct Replay(BTreeMap<PetId, Option<Arc<Pet>>>);

impl Replay {
    /// Passes the next change.
    pub fn pass(&mut self, change: &Change) {
        match (&change.kind, self.0.remove(&change.pet)) {
            (ChangeKind::Status(_) | ChangeKind::StatusSince(..), None) => {}
            (_, before) => {
                let after = change.leaves(before.flatten());
                self.0.insert(change.pet, after);
            }
        }
    }

    /// Holds what was told against the pets that there are, in the order of their ids: all of
    /// them, where the log is `whole`.
    ///
    /// # Errors
    /// `Record` when they differ.
    pub fn compare(&self, pets: &[Arc<Pet>], whole: bool) -> Result<(), StoreError> {
        let is_told = |pet: &&Arc<Pet>| self.0.contains_key(&pet.id);
        if !pets.iter().filter(is_told).eq(self.0.values().flatten()) {
            return Err(misfit("the pets are not what the log says"));
        }
        if whole && !pets.iter().all(|pet| is_told(&pet)) {
            return Err(misfit("a pet is not in the log"));
        }
        Ok(())
    }
}

fn misfit(reason: &str) -> StoreError {
    StoreError::Record(reason.to_owned())
}
