//! The statuses of pets.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Activity of a pet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Eating.
    Eating,
    /// Bathing.
    Bathing,
    /// Sleeping.
    Sleeping,
    /// Playing.
    Playing,
}

impl Status {
    /// Every status, in the order of buttons and documents.
    pub const ALL: [Status; 4] = [
        Status::Eating,
        Status::Bathing,
        Status::Sleeping,
        Status::Playing,
    ];

    /// Returns the word used in messages, forms and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Eating => "eating",
            Status::Bathing => "bathing",
            Status::Sleeping => "sleeping",
            Status::Playing => "playing",
        }
    }

    /// Returns the word shown to people.
    pub const fn text(self) -> &'static str {
        match self {
            Status::Eating => "Eating",
            Status::Bathing => "Bathing",
            Status::Sleeping => "Sleeping",
            Status::Playing => "Playing",
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

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Status::ALL
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
}
