//! What a stream tells of its pets up to one moment, while it goes on.
//!
//! The last message of each pet comes first, and says what is true at which message. Older ones are
//! read after that, and the stream forgets some of them meanwhile: where a change alone no longer
//! leads from the one before to what the pet was then, it is told as the whole pet.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Change, Epoch, Pet, PetId, Rev};
use crate::store::nats::known::{Known, Passed};
use crate::store::nats::link::Link;
use crate::store::nats::message::{self, Record};
use crate::store::nats::subjects::{PET, PETS};
use crate::store::nats::{load, read};
use crate::store::{Snapshot, StoreError};

/// Messages that are read at once.
const READ_AT_ONCE: usize = 512;

/// A store at one moment.
pub struct Story {
    pub epoch: Epoch,
    pub snapshot: Snapshot,
    /// Oldest first, with revs without a hole up to the snapshot's.
    pub changes: Vec<Change>,
}

/// Reads everything that the stream still has.
///
/// # Errors
/// `Unfinished`, `Record`, or `Unavailable` when the servers do not answer.
pub async fn read(link: &Link) -> Result<Story, StoreError> {
    let nothing = || (Known::default(), BTreeMap::<PetId, Passed>::new());
    let (_, (known, newest)) = load::load(link, &PETS, nothing, |(known, newest), entry| {
        let passed = known.pass(&entry)?;
        newest.extend(passed.map(|passed| (passed.change.pet, passed)));
        Ok(())
    })
    .await?;
    let epoch = known.epoch.ok_or(StoreError::Unfinished)?;
    let mut told = Told::default();
    let (filter, mut next) = (format!("{PET}*"), 1);
    while next <= known.newest.get() {
        let some = read::some_following(link, &PETS, &filter, next, READ_AT_ONCE);
        for entry in some.await? {
            next = entry.seq + 1;
            if entry.seq <= known.newest.get()
                && let Record::Pet { change, after } = message::read(&entry)?
            {
                told.take(Passed { change, after });
            }
        }
    }
    let there = newest.values().filter(|passed| passed.after.is_some());
    let revs = there.clone().map(|passed| passed.change.rev).collect();
    let pets = there.filter_map(|passed| passed.after.clone());
    let snapshot = Snapshot {
        rev: known.newest,
        next_pet: known.next_pet(),
        pets: pets.map(Arc::unwrap_or_clone).collect(),
        revs,
    };
    Ok(Story {
        epoch,
        snapshot,
        changes: told.finish(newest.into_values()),
    })
}

/// Changes so far, and what they lead to.
#[derive(Default)]
struct Told {
    changes: Vec<Change>,
    /// The last change of each pet, and what it was then.
    pets: BTreeMap<PetId, (Rev, Option<Arc<Pet>>)>,
}

impl Told {
    fn take(&mut self, passed: Passed) {
        let (rev, pet, after) = (passed.change.rev, passed.change.pet, passed.after.clone());
        let leads_there = match self.pets.insert(pet, (rev, after)) {
            Some((_, before)) => passed.change.leaves(before) == passed.after,
            // Of the first that the stream still has nobody knows where it came from.
            None => true,
        };
        self.changes.push(match leads_there {
            true => passed.change,
            false => passed.into_whole(),
        });
    }

    /// Takes those of the last messages that were forgotten before they were read, and numbers all:
    /// the newest change keeps its rev.
    fn finish(mut self, newest: impl Iterator<Item = Passed>) -> Vec<Change> {
        for passed in newest {
            let told = self.pets.get(&passed.change.pet);
            if told.is_none_or(|(rev, _)| *rev < passed.change.rev) {
                self.take(passed);
            }
        }
        self.changes.sort_by_key(|change| change.rev);
        let mut rev = self.changes.last().map_or(0, |last| last.rev.get());
        for change in self.changes.iter_mut().rev() {
            change.rev = Rev::new(rev);
            rev -= 1;
        }
        self.changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChangeKind, ChangeSource, Profile, Status, Timestamp};

    fn passed(rev: u64, name: &str, status: Status) -> Passed {
        let at = Timestamp::from_micros(rev.cast_signed());
        let pet = Pet {
            id: PetId::FIRST,
            profile: Profile {
                name: name.to_owned(),
                ..Profile::default()
            },
            status,
            since: at,
        };
        let change = Change {
            rev: Rev::new(rev),
            at,
            by: ChangeSource::Api,
            author: None,
            request: None,
            pet: PetId::FIRST,
            kind: ChangeKind::Status(status),
        };
        let after = Some(Arc::new(pet));
        Passed { change, after }
    }

    fn told(passed: Vec<Passed>, newest: Vec<Passed>) -> Vec<(u64, &'static str)> {
        let mut told = Told::default();
        passed.into_iter().for_each(|passed| told.take(passed));
        let changes = told.finish(newest.into_iter());
        let told = changes
            .iter()
            .map(|change| (change.rev.get(), change.kind.as_str()));
        told.collect()
    }

    #[test]
    fn the_newest_change_keeps_its_rev_and_those_before_it_have_no_hole() {
        let begun = [
            (3, Status::Eating),
            (7, Status::Playing),
            (9, Status::Eating),
        ];
        let begun = begun.map(|(rev, status)| passed(rev, "Miso", status));
        let last = vec![passed(9, "Miso", Status::Eating)];
        let expected = [(7, "status"), (8, "status"), (9, "status")];
        assert_eq!(told(begun.into(), last), expected);
    }

    /// The stream forgot, while it was read, a change of name and then the last change.
    #[test]
    fn a_change_that_alone_does_not_lead_to_what_the_pet_was_is_told_as_the_whole_pet() {
        let begun = vec![passed(3, "Miso", Status::Eating)];
        let last = vec![passed(9, "Mo", Status::Playing)];
        assert_eq!(told(begun, last), [(8, "status"), (9, "pet")]);
    }
}
