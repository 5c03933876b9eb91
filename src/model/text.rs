//! Rules for the characters of a text.
//!
//! Control characters break terminals, logs and the formats of other programs. Characters that
//! reorder the text around them, or that nobody can see, make one name look like another. Joiners
//! and marks that emoji, Persian or Hebrew need are allowed, and so are all visible characters.

/// Number of lines that a text may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// Without line feeds and tabs.
    OneLine,
    /// With line feeds and tabs.
    MultiLine,
}

/// A text has a character that it may not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HiddenCharacter {
    /// The character.
    pub character: char,
    /// Position of the character, in characters from 1.
    pub position: usize,
}

impl HiddenCharacter {
    /// Returns a sentence for the person who entered the text.
    pub fn message(&self) -> String {
        let (code, position) = (u32::from(self.character), self.position);
        format!("Remove the hidden character U+{code:04X} at position {position}.")
    }
}

/// Checks every character of `text`.
///
/// # Errors
/// Returns the first character that is not allowed.
pub fn check_text(text: &str, kind: TextKind) -> Result<(), HiddenCharacter> {
    let mut before = None;
    for (index, character) in text.chars().enumerate() {
        if !is_allowed(before, character, kind) {
            return Err(HiddenCharacter {
                character,
                position: index + 1,
            });
        }
        before = Some(character);
    }
    Ok(())
}

/// Checks a text of one line: its length in characters, and every character.
///
/// # Errors
/// Returns a sentence for the person who entered the text.
pub fn check_line(text: &str, limit: usize) -> Result<(), String> {
    let length = text.chars().count();
    if length > limit {
        return Err(format!(
            "Use at most {limit} characters; this has {length}."
        ));
    }
    check_text(text, TextKind::OneLine).map_err(|hidden| hidden.message())
}

/// Removes the characters that `check_text` refuses, and replaces line ends and tabs that are not
/// allowed by spaces: for texts that earlier versions accepted.
pub fn clean_text(text: &str, kind: TextKind) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut before = None;
    for character in text.chars() {
        if is_allowed(before, character, kind) {
            cleaned.push(character);
        } else if character.is_whitespace() {
            cleaned.push(' ');
        }
        before = cleaned.chars().next_back();
    }
    cleaned
}

/// Returns true for a character that nobody sees alone, so that a name of such characters is blank:
/// spaces, control characters, Unicode's default ignorable ones (joiners, fillers, selectors, tags),
/// and the blank of Braille.
pub fn is_invisible(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn is_allowed(before: Option<char>, character: char, kind: TextKind) -> bool {
    match character {
        '\n' | '\t' => kind == TextKind::MultiLine,
        // Line and paragraph separators, which some programs read as the end of a record.
        '\u{2028}' | '\u{2029}' => false,
        // Tag characters select a flag after a black flag, and are invisible anywhere else.
        '\u{e0020}'..='\u{e007f}' => {
            matches!(before, Some('\u{1f3f4}' | '\u{e0020}'..='\u{e007e}'))
        }
        _ => !character.is_control() && !is_hidden(character),
    }
}

/// Returns true for format characters (Unicode's Cf) that change what is read (embeddings, overrides
/// and isolates of direction), and for format characters and fillers that nobody sees. The joiners
/// (U+200C, U+200D), the marks of direction (U+061C, U+200E, U+200F) and the variation selectors
/// stay: languages and emoji need them.
fn is_hidden(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e001f}' | '\u{e0080}'..='\u{e00ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_hide_or_reorder_are_refused_with_their_place() {
        for hidden in [
            '\0',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\r',
            '\u{ad}',
            '\u{200b}',
            '\u{202e}',
            '\u{2028}',
            '\u{2066}',
            '\u{2060}',
            '\u{feff}',
            '\u{e0041}',
            '\u{fff9}',
            '\u{34f}',
            '\u{1160}',
            '\u{3164}',
            '\u{ffa0}',
        ] {
            for kind in [TextKind::OneLine, TextKind::MultiLine] {
                let text = format!("B\u{fc}{hidden}x");
                let error = check_text(&text, kind).unwrap_err();
                assert_eq!((error.character, error.position), (hidden, 3));
                let cleaned = clean_text(&text, kind);
                assert_eq!(check_text(&cleaned, kind), Ok(()), "{hidden:?}");
            }
        }
        let error = check_text("a\u{1b}", TextKind::OneLine).unwrap_err();
        let said = "Remove the hidden character U+001B at position 2.";
        assert_eq!(error.message(), said);
    }

    #[test]
    fn what_languages_and_emoji_need_is_allowed() {
        for text in [
            "M\u{f6}\u{df}li \u{732b} \u{645}\u{200c}\u{6cc}",
            "\u{1f469}\u{200d}\u{1f680} \u{2764}\u{fe0f}",
            "\u{5d0}\u{200f}1",
            "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
        ] {
            assert_eq!(check_text(text, TextKind::OneLine), Ok(()), "{text:?}");
            assert_eq!(clean_text(text, TextKind::OneLine), text);
        }
    }

    #[test]
    fn only_a_text_of_many_lines_has_line_feeds_and_tabs() {
        assert!(check_text("a\n\tb", TextKind::MultiLine).is_ok());
        assert!(check_text("a\nb", TextKind::OneLine).is_err());
        assert_eq!(clean_text("a\n\tb", TextKind::OneLine), "a  b");
    }
}
