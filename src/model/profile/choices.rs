//! Fields with a fixed list of words.

use serde::{Deserialize, Serialize};

/// Defines the type of a field that has one of several words: each with the text that people read.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident {
        $($(#[$attribute:meta])* $variant:ident = $word:literal, $text:literal;)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$attribute])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Each word used in messages, forms and the store, with the text shown to people.
            pub const CHOICES: &'static [(&'static str, &'static str)] = &[$(($word, $text)),*];

            /// Returns the word used in messages, forms and the store.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }

            /// Returns the text shown to people.
            pub const fn text(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)*
                }
            }

            /// Parses a word; any other text is the default.
            pub(in crate::model) fn parse_or_default(word: &str) -> Self {
                match word {
                    $($word => $name::$variant,)*
                    _ => $name::default(),
                }
            }
        }
    };
}

choice! {
    /// A pet's sex.
    Sex {
        /// Female.
        Female = "female", "Female";
        /// Male.
        Male = "male", "Male";
        /// Not determined.
        #[default]
        Unknown = "unknown", "Unknown";
    }
}

choice! {
    /// A pet's size when it is grown up.
    Size {
        /// Small for its species.
        Small = "small", "Small";
        /// Medium for its species.
        Medium = "medium", "Medium";
        /// Large for its species.
        Large = "large", "Large";
        /// Not known, or not worth a word: a hamster.
        #[default]
        #[serde(other)]
        Unknown = "unknown", "Unknown";
    }
}

choice! {
    /// Progress of a pet's adoption. Independent of its status.
    AdoptionState {
        /// Looks for a home.
        #[default]
        Available = "available", "Available";
        /// Reserved, or not ready yet.
        OnHold = "on-hold", "On hold";
        /// Has a home.
        Adopted = "adopted", "Adopted";
        /// Lives here for good, or is only boarding.
        NotForAdoption = "not-for-adoption", "Not for adoption";
        /// Only staff know that this pet is here. A state that only a later version knows hides the pet
        /// too.
        #[serde(other)]
        Private = "private", "Private";
    }
}
