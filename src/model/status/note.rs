//! Notes on statuses.

use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{FieldError, TextKind, check_line, clean_text, is_invisible};

/// Note on the status of a pet: one line that visitors read beside the status, such as "at the vet until 3".
/// An empty text means no note.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatusNote(Option<Arc<str>>);

/// The text is too long for a note, or has a character that a note may not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StatusNoteError(String);

impl StatusNote {
    /// The most characters of a note.
    pub const LIMIT: usize = 80;

    /// Returns the text; empty for no note.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// Returns the text, unless it is empty.
    pub fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Returns true for no note.
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns a note of an export without the characters that are not allowed.
    ///
    /// # Errors
    /// `StatusNoteError` if it is too long.
    pub fn cleaned(&self) -> Result<Self, StatusNoteError> {
        clean_text(self.as_str(), TextKind::OneLine).parse()
    }
}

impl From<StatusNoteError> for FieldError {
    fn from(error: StatusNoteError) -> Self {
        FieldError::new("note", error.0)
    }
}

impl FromStr for StatusNote {
    type Err = StatusNoteError;

    /// Parses what somebody entered. Blank text means no note.
    fn from_str(entered: &str) -> Result<Self, StatusNoteError> {
        let text = entered.trim();
        check_line(text, StatusNote::LIMIT).map_err(StatusNoteError)?;
        let is_blank = text.chars().all(is_invisible);
        Ok(StatusNote((!is_blank).then(|| text.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_one_line_of_at_most_80_characters_without_hidden_ones() {
        let longest = "\u{1f408}".repeat(StatusNote::LIMIT);
        for text in [
            "at the vet until 3",
            "<b>&amp;\"",
            "\u{645}\u{200c}\u{6cc}",
            &longest,
        ] {
            let note: StatusNote = format!(" {text} ").parse().unwrap();
            assert_eq!(note.as_str(), text);
            assert_eq!(note.text(), Some(text));
            assert_eq!(note.cleaned(), Ok(note));
        }
        for blank in ["", "  ", "\t\n", "\u{200d}"] {
            assert_eq!(blank.parse(), Ok(StatusNote::default()), "{blank:?}");
        }
        let long = format!("{longest}x").parse::<StatusNote>().unwrap_err();
        assert_eq!(long.to_string(), "Use at most 80 characters; this has 81.");
        for hidden in [
            "a\nb",
            "a\tb",
            "a\rb",
            "a\0b",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{202e}b",
        ] {
            assert!(hidden.parse::<StatusNote>().is_err(), "{hidden:?}");
            let stored = StatusNote(Some(hidden.into()));
            assert!(
                stored
                    .cleaned()
                    .unwrap()
                    .as_str()
                    .parse::<StatusNote>()
                    .is_ok()
            );
        }
    }
}
