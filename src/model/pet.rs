//! Pets and their ids, and the removal of a pet.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;

use super::{AdoptionState, Photo, Profile, Status, StatusNote, Timestamp};

/// Id of a pet: a whole number from 1, assigned in order and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct PetId(u64);

impl PetId {
    /// The id of the first pet of a store.
    pub const FIRST: PetId = PetId(1);

    /// Wraps a number.
    pub const fn new(number: u64) -> Self {
        PetId(number)
    }

    /// Returns the number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the id that is assigned after this one.
    pub const fn next(self) -> Self {
        PetId(self.0.saturating_add(1))
    }
}

impl fmt::Display for PetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The text is not a pet's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pet's id is a whole number from 1, such as 7")]
pub struct PetIdError;

impl FromStr for PetId {
    type Err = PetIdError;

    /// Accepts exactly what `Display` writes: no sign, no leading zero.
    fn from_str(text: &str) -> Result<Self, PetIdError> {
        let is_plain = text.bytes().all(|digit| digit.is_ascii_digit()) && !text.starts_with('0');
        match text.parse() {
            Ok(number) if is_plain => Ok(PetId(number)),
            _ => Err(PetIdError),
        }
    }
}

/// A pet as it is at some rev.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pet {
    /// Id, which never changes.
    pub id: PetId,
    /// Profile of the pet.
    pub profile: Profile,
    /// Photos in their order; the first one is on the pet's card. At most `Photo::MAX_PER_PET`.
    pub photos: Vec<Photo>,
    /// Status of the pet.
    pub status: Status,
    /// Time when `status` began.
    pub since: Timestamp,
    /// Removal of the pet, if it is in the trash: it is then on no board.
    pub removed: Option<Removal>,
    /// Note on `status`.
    pub note: StatusNote,
}

impl Pet {
    /// Returns true if visitors may know that this pet is here: it is neither private nor in the trash.
    pub fn is_public(&self) -> bool {
        self.profile.state != AdoptionState::Private && !self.is_in_trash()
    }

    /// Returns true if the pet was removed, and can be restored.
    pub fn is_in_trash(&self) -> bool {
        self.removed.is_some()
    }

    /// Returns the alternative text of a photo of this pet: its own, or the default.
    pub fn photo_alt<'a>(&self, photo: &'a Photo) -> Cow<'a, str> {
        if photo.alt.is_empty() {
            self.profile.title().into()
        } else {
            photo.alt.as_str().into()
        }
    }
}

/// The removal of a pet that is in the trash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Time of the removal.
    pub at: Timestamp,
    /// Name of the account that removed the pet; `None` in the demo, which has no accounts.
    pub by: Option<String>,
}

impl Removal {
    /// How long a pet stays in the trash.
    pub const KEPT_FOR: Duration = Duration::from_hours(30 * 24);

    /// Returns the time at which the pet is deleted.
    pub fn ends(&self) -> Timestamp {
        let kept_micros = i64::try_from(Removal::KEPT_FOR.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(self.at.micros().saturating_add(kept_micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        assert_eq!("7".parse(), Ok(PetId::new(7)));
        for text in [
            "",
            "0",
            "07",
            "+7",
            "-7",
            "7 ",
            "seven",
            "99999999999999999999",
        ] {
            assert_eq!(text.parse::<PetId>(), Err(PetIdError), "{text:?}");
        }
    }
}
