//! Serialises JSON for the wire, as one line of ASCII.
//!
//! Several common clients decode a stream piece by piece, or split it with Python's `splitlines`. Such
//! clients fail on a character of two bytes, or end a line at U+0085 or U+2028. Escaped, every
//! character reaches every client.

use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// Serialises `value` as ASCII without a control character, so that the text is also safe as a line
/// of SSE data.
pub fn to_ascii(value: &impl Serialize) -> String {
    let mut json = Vec::with_capacity(128);
    let mut serializer = Serializer::with_formatter(&mut json, AsciiFormatter);
    let written = value.serialize(&mut serializer);
    written.expect("a message is made of text and numbers only");
    String::from_utf8(json).expect("the formatter writes ASCII")
}

/// Escapes characters that are not ASCII as UTF-16 (RFC 8259, section 7).
struct AsciiFormatter;

impl Formatter for AsciiFormatter {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(start) = rest.find(|letter: char| !letter.is_ascii()) {
            let (plain, other) = rest.split_at(start);
            writer.write_all(plain.as_bytes())?;
            let end = other.find(|letter: char| letter.is_ascii());
            let (other, plain) = other.split_at(end.unwrap_or(other.len()));
            for unit in other.encode_utf16() {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = plain;
        }
        writer.write_all(rest.as_bytes())
    }
}
