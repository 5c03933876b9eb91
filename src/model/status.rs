//! The statuses of pets, with their notes and starts.

mod note;
mod start;

use std::fmt;
use std::str::FromStr;

pub use self::note::{StatusNote, StatusNoteError};
pub use self::start::StatusStart;

/// Activity of a pet.
///
/// Messages, API answers and records have it in two fields, so that a reader who knows only the four words
/// of the first version understands them: `status` is always one of the four, and `activity` is the exact
/// word if that is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Eating.
    Eating,
    /// Bathing.
    Bathing,
    /// Sleeping.
    Sleeping,
    /// Playing.
    Playing,
    /// No status yet: the pet is new.
    NotSetYet,
}

impl Status {
    /// Every status that people choose from, in the order of buttons and documents.
    pub const ALL: [Status; 4] = [
        Status::Eating,
        Status::Bathing,
        Status::Sleeping,
        Status::Playing,
    ];

    /// Every status that a pet can have.
    pub const EVERY: [Status; 5] = [
        Status::Eating,
        Status::Bathing,
        Status::Sleeping,
        Status::Playing,
        Status::NotSetYet,
    ];

    /// Returns the exact word, which forms, requests and pages use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Eating => "eating",
            Status::Bathing => "bathing",
            Status::Sleeping => "sleeping",
            Status::Playing => "playing",
            Status::NotSetYet => "not-set-yet",
        }
    }

    /// Returns the word of the field `status`: one of the four. A pet without a status is asleep to readers
    /// who know no others, as every new pet was in their version.
    pub const fn known_word(self) -> &'static str {
        match self {
            Status::NotSetYet => Status::Sleeping.as_str(),
            status => status.as_str(),
        }
    }

    /// Returns the word of the field `activity`: the exact word, if that is none of the four.
    pub const fn activity(self) -> Option<&'static str> {
        match self {
            Status::NotSetYet => Some(self.as_str()),
            _ => None,
        }
    }

    /// Parses the two fields. An `activity` that only a later version knows is ignored.
    ///
    /// # Errors
    /// `UnknownStatus` if `status` is none of the four words.
    pub fn from_fields(status: &str, activity: Option<&str>) -> Result<Self, UnknownStatus> {
        let exact = activity.and_then(|word| word.parse().ok());
        exact.map_or_else(|| status.parse(), Ok)
    }

    /// Returns the word shown to people.
    pub const fn text(self) -> &'static str {
        match self {
            Status::Eating => "Eating",
            Status::Bathing => "Bathing",
            Status::Sleeping => "Sleeping",
            Status::Playing => "Playing",
            Status::NotSetYet => "Not set yet",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("status must be one of eating, bathing, sleeping, playing")]
pub struct UnknownStatus;

impl FromStr for Status {
    type Err = UnknownStatus;

    /// Parses an exact word. `not-set-yet` is accepted too: the undo of a first status restores it.
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Status::EVERY
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(UnknownStatus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_for_an_unknown_status_names_every_known_one() {
        let message = "napping".parse::<Status>().unwrap_err().to_string();
        for status in Status::ALL {
            assert!(message.contains(status.as_str()));
            assert_eq!(status.as_str().parse::<Status>(), Ok(status));
        }
    }

    #[test]
    fn readers_of_the_first_version_see_one_of_four_words_and_others_the_exact_status() {
        for status in Status::EVERY {
            let word = status.known_word();
            assert!(Status::ALL.iter().any(|known| known.as_str() == word));
            let read = Status::from_fields(word, status.activity());
            assert_eq!(read, Ok(status));
        }
        let later = Status::from_fields("playing", Some("juggling"));
        assert_eq!(later, Ok(Status::Playing));
        assert_eq!(Status::from_fields("juggling", None), Err(UnknownStatus));
    }
}
