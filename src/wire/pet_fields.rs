//! Fields of a pet, as messages and the API have them.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::model::{Audience, Pet, Profile};

/// The fields of a pet that an audience may read. Messages have the public ones.
pub struct PetFields<'a> {
    pet: &'a Pet,
    audience: Audience,
}

impl<'a> PetFields<'a> {
    /// Borrows what `audience` may read of `pet`.
    pub fn new(pet: &'a Pet, audience: Audience) -> Self {
        PetFields { pet, audience }
    }
}

impl Serialize for PetFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let PetFields { pet, audience } = self;
        let mut map = serializer.serialize_map(None)?;
        for field in Profile::fields_for(*audience) {
            map.serialize_entry(field.name, &field.value(&pet.profile))?;
        }
        map.serialize_entry("status", &pet.status)?;
        map.serialize_entry("since", &pet.since)?;
        map.end()
    }
}
