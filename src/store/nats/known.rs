//! What this node knows of the stream, up to the last message it has passed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::batch::{OP, Outgoing, PLACE};
use super::message::{self, Entry, LEADING, Record};
use super::subjects::{NEXT_PET, PET, TICK};
use crate::model::{By, Change, ChangeKind, Epoch, Pet, PetId, Rev};
use crate::store::{Put, Snapshot, StoreError};

/// Where the subjects of the stream stand, which is what a commit is compared with.
#[derive(Default)]
pub struct Known {
    /// Which stream it is: when that was made.
    pub created: String,
    pub epoch: Option<Epoch>,
    pub epoch_seq: u64,
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
            Record::Tick => self.tick_seq = entry.seq,
            Record::Epoch(epoch) => {
                self.epoch = Some(epoch);
                self.epoch_seq = entry.seq;
            }
            Record::Other => {}
        }
        Ok(None)
    }

    pub fn next_pet(&self) -> PetId {
        self.next_pet.unwrap_or(PetId::FIRST)
    }

    /// The messages that commit `puts`, decided at `read`: first those that are no changes, then
    /// one for each.
    ///
    /// # Errors
    /// `Conflict` when one of the pets is known to have changed since.
    pub fn compose(&self, read: Rev, puts: &[Put]) -> Result<Vec<Outgoing>, StoreError> {
        let mut messages = self.leading(puts);
        let leading = messages.len().to_string();
        let mut last_seqs: HashMap<PetId, Option<u64>> = HashMap::new();
        for put in puts {
            let known = || Some(self.pets.get(&put.pet).copied().unwrap_or_default());
            let expected = *last_seqs.entry(put.pet).or_insert_with(known);
            if expected > Some(read.get()) {
                return Err(StoreError::Conflict);
            }
            last_seqs.insert(put.pet, None);
            let (mut headers, body) = message::write(put);
            headers.push((LEADING, leading.clone()));
            messages.push(Outgoing {
                subject: format!("{PET}{}", put.pet),
                expected,
                headers,
                body,
            });
        }
        Ok(messages)
    }

    /// The next id when a pet is created, and a tick of the simulator: of several that believe to
    /// be the only one, one moves it.
    fn leading(&self, puts: &[Put]) -> Vec<Outgoing> {
        let mut messages = Vec::new();
        let last_pet = puts.iter().map(|put| put.pet.next()).max();
        if let Some(next) = last_pet.filter(|next| *next > self.next_pet()) {
            messages.push(Outgoing {
                subject: NEXT_PET.to_owned(),
                expected: Some(self.next_pet_seq),
                headers: Vec::new(),
                body: next.to_string().into_bytes(),
            });
        }
        if puts.iter().any(|put| put.signature.by == By::Simulator) {
            messages.push(Outgoing {
                subject: TICK.to_owned(),
                expected: Some(self.tick_seq),
                headers: Vec::new(),
                body: b"tick".to_vec(),
            });
        }
        messages
    }
}

/// A change of which the whole pet is known.
pub struct Passed {
    pub change: Change,
    pub after: Option<Arc<Pet>>,
}

impl Passed {
    /// The change as it is shown when changes before it are no longer there: with everything that
    /// the pet is then.
    pub fn into_whole(self) -> Change {
        let kind = match self.after {
            Some(pet) => ChangeKind::Pet(pet),
            None => ChangeKind::Gone,
        };
        Change {
            kind,
            ..self.change
        }
    }
}

/// Whether no change is missing before `entry`, when `next` would have been the sequence number to
/// follow. The stream keeps the last few messages of each subject; of ticks it forgets most, and
/// these do not count.
pub fn is_next(next: u64, entry: &Entry) -> bool {
    let header = |name: &str| entry.headers.get(name)?.as_str().parse::<u64>().ok();
    if entry.seq == next {
        return true;
    }
    let (Some(place), Some(leading)) = (header(PLACE), header(LEADING)) else {
        return false;
    };
    let start = (entry.seq + 1).saturating_sub(place);
    next >= start && entry.seq <= start + leading
}

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

    pub fn finish(self) -> (Known, Snapshot) {
        let snapshot = Snapshot {
            rev: self.known.newest,
            next_pet: self.known.next_pet(),
            pets: self.pets.into_values().map(Arc::unwrap_or_clone).collect(),
        };
        (self.known, snapshot)
    }
}

#[cfg(test)]
mod tests {
    use async_nats::HeaderMap;

    use super::*;

    /// A pet's message with its place in a batch that begins with `leading` messages that are no
    /// changes.
    fn entry(seq: u64, place: u64, leading: u64) -> Entry {
        let mut headers = HeaderMap::new();
        headers.insert(PLACE, place.to_string());
        headers.insert(LEADING, leading.to_string());
        Entry {
            seq,
            subject: format!("{PET}1"),
            headers,
            payload: Vec::new(),
        }
    }

    /// The stream keeps 16 ticks, and far more changes.
    #[test]
    fn a_forgotten_tick_leaves_no_hole_and_a_forgotten_change_does() {
        assert!(is_next(7, &entry(7, 1, 0)));
        assert!(!is_next(6, &entry(7, 1, 0)), "the change 6 is gone");
        assert!(
            is_next(6, &entry(7, 2, 1)),
            "6 was the tick of the same batch"
        );
        assert!(
            is_next(5, &entry(7, 3, 2)),
            "5 and 6 were the next id and a tick"
        );
        assert!(!is_next(5, &entry(7, 2, 1)), "5 was before the batch");
        assert!(
            !is_next(6, &entry(8, 3, 1)),
            "7 was a change of the same batch"
        );
    }

    fn put(pet: u64, by: By) -> Put {
        Put {
            at: crate::model::Moment::from_micros(0),
            signature: by.into(),
            pet: PetId::new(pet),
            kind: ChangeKind::Gone,
            after: None,
        }
    }

    #[test]
    fn each_pet_is_compared_once_and_a_simulator_moves_the_tick_on() {
        let mut known = Known::default();
        known.pets.insert(PetId::FIRST, 9);
        (known.next_pet, known.tick_seq) = (Some(PetId::new(2)), 8);
        let expected = |puts: &[Put], read| {
            let messages = known.compose(Rev::new(read), puts).unwrap();
            let told = messages
                .into_iter()
                .map(|sent| (sent.subject, sent.expected));
            told.collect::<Vec<_>>()
        };
        let subject = |name: &str| name.to_owned();
        assert_eq!(
            expected(&[put(1, By::Staff), put(1, By::Api)], 9),
            [(subject("ps.pet.1"), Some(9)), (subject("ps.pet.1"), None)]
        );
        assert_eq!(
            expected(&[put(2, By::Staff)], 9),
            [(subject(NEXT_PET), Some(0)), (subject("ps.pet.2"), Some(0))]
        );
        assert_eq!(
            expected(&[put(1, By::Simulator)], 9),
            [(subject(TICK), Some(8)), (subject("ps.pet.1"), Some(9))]
        );
        let late = known.compose(Rev::new(8), &[put(1, By::Staff)]);
        assert_eq!(late.err(), Some(StoreError::Conflict));
    }
}
