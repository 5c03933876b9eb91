//! What an export brings into a cluster: the newest changes, each with the whole pet as it was then.
//!
//! The log is replayed forward. Of a pet whose record a trimmed log no longer has, only statuses
//! changed since, so its profile was the one that it has now; unless its record comes after all,
//! or its end: then nobody knows what it was before, and those changes are left out.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::io::BufRead;
use std::sync::Arc;

use super::Imported;
use crate::model::{Change, ChangeKind, ChangeSource, Pet, PetId, Rev};
use crate::store::archive::{Entry, parse};
use crate::store::{AccountEdit, AppliedChange, StoreError};

/// The newest changes of all pets that are imported, about half a kilobyte each in memory.
const IMPORTED: usize = 100_000;
/// The newest changes of each pet, which are imported however old they are.
const IMPORTED_PER_PET: usize = 16;

/// Everything in an export, checked, in the order in which it is to be written.
pub struct Cargo {
    pub next_pet: PetId,
    pub proposed: Vec<AppliedChange>,
    pub staff: Vec<AccountEdit>,
    pets: u64,
}

impl Cargo {
    /// Reads an export to its end. Memory is bounded by `IMPORTED`, the pets and staff.
    ///
    /// # Errors
    /// `Import` with the first line that is wrong; `Read`.
    pub fn read(input: impl BufRead) -> Result<Self, StoreError> {
        let mut packing = Packing::default();
        parse(input, |entry| {
            packing.take(entry);
            Ok(())
        })?;
        Ok(packing.finish())
    }

    pub fn contents(&self) -> Imported {
        let is_account = |edit: &&AccountEdit| matches!(edit, AccountEdit::PutAccount(_));
        Imported {
            pets: self.pets,
            changes: self.proposed.len() as u64,
            accounts: self.staff.iter().filter(is_account).count() as u64,
        }
    }
}

#[derive(Default)]
struct Packing {
    next_pet: Option<PetId>,
    pets: BTreeMap<PetId, Arc<Pet>>,
    traces: BTreeMap<PetId, Trace>,
    /// The pets of the changes that count against `IMPORTED`, oldest first.
    counted: VecDeque<PetId>,
    staff: Vec<AccountEdit>,
}

/// The newest changes of one pet.
struct Trace {
    /// What it is after those so far.
    after: Option<Arc<Pet>>,
    /// Whether that has the profile of today for want of a record.
    is_guessed: bool,
    proposed: VecDeque<(Rev, AppliedChange)>,
}

impl Packing {
    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Start { next_pet, .. } => self.next_pet = Some(next_pet),
            Entry::Pet(pet) => drop(self.pets.insert(pet.id, Arc::new(pet))),
            Entry::Change(change) => {
                let today = self.pets.get(&change.pet);
                let trace = self.traces.entry(change.pet).or_insert_with(|| Trace {
                    after: today.cloned(),
                    is_guessed: true,
                    proposed: VecDeque::new(),
                });
                self.counted.push_back(change.pet);
                trace.take(change);
                self.drop_oldest();
            }
            Entry::Staff(edit) => self.staff.push(edit),
        }
    }

    fn drop_oldest(&mut self) {
        if self.counted.len() > IMPORTED
            && let Some(pet) = self.counted.pop_front()
            && let Some(trace) = self.traces.get_mut(&pet)
            && trace.proposed.len() > IMPORTED_PER_PET
        {
            trace.proposed.pop_front();
        }
    }

    fn finish(mut self) -> Cargo {
        let mut proposed = Vec::new();
        for (id, pet) in &self.pets {
            let trace = self.traces.get(id).and_then(|trace| trace.proposed.back());
            if trace.is_none_or(|(_, last)| last.after.as_ref() != Some(pet)) {
                self.traces.remove(id);
                proposed.push((Rev::ZERO, as_it_is(pet)));
            }
        }
        proposed.extend(self.traces.into_values().flat_map(|trace| trace.proposed));
        proposed.sort_by_key(|(rev, _)| *rev);
        Cargo {
            next_pet: self.next_pet.unwrap_or(PetId::FIRST),
            proposed: proposed.into_iter().map(|(_, put)| put).collect(),
            staff: self.staff,
            pets: self.pets.len() as u64,
        }
    }
}

impl Trace {
    fn take(&mut self, change: Change) {
        let is_status = change.status().is_some();
        if self.is_guessed && !is_status {
            self.proposed.clear();
            self.is_guessed = false;
        }
        self.after = change.leaves(self.after.take());
        if is_status && self.after.is_none() {
            return;
        }
        let after = self.after.clone();
        let rev = change.rev;
        self.proposed
            .push_back((rev, AppliedChange { change, after }));
    }
}

/// A pet of which the log no longer says anything.
fn as_it_is(pet: &Arc<Pet>) -> AppliedChange {
    let change = Change {
        rev: Rev::ZERO,
        at: pet.since,
        by: ChangeSource::Staff,
        author: None,
        request: None,
        pet: pet.id,
        kind: ChangeKind::Pet(Arc::clone(pet)),
    };
    AppliedChange::new(change, None)
}
