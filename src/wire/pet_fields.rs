//! Fields of a pet, as messages and the API have them.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::model::{Audience, Pet, PhotoHash, Profile, Timestamp};

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
        let photos = pet.photos.iter().map(|photo| PhotoFields {
            url: photo_path(photo.hash, photo.width_px),
            alt: pet.photo_alt(photo),
            width: photo.width_px,
            height: photo.height_px,
            widths: photo.widths_px().collect(),
            added: photo.added.filter(|_| *audience == Audience::Staff),
        });
        map.serialize_entry("photos", &photos.collect::<Vec<_>>())?;
        map.serialize_entry("status", pet.status.known_word())?;
        if let Some(activity) = pet.status.activity() {
            map.serialize_entry("activity", &activity)?;
        }
        map.serialize_entry("since", &pet.since)?;
        map.serialize_entry("note", pet.note.as_str())?;
        map.end()
    }
}

/// A photo as messages and the API show it.
#[derive(Serialize)]
struct PhotoFields<'a> {
    /// Path of the largest file. The path of another width has this width in place of its number.
    url: String,
    alt: Cow<'a, str>,
    width: u32,
    height: u32,
    widths: Vec<u32>,
    /// Absent for visitors, who would learn from it what happened while the pet was private.
    #[serde(skip_serializing_if = "Option::is_none")]
    added: Option<Timestamp>,
}

/// Returns the path of a file of a photo.
pub fn photo_path(hash: PhotoHash, width_px: u32) -> String {
    format!("/photos/{hash}-{width_px}.jpg")
}
