//! Profiles of pets: their fields, each declared once in `Profile::FIELDS`.
//!
//! Validation, edits, forms, pages, the API and its document, messages and stored records all follow
//! from the table. A new field is a line in the struct and an entry in the table.

mod base;
mod choices;
mod date;
mod field;
mod fields;
mod input;
mod patch;
mod tags;

use serde::{Deserialize, Serialize};

pub use self::base::{ProfileBase, ProfileBaseError};
pub use self::choices::{AdoptionState, Sex, Size};
pub use self::field::{Audience, FieldKind, FieldValue, ProfileField};
use self::fields::FIELDS;
pub use self::input::{FieldError, InvalidProfile, ProfileInput};
pub use self::patch::ProfilePatch;
pub use self::tags::Tags;
use super::fold;

/// A pet's fields after validation. Required fields are not blank; the others may be empty.
///
/// Messages, the API and stored records have its fields under these names, in this order. A field
/// that is added later is missing in old records, so it needs `serde(default)`; where it is left out
/// if empty, most records stay as short as they were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Name, such as "Biscuit".
    pub name: String,
    /// Species, such as "Dog".
    pub species: String,
    /// Breed.
    #[serde(default)]
    pub breed: String,
    /// Sex, as far as it is known.
    #[serde(default)]
    pub sex: Sex,
    /// Date of birth, as far as it is known: "2024-05-03", "2024-05", "about 2024".
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub born: String,
    /// Age as people say it: "about 3 years".
    #[serde(default)]
    pub age: String,
    /// Size of the grown animal.
    #[serde(default, skip_serializing_if = "is_default")]
    pub size: Size,
    /// Colour.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub colour: String,
    /// Progress of the adoption.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: AdoptionState,
    /// Answers to what adopters ask first.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// Name of the pet that this one must not be separated from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bonded_with: String,
    /// Description of any number of lines.
    #[serde(default)]
    pub about: String,
    /// Date of arrival. For staff.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub intake: String,
    /// Kennel or foster home. For staff.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub location: String,
}

impl Profile {
    /// Every field, in the order of forms and messages.
    pub const FIELDS: &'static [ProfileField; FIELDS.len()] = &FIELDS;

    /// Longest name, in characters.
    pub const NAME_LIMIT: usize = 80;

    /// Returns what people tell a pet by: "Miso (Cat)".
    pub fn identity(&self) -> String {
        format!("{} ({})", self.name, self.species)
    }

    /// Returns name and species without case and accents: two pets for which this is the same are
    /// namesakes, which people would take for one.
    pub fn folded_identity(&self) -> String {
        let (name, species) = (fold(self.name.trim()), fold(self.species.trim()));
        format!("{name}\n{species}")
    }

    /// Returns the name with the species: "Biscuit, dog".
    pub fn title(&self) -> String {
        format!("{}, {}", self.name, self.species)
    }

    /// Returns the fields that `audience` may read.
    pub fn fields_for(audience: Audience) -> impl Iterator<Item = &'static ProfileField> {
        let fields = Profile::FIELDS.iter();
        fields.filter(move |field| field.audience <= audience)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
