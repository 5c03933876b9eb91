//! Reads the bytes of a file as text.
//!
//! Programs that run on Windows often write CSV in Windows-1252 (Western European), and Excel writes
//! "Unicode text" in UTF-16. A byte order mark says which encoding a file has. Without one, a file that is
//! no UTF-8 is read as Windows-1252.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// The bytes are not text in a known encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotText;

/// Returns the text of a file without its byte order mark, and the name of its encoding.
///
/// # Errors
/// `NotText` for a workbook, a picture, or a damaged file.
pub fn decode(file: &[u8]) -> Result<(String, &'static str), NotText> {
    let encoding = match Encoding::for_bom(file) {
        Some((marked, _)) => marked,
        None if std::str::from_utf8(file).is_ok() => UTF_8,
        None => WINDOWS_1252,
    };
    let (text, _, has_errors) = encoding.decode(file);
    // Files of other kinds contain bytes that are control characters in each of the encodings.
    let is_no_text = |letter: char| letter.is_control() && !"\t\n\r".contains(letter);
    if has_errors || text.contains(is_no_text) {
        return Err(NotText);
    }
    let name = if encoding == WINDOWS_1252 {
        "Windows-1252"
    } else {
        encoding.name()
    };
    Ok((text.into_owned(), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_of_a_file_is_found() {
        let utf_16 = |text: &str, order: fn(u16) -> [u8; 2]| {
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            units.flat_map(order).collect::<Vec<u8>>()
        };
        for (file, text, encoding) in [
            (&b""[..], "", "UTF-8"),
            (b"Zoe\r\n\tRex", "Zoe\r\n\tRex", "UTF-8"),
            ("Zoë’s".as_bytes(), "Zoë’s", "UTF-8"),
            (b"\xef\xbb\xbfZo\xc3\xab", "Zoë", "UTF-8"),
            (
                b"M\xfcller, Ren\xe9e, Zo\xeb\x92s \x80 5",
                "Müller, Renée, Zoë’s € 5",
                "Windows-1252",
            ),
            (&utf_16("Zoë 🐕", u16::to_le_bytes), "Zoë 🐕", "UTF-16LE"),
            (&utf_16("Zoë 🐕", u16::to_be_bytes), "Zoë 🐕", "UTF-16BE"),
        ] {
            assert_eq!(decode(file), Ok((text.to_owned(), encoding)));
        }
    }

    #[test]
    fn a_file_that_is_no_text_is_refused() {
        for file in [
            &b"PK\x03\x04\x14\x00\x08\x00"[..],
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff\xe0\x00\x10JFIF",
            b"%PDF-1.7\n\xe2\xe3\x00",
            b"name,species\0",
            // A byte that Windows-1252 leaves undefined.
            b"Zo\x81",
            // A byte order mark that is not true.
            b"\xef\xbb\xbfZo\xeb",
            b"\xff\xfeZ\x00o",
        ] {
            assert_eq!(decode(file), Err(NotText), "{file:?}");
        }
    }
}
