//! A pet's sex, as far as it is known.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A pet's sex.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Not determined.
    #[default]
    Unknown,
}

impl Sex {
    /// Each word used in messages, forms and the store, with the word shown to people.
    pub const CHOICES: [(&'static str, &'static str); 3] = [
        (Sex::Female.as_str(), "Female"),
        (Sex::Male.as_str(), "Male"),
        (Sex::Unknown.as_str(), "Unknown"),
    ];

    /// Returns the word used in messages, forms and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Sex::Female => "female",
            Sex::Male => "male",
            Sex::Unknown => "unknown",
        }
    }
}

/// The text names no sex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sex must be one of female, male, unknown")]
pub struct UnknownSex;

impl fmt::Display for Sex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Sex {
    type Err = UnknownSex;

    fn from_str(text: &str) -> Result<Self, UnknownSex> {
        let mut all = [Sex::Female, Sex::Male, Sex::Unknown].into_iter();
        all.find(|sex| sex.as_str() == text).ok_or(UnknownSex)
    }
}
