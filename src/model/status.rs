//! The statuses of pets, with their notes and starts.

mod note;
mod own;
mod start;

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

pub use self::note::{StatusNote, StatusNoteError};
pub use self::own::OwnActivity;
pub use self::start::StatusStart;

/// Status of a pet: what it is doing.
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
    /// An activity that the rescue added.
    Own(OwnActivity),
}

impl Status {
    /// The four statuses of every rescue, in the order of buttons and documents.
    pub const FOUR: [Status; 4] = [
        Status::Eating,
        Status::Bathing,
        Status::Sleeping,
        Status::Playing,
    ];

    /// The four, and no status yet: every status except activities that a rescue added.
    pub const BUILT_IN: [Status; 5] = [
        Status::Eating,
        Status::Bathing,
        Status::Sleeping,
        Status::Playing,
        Status::NotSetYet,
    ];

    /// Returns the exact word, which forms, requests and pages use.
    pub fn as_str(&self) -> &str {
        match self {
            Status::NotSetYet => "not-set-yet",
            Status::Own(own) => own.as_str(),
            status => status.known_word(),
        }
    }

    /// Returns the word of the field `status`: one of the four. A pet without a status is asleep to readers
    /// who know no others, as every new pet was in their version.
    pub const fn known_word(self) -> &'static str {
        match self {
            Status::Eating => "eating",
            Status::Bathing => "bathing",
            Status::Sleeping | Status::NotSetYet => "sleeping",
            Status::Playing => "playing",
            Status::Own(own) => own.stand_in(),
        }
    }

    /// Returns the status for the field `activity`: itself, if it is none of the four.
    pub fn activity(self) -> Option<Self> {
        (!Status::FOUR.contains(&self)).then_some(self)
    }

    /// Parses the two fields of a record. An `activity` of another form, as later versions may have, is ignored.
    ///
    /// # Errors
    /// `UnknownStatus` if `status` is none of the four words.
    pub fn from_fields(status: &str, activity: Option<&str>) -> Result<Self, UnknownStatus> {
        let exact = activity.and_then(|word| {
            let own = || OwnActivity::new(word, status).map(Status::Own);
            word.parse().ok().or_else(own)
        });
        exact.map_or_else(|| status.parse(), Ok)
    }

    /// Returns the word shown to people; `None` for an activity of the rescue's own, which has a name in its
    /// settings (`Activities::text`).
    pub const fn built_in_text(self) -> Option<&'static str> {
        Some(match self {
            Status::Eating => "Eating",
            Status::Bathing => "Bathing",
            Status::Sleeping => "Sleeping",
            Status::Playing => "Playing",
            Status::NotSetYet => "Not set yet",
            Status::Own(_) => return None,
        })
    }
}

/// Serializes the exact word.
impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no status that the rescue has.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("status must be one of eating, bathing, sleeping, playing{}", .own.iter().map(|word| format!(", {word}")).collect::<String>())]
pub struct UnknownStatus {
    /// The words of the rescue's own activities that can be set.
    pub own: Vec<String>,
}

impl FromStr for Status {
    type Err = UnknownStatus;

    /// Parses the exact word of a status of every rescue. `not-set-yet` is accepted too: the undo of a first
    /// status restores it.
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Status::BUILT_IN
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(UnknownStatus::default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_for_an_unknown_status_names_every_known_one() {
        let message = "napping".parse::<Status>().unwrap_err().to_string();
        for status in Status::FOUR {
            assert!(message.contains(status.as_str()));
            assert_eq!(status.as_str().parse::<Status>(), Ok(status));
        }
    }

    #[test]
    fn readers_of_the_first_version_see_one_of_four_words_and_others_the_exact_status() {
        for status in Status::BUILT_IN {
            let word = status.known_word();
            assert!(Status::FOUR.iter().any(|known| known.as_str() == word));
            let activity = status.activity().map(|activity| activity.to_string());
            let read = Status::from_fields(word, activity.as_deref());
            assert_eq!(read, Ok(status));
        }
        let own = Status::from_fields("playing", Some("juggling")).unwrap();
        assert_eq!((own.known_word(), own.as_str()), ("playing", "juggling"));
        let later = Status::from_fields("playing", Some("Juggling!"));
        assert_eq!(later, Ok(Status::Playing));
        let unknown = Err(UnknownStatus::default());
        assert_eq!(Status::from_fields("juggling", None), unknown);
    }
}
