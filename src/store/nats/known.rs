//! What this node knows of the stream, up to the last message it has passed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::batch::OP;
use super::expected::Expected;
use super::message::{self, Entry, Record};
use crate::model::{Change, ChangeKind, ChangeSource, Epoch, Pet, PetId, Rev};
use crate::store::{AppliedChange, StoreError};

/// Where the subjects of the stream stand, which is what a commit is compared with.
#[derive(Default)]
pub struct Known {
    /// Which stream it is: when that was made.
    pub created: String,
    pub epoch: Option<Epoch>,
    /// The last message that was passed.
    pub seq: u64,
    /// The last change.
    pub newest: Rev,
    next_pet: Option<PetId>,
    next_pet_seq: u64,
    tick_seq: u64,
    pets: HashMap<PetId, u64>,
    /// Commits that this node waits for, and where their messages were passed.
    pub ops: HashMap<String, Vec<u64>>,
}

impl Known {
    /// Passes one message, and says what it changes.
    pub fn pass(&mut self, entry: &Entry) -> Result<Option<Passed>, StoreError> {
        self.seq = entry.seq;
        let op = entry.headers.get(OP).map(|op| op.as_str());
        if let Some(seqs) = op.and_then(|op| self.ops.get_mut(op)) {
            seqs.push(entry.seq);
        }
        match message::read(entry)? {
            Record::Pet { change, after } => {
                self.newest = change.rev;
                self.pets.insert(change.pet, entry.seq);
                let next = self.next_pet().max(change.pet.next());
                self.next_pet = Some(next);
                return Ok(Some(Passed { change, after }));
            }
            Record::NextPet(id) => {
                self.next_pet = Some(self.next_pet().max(id));
                self.next_pet_seq = entry.seq;
            }
            Record::MonotonicSeconds => self.tick_seq = entry.seq,
            Record::Epoch(epoch) => self.epoch = Some(epoch),
            Record::Other => {}
        }
        Ok(None)
    }

    pub fn next_pet(&self) -> PetId {
        self.next_pet.unwrap_or(PetId::FIRST)
    }

    /// The last change of a pet that is there.
    pub fn last_change(&self, pet: PetId) -> Rev {
        Rev::new(self.pets.get(&pet).copied().unwrap_or_default())
    }

    /// What a commit of `puts`, decided at `read`, is compared with.
    ///
    /// # Errors
    /// `Conflict` when one of the pets is known to have changed since.
    pub fn expect(&self, read: Rev, proposed: &[AppliedChange]) -> Result<Expected, StoreError> {
        let (mut pets, mut written) = (Vec::new(), HashSet::new());
        for put in proposed {
            let last = self.pets.get(&put.change.pet).copied().unwrap_or_default();
            let is_first = written.insert(put.change.pet);
            if is_first && last > read.get() {
                return Err(StoreError::Conflict);
            }
            pets.push(is_first.then_some(last));
        }
        let creates = proposed.iter().any(|put| put.change.pet >= self.next_pet());
        let ticks = proposed
            .iter()
            .any(|put| put.change.by == ChangeSource::Simulator);
        Ok(Expected {
            next_pet: creates.then_some(self.next_pet_seq),
            tick: ticks.then_some(self.tick_seq),
            pets,
        })
    }
}

/// A change, and the pet after it.
pub struct Passed {
    pub change: Change,
    pub after: Option<Arc<Pet>>,
}

impl Passed {
    /// The change as an export writes it when changes before it are no longer there: with everything
    /// that the pet is then.
    pub fn into_whole(self) -> Change {
        let kind = match self.after {
            Some(pet) => ChangeKind::Pet(pet),
            None => ChangeKind::Gone(self.change.kind.name().map(Arc::from)),
        };
        Change {
            kind,
            ..self.change
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::nats::subjects::{NEXT_PET, TICK};

    fn put(pet: u64, by: ChangeSource) -> AppliedChange {
        let change = Change {
            rev: Rev::ZERO,
            at: crate::model::Timestamp::from_micros(0),
            by,
            author: None,
            request: None,
            pet: PetId::new(pet),
            kind: ChangeKind::Gone(None),
        };
        AppliedChange::new(change, None)
    }

    #[test]
    fn each_pet_is_compared_once_and_a_simulator_moves_the_tick_on() {
        let mut known = Known::default();
        known.pets.insert(PetId::FIRST, 9);
        (known.next_pet, known.tick_seq) = (Some(PetId::new(2)), 8);
        let expected = |proposed: &[AppliedChange], read| {
            let expected = known.expect(Rev::new(read), proposed).unwrap();
            let messages = expected.compose(proposed);
            assert_eq!(messages.len(), expected.messages());
            let told = messages
                .into_iter()
                .map(|sent| (sent.subject, sent.expected));
            told.collect::<Vec<_>>()
        };
        let subject = |name: &str| name.to_owned();
        assert_eq!(
            expected(&[put(1, ChangeSource::Staff), put(1, ChangeSource::Api)], 9),
            [(subject("ps.pet.1"), Some(9)), (subject("ps.pet.1"), None)]
        );
        assert_eq!(
            expected(&[put(2, ChangeSource::Staff)], 9),
            [(subject(NEXT_PET), Some(0)), (subject("ps.pet.2"), Some(0))]
        );
        assert_eq!(
            expected(&[put(1, ChangeSource::Simulator)], 9),
            [(subject(TICK), Some(8)), (subject("ps.pet.1"), Some(9))]
        );
        let late = known.expect(Rev::new(8), &[put(1, ChangeSource::Staff)]);
        assert_eq!(late.err(), Some(StoreError::Conflict));
    }
}
