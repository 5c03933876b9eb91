//! A pet and a change as tests need them: as plain as they can be.

use super::{Change, ChangeKind, ChangeSource, Pet, PetId, Profile, Rev, Status, Timestamp};

/// A pet that sleeps, without a name.
pub fn pet(id: u64) -> Pet {
    Pet {
        id: PetId::new(id),
        profile: Profile::default(),
        status: Status::Sleeping,
        since: Timestamp::from_micros(0),
    }
}

/// A change by a program that nobody knows.
pub fn change(rev: u64, pet: u64, kind: ChangeKind) -> Change {
    Change {
        rev: Rev::new(rev),
        at: Timestamp::from_micros(0),
        by: ChangeSource::Api,
        author: None,
        request: None,
        pet: PetId::new(pet),
        kind,
    }
}
