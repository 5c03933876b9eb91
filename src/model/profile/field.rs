//! A field of a profile: its names, its rules, and access to its text.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::Profile;
use super::date::date_text;
use super::tags::Tags;

/// Readers of a pet, or of a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// Everybody.
    Public,
    /// People and programs that may read what staff read.
    Staff,
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
    /// Readers of the field. Messages contain public fields only.
    pub audience: Audience,
    pub(super) text: fn(&Profile) -> &str,
    pub(super) set: fn(&mut Profile, &str),
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
    /// Any of these words, each with its label. As text they have commas between them.
    Words(&'static [(&'static str, &'static str)]),
    /// A date: `2024-05-03`; may be empty.
    Date,
    /// A date, month or year, perhaps after "about"; may be empty.
    RoughDate,
}

/// The value of a field in JSON.
pub enum FieldValue<'a> {
    /// A text.
    Text(&'a str),
    /// Words with commas between them: a list in JSON.
    Words(&'a str),
}

impl ProfileField {
    /// Returns the text of the field in `profile`.
    pub fn text<'a>(&self, profile: &'a Profile) -> &'a str {
        (self.text)(profile)
    }

    /// Returns the value of the field in `profile`, as JSON has it.
    pub fn value<'a>(&self, profile: &'a Profile) -> FieldValue<'a> {
        let text = self.text(profile);
        match self.kind {
            FieldKind::Words(_) => FieldValue::Words(text),
            _ => FieldValue::Text(text),
        }
    }

    /// Returns `text`, a value of this field, in the words that people read.
    pub fn shown<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let label = |word: &'a str| {
            let choices = self.kind.choices().iter();
            let choice = choices.into_iter().find(|(value, _)| *value == word);
            choice.map_or(word, |(_, label)| *label)
        };
        match self.kind {
            FieldKind::Line(_) | FieldKind::Lines(_) => text.into(),
            FieldKind::Choice(_) => label(text).into(),
            FieldKind::Words(_) => {
                let labels: Vec<&str> = Tags::words(text).map(label).collect();
                labels.join(", ").into()
            }
            FieldKind::Date | FieldKind::RoughDate => date_text(text).into(),
        }
    }

    /// Returns the most characters that the field allows, if it is free text.
    pub const fn limit(&self) -> Option<usize> {
        match self.kind {
            FieldKind::Line(limit) | FieldKind::Lines(limit) => Some(limit),
            _ => None,
        }
    }
}

impl FieldKind {
    /// Returns the name of the kind in templates.
    pub const fn as_str(self) -> &'static str {
        match self {
            FieldKind::Line(_) => "line",
            FieldKind::Lines(_) => "lines",
            FieldKind::Choice(_) => "choice",
            FieldKind::Words(_) => "words",
            FieldKind::Date => "date",
            FieldKind::RoughDate => "rough-date",
        }
    }

    /// Returns the values to choose from, each with its label.
    pub const fn choices(self) -> &'static [(&'static str, &'static str)] {
        match self {
            FieldKind::Choice(choices) | FieldKind::Words(choices) => choices,
            _ => &[],
        }
    }
}

impl Serialize for FieldValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            FieldValue::Text(text) => serializer.serialize_str(text),
            FieldValue::Words(words) => serializer.collect_seq(Tags::words(words)),
        }
    }
}
