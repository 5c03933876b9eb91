//! Visibility of a change: whether visitors learn of it.

use serde::{Deserialize, Serialize};

use super::Pet;

/// Visibility of a change. The writer decides it, and the record keeps it: visitors learn of a change
/// as they would have learned of it when it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Visitors get its message.
    #[default]
    Public,
    /// Visitors are told that the pet is gone: it has become private.
    Withdrawn,
    /// Visitors get nothing: the pet was private or in the trash before, and still is, or is deleted now.
    /// Also stands for a visibility that only a later version knows.
    #[serde(other)]
    Hidden,
}

impl Visibility {
    /// Returns the visibility of a change that turns `before` into `after`; `None` is a pet that does
    /// not exist.
    pub fn between(before: Option<&Pet>, after: Option<&Pet>) -> Self {
        let was_public = before.is_some_and(Pet::is_public);
        match after {
            Some(pet) if pet.is_public() => Visibility::Public,
            // The message of a removal says no more than that the pet is gone.
            Some(pet) if was_public && pet.is_in_trash() => Visibility::Public,
            Some(_) if was_public => Visibility::Withdrawn,
            None if before.is_none_or(Pet::is_public) => Visibility::Public,
            _ => Visibility::Hidden,
        }
    }

    /// Returns true if visitors get the message of the change itself.
    pub const fn is_public(&self) -> bool {
        matches!(self, Visibility::Public)
    }

    /// Returns true if visitors are told that the pet is gone, because it has become private.
    pub const fn is_withdrawn(self) -> bool {
        matches!(self, Visibility::Withdrawn)
    }

    /// Returns true if visitors get a message about the change.
    pub const fn is_announced(self) -> bool {
        !matches!(self, Visibility::Hidden)
    }

    /// Returns the word used in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Visibility::Public => "public",
            Visibility::Withdrawn => "withdrawn",
            Visibility::Hidden => "hidden",
        }
    }

    /// Parses a word of the store. An unknown one hides the change.
    pub fn parse(word: &str) -> Self {
        match word {
            "public" => Visibility::Public,
            "withdrawn" => Visibility::Withdrawn,
            _ => Visibility::Hidden,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::pet;
    use crate::model::{AdoptionState, Removal, Timestamp};

    #[test]
    fn visitors_learn_that_a_pet_appears_or_goes_and_nothing_while_it_is_private() {
        let public = pet(7);
        let mut private = pet(7);
        private.profile.state = AdoptionState::Private;
        let removed = Some(Removal {
            at: Timestamp::from_micros(0),
            by: None,
        });
        let trashed = Pet {
            removed: removed.clone(),
            ..public.clone()
        };
        let trashed_private = Pet {
            removed,
            ..private.clone()
        };
        let (trashed, trashed_private) = (Some(&trashed), Some(&trashed_private));
        let (public, private) = (Some(&public), Some(&private));
        for (before, after, expected) in [
            (None, public, Visibility::Public),
            (public, public, Visibility::Public),
            (public, None, Visibility::Public),
            (public, private, Visibility::Withdrawn),
            (private, public, Visibility::Public),
            (private, private, Visibility::Hidden),
            (private, None, Visibility::Hidden),
            (None, private, Visibility::Hidden),
            (public, trashed, Visibility::Public),
            (private, trashed_private, Visibility::Hidden),
            (trashed, public, Visibility::Public),
            (trashed_private, private, Visibility::Hidden),
            (trashed, None, Visibility::Hidden),
            (trashed_private, None, Visibility::Hidden),
        ] {
            assert_eq!(Visibility::between(before, after), expected);
        }
        for visibility in [
            Visibility::Public,
            Visibility::Withdrawn,
            Visibility::Hidden,
        ] {
            let word = serde_json::to_value(visibility).unwrap();
            assert_eq!(word, visibility.as_str());
            assert_eq!(Visibility::parse(visibility.as_str()), visibility);
        }
        let later: Visibility = serde_json::from_str("\"friends\"").unwrap();
        assert_eq!(later, Visibility::Hidden);
    }
}
