//! Regular expressions for the texts of a pet, in the dialect of JSON Schema (ECMA 262).

/// Ranges of characters below U+10000: programs that read a pattern as UTF-16 misread the others.
type Ranges = &'static [(u16, u16)];

/// Control characters, which a text of one line may not contain.
const CONTROLS: Ranges = &[(0x0, 0x1f)];

/// Control characters that a text of several lines may not contain. A carriage return becomes a line
/// feed.
const CONTROLS_IN_LINES: Ranges = &[(0x0, 0x8), (0xb, 0xc), (0xe, 0x1f)];

/// Characters that no text may contain: further control characters, line separators, and format
/// characters that hide or reorder text.
const HIDDEN: Ranges = &[
    (0x7f, 0x9f),
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180e, 0x180e),
    (0x200b, 0x200b),
    (0x2028, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
];

/// Characters that are trimmed at either end of a text of one line.
const BLANKS: Ranges = &[
    (0x9, 0xd),
    (0x20, 0x20),
    (0x85, 0x85),
    (0xa0, 0xa0),
    (0x1680, 0x1680),
    (0x2000, 0x200a),
    (0x2028, 0x2029),
    (0x202f, 0x202f),
    (0x205f, 0x205f),
    (0x3000, 0x3000),
];

/// Characters that leave a text blank, besides those that are hidden.
const UNSEEN: Ranges = &[
    (0x20, 0x20),
    (0xa0, 0xa0),
    (0x61c, 0x61c),
    (0x1680, 0x1680),
    (0x180b, 0x180f),
    (0x2000, 0x200f),
    (0x202f, 0x202f),
    (0x205f, 0x205f),
    (0x2800, 0x2800),
    (0x3000, 0x3000),
    (0xfe00, 0xfe0f),
];

/// Returns the pattern of a text of one line. Blanks at either end are left out and do not count, so the
/// pattern has the limit.
pub fn one_line(limit: usize) -> String {
    let (letter, blanks) = (class_without(&[CONTROLS, HIDDEN]), class_of(BLANKS));
    format!("^{blanks}*{letter}{{0,{limit}}}{blanks}*$")
}

/// Parts of a date. Some months have fewer days.
const MONTH: &str = "(0[1-9]|1[0-2])";
const DAY: &str = "(0[1-9]|[12][0-9]|3[01])";
const YEAR: &str = "(1[89]|2[01])[0-9]{2}";

/// Returns the pattern of a date, or nothing.
pub fn date() -> String {
    format!("^({YEAR}-{MONTH}-{DAY})?$")
}

/// Returns the pattern of a date, month or year, perhaps after "about", or nothing.
pub fn rough_date() -> String {
    format!("^((about )?{YEAR}(-{MONTH}(-{DAY})?)?)?$")
}

/// Returns the pattern of a text of several lines.
pub fn several_lines(limit: usize) -> String {
    let letter = class_without(&[CONTROLS_IN_LINES, HIDDEN]);
    format!("^ *{letter}{{0,{limit}}} *$")
}

/// Returns the pattern of a text in which at least one character is visible.
pub fn not_blank() -> String {
    class_without(&[CONTROLS, HIDDEN, UNSEEN])
}

/// Returns the class of a regular expression that matches the characters in `ranges`.
fn class_of(ranges: Ranges) -> String {
    format!("[{}]", ranges_text(ranges))
}

/// Returns the class that matches all characters but those in `excluded`.
fn class_without(excluded: &[Ranges]) -> String {
    let excluded: String = excluded.iter().map(|ranges| ranges_text(ranges)).collect();
    format!("[^{excluded}]")
}

fn ranges_text(ranges: Ranges) -> String {
    let ranges = ranges.iter();
    let texts = ranges.map(|(first, last)| format!("\\u{first:04x}-\\u{last:04x}"));
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ProfileInput;

    fn has(ranges: Ranges, letter: u16) -> bool {
        let mut ranges = ranges.iter();
        ranges.any(|(first, last)| (*first..=*last).contains(&letter))
    }

    fn is_valid(name: &str, text: &str) -> bool {
        let input = ProfileInput::collect(|field| (field.name == name).then(|| text.to_owned()));
        input.into_patch().is_ok()
    }

    /// The document promises what the model accepts, letter by letter.
    #[test]
    fn the_patterns_are_the_rules_of_the_model() {
        for code in 0..=u16::MAX {
            let Some(letter) = char::from_u32(u32::from(code)) else {
                continue;
            };
            let accepted = [
                is_valid("name", &format!("a{letter}a")),
                is_valid("name", &letter.to_string()),
                is_valid("about", &format!("a{letter}a")),
                letter.is_whitespace(),
            ];
            let is_in_line = !has(CONTROLS, code) && !has(HIDDEN, code);
            let described = [
                is_in_line,
                is_in_line && !has(UNSEEN, code),
                !has(CONTROLS_IN_LINES, code) && !has(HIDDEN, code),
                has(BLANKS, code),
            ];
            assert_eq!(accepted, described, "U+{code:04X}");
        }
    }
}
