//! Profiles of pets: their fields, each declared once in `Profile::FIELDS`.
//!
//! Validation, edits, forms, pages, the API and its document, messages and stored records all follow
//! from the table. A new field is a line in the struct and an entry in the table.

mod base;
mod input;
mod patch;

use serde::{Deserialize, Serialize};

pub use self::base::{ProfileBase, ProfileBaseError};
pub use self::input::{FieldError, InvalidProfile, ProfileInput};
pub use self::patch::ProfilePatch;
use super::Sex;

/// A pet's fields after validation. Required fields are not blank; the others may be empty.
///
/// Messages, the API and stored records have its fields under these names, in this order. A field
/// that is added later is missing in old records, so it needs `serde(default)`.
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
    /// Age as people say it: "about 3 years".
    #[serde(default)]
    pub age: String,
    /// Description of any number of lines.
    #[serde(default)]
    pub about: String,
}

/// A field of a profile: its names, its rules, and access to its text.
#[derive(Debug)]
pub struct ProfileField {
    /// Name in forms, messages, records and the API.
    pub name: &'static str,
    /// Label on pages.
    pub label: &'static str,
    /// Hint for the person who fills in the form; may be empty.
    pub hint: &'static str,
    /// First sentence of the description in the API document; may be empty.
    pub meaning: &'static str,
    /// Values that the field allows.
    pub kind: FieldKind,
    /// True if a new pet must have the field.
    pub is_required: bool,
    text: fn(&Profile) -> &str,
    set: fn(&mut Profile, &str),
}

/// Values that a field allows. Limits count characters (Unicode scalar values).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// One line of at most this many characters.
    Line(usize),
    /// Any number of lines, of at most this many characters together.
    Lines(usize),
    /// One of these values, each with its label.
    Choice(&'static [(&'static str, &'static str)]),
}

/// Limits are long enough for every pet we know of, and short enough that a board of thousands stays
/// small.
const FIELDS: [ProfileField; 6] = [
    ProfileField {
        name: "name",
        label: "Name",
        hint: "",
        meaning: "",
        kind: FieldKind::Line(Profile::NAME_LIMIT),
        is_required: true,
        text: |profile| &profile.name,
        set: |profile, text| profile.name = text.to_owned(),
    },
    ProfileField {
        name: "species",
        label: "Species",
        hint: "Dog, cat, rabbit…",
        meaning: "",
        kind: FieldKind::Line(40),
        is_required: true,
        text: |profile| &profile.species,
        set: |profile, text| profile.species = text.to_owned(),
    },
    ProfileField {
        name: "breed",
        label: "Breed",
        hint: "",
        meaning: "",
        kind: FieldKind::Line(80),
        is_required: false,
        text: |profile| &profile.breed,
        set: |profile, text| profile.breed = text.to_owned(),
    },
    ProfileField {
        name: "sex",
        label: "Sex",
        hint: "",
        meaning: "",
        kind: FieldKind::Choice(&Sex::CHOICES),
        is_required: false,
        text: |profile| profile.sex.as_str(),
        set: |profile, text| profile.sex = text.parse().unwrap_or_default(),
    },
    ProfileField {
        name: "age",
        label: "Age",
        hint: "As you would say it: about 3 years",
        meaning: "As people say it: \"about 3 years\".",
        kind: FieldKind::Line(40),
        is_required: false,
        text: |profile| &profile.age,
        set: |profile, text| profile.age = text.to_owned(),
    },
    ProfileField {
        name: "about",
        label: "About",
        hint: "What should people know?",
        meaning: "",
        kind: FieldKind::Lines(2000),
        is_required: false,
        text: |profile| &profile.about,
        set: |profile, text| profile.about = text.to_owned(),
    },
];

impl Profile {
    /// Every field, in the order of forms and messages.
    pub const FIELDS: &'static [ProfileField; FIELDS.len()] = &FIELDS;

    /// Longest name, in characters.
    pub const NAME_LIMIT: usize = 80;
}

impl ProfileField {
    /// Returns the text of the field in `profile`.
    pub fn text<'a>(&self, profile: &'a Profile) -> &'a str {
        (self.text)(profile)
    }

    /// Returns the most characters that the field allows, if it is free text.
    pub const fn limit(&self) -> Option<usize> {
        match self.kind {
            FieldKind::Line(limit) | FieldKind::Lines(limit) => Some(limit),
            FieldKind::Choice(_) => None,
        }
    }
}
