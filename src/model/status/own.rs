//! Activities that a rescue adds to the four.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::Status;

/// An activity that the rescue added: its word, and the one of the four words for clients that know no others.
/// The name, the icon and the colour are settings of the rescue.
#[derive(Clone, Copy)]
pub struct OwnActivity {
    /// The word, filled with zeros. Inline, so that a status stays as cheap to copy as the four.
    word: [u8; OwnActivity::WORD_LIMIT],
    length: u8,
    stand_in: &'static str,
}

impl OwnActivity {
    /// The most bytes of a word.
    pub const WORD_LIMIT: usize = 24;

    /// Words with another meaning, in addition to those of `Status::BUILT_IN`: pages of other sites show `gone`
    /// for a pet that is not on the board, and `new` is in the address of a form.
    const RESERVED: [&'static str; 2] = ["gone", "new"];

    /// Creates the activity with this word; `stand_in` is one of the four. Returns `None` if `word` or `stand_in`
    /// is not valid.
    pub fn new(word: &str, stand_in: &str) -> Option<Self> {
        let is_edge = |letter: &u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        let letters = word.as_bytes();
        let is_word = letters
            .iter()
            .all(|letter| is_edge(letter) || *letter == b'-')
            && letters.first().is_some_and(is_edge)
            && letters.last().is_some_and(is_edge)
            && letters.len() <= OwnActivity::WORD_LIMIT;
        let is_taken = Status::BUILT_IN
            .iter()
            .any(|status| status.as_str() == word)
            || OwnActivity::RESERVED.contains(&word);
        let four = Status::FOUR.into_iter().map(Status::known_word);
        let stand_in = four.into_iter().find(|known| *known == stand_in)?;
        if !is_word || is_taken {
            return None;
        }
        let mut inline = [0; OwnActivity::WORD_LIMIT];
        inline[..letters.len()].copy_from_slice(letters);
        Some(OwnActivity {
            word: inline,
            length: u8::try_from(letters.len()).ok()?,
            stand_in,
        })
    }

    /// Returns the word.
    pub fn as_str(&self) -> &str {
        let letters = &self.word[..usize::from(self.length)];
        str::from_utf8(letters).expect("a word is made of ASCII letters, digits and dashes")
    }

    /// Returns the one of the four words for clients that know no others.
    pub const fn stand_in(self) -> &'static str {
        self.stand_in
    }
}

/// Compares the words: what stands in for an activity may change.
impl PartialEq for OwnActivity {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl Eq for OwnActivity {}

impl Hash for OwnActivity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.word.hash(state);
    }
}

impl fmt::Debug for OwnActivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stand_in, self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_lower_case_letters_digits_and_dashes_and_no_other_meaning() {
        let longest = "a".repeat(OwnActivity::WORD_LIMIT);
        for word in ["at-the-vet", "a", "walk-2", &longest] {
            let activity = OwnActivity::new(word, "playing").unwrap();
            assert_eq!((activity.as_str(), activity.stand_in()), (word, "playing"));
        }
        let too_long = format!("{longest}a");
        for word in [
            "",
            "-",
            "-a",
            "a-",
            "At",
            "a b",
            "a/b",
            "v\u{e9}to",
            "eating",
            "not-set-yet",
            "gone",
            "new",
            &too_long,
        ] {
            assert_eq!(OwnActivity::new(word, "playing"), None, "{word}");
        }
        assert_eq!(OwnActivity::new("walk", "not-set-yet"), None);
    }
}
