//! A snapshot out of the last message of each subject.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::known::{Known, Passed};
use super::message::Entry;
use super::state::StreamState;
use crate::model::{Pet, PetId};
use crate::store::{Snapshot, StoreError};

/// Gathers a snapshot out of the last message of each subject.
#[derive(Default)]
pub struct Gathered {
    known: Known,
    pets: BTreeMap<PetId, Arc<Pet>>,
}

impl Gathered {
    /// Takes the next message. One of a subject that changed meanwhile comes after the first of it.
    pub fn take(&mut self, entry: &Entry) -> Result<(), StoreError> {
        if let Some(Passed { change, after }) = self.known.pass(entry)? {
            match after {
                Some(pet) => self.pets.insert(change.pet, pet),
                None => self.pets.remove(&change.pet),
            };
        }
        Ok(())
    }

    /// What is known then of the stream that was in `state`, and what is true in it.
    ///
    /// # Errors
    /// `Unfinished` when it has no epoch, which is written last.
    pub fn finish(mut self, state: StreamState) -> Result<(Known, Snapshot), StoreError> {
        if self.known.epoch.is_none() {
            return Err(StoreError::Unfinished);
        }
        self.known.created = state.created;
        let snapshot = Snapshot {
            rev: self.known.newest,
            next_pet: self.known.next_pet(),
            revs: self
                .pets
                .keys()
                .map(|pet| self.known.last_change(*pet))
                .collect(),
            pets: self.pets.into_values().map(Arc::unwrap_or_clone).collect(),
        };
        Ok((self.known, snapshot))
    }
}
