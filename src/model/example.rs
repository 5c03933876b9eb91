//! Plain pets and changes for tests.

use super::{
    Change, ChangeKind, ChangeSource, Pet, PetId, Profile, Rev, Status, StatusNote, Timestamp,
};

/// Returns a sleeping pet without a name.
pub fn pet(id: u64) -> Pet {
    Pet {
        id: PetId::new(id),
        profile: Profile::default(),
        photos: Vec::new(),
        status: Status::Sleeping,
        since: Timestamp::from_micros(0),
        removed: None,
        note: StatusNote::default(),
    }
}

/// Returns a change without an author.
pub fn change(rev: u64, pet: u64, kind: ChangeKind) -> Change {
    Change {
        rev: Rev::new(rev),
        at: Timestamp::from_micros(0),
        by: ChangeSource::Api,
        author: None,
        request: None,
        visibility: crate::model::Visibility::Public,
        pet: PetId::new(pet),
        kind,
    }
}
