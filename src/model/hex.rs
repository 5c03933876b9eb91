//! Bytes as text: two lower-case hex digits for each.

pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads what `to_hex` wrote of `N` bytes, and nothing else, so that each has one spelling.
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(digits[0])? << 4 | digit(digits[1])?;
    }
    Some(bytes)
}

fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_back_as_they_were_written() {
        assert_eq!(to_hex(&[0x00, 0x9f, 0xa0, 0xff]), "009fa0ff");
        for byte in 0..=255 {
            assert_eq!(from_hex(&to_hex(&[byte, !byte])), Some([byte, !byte]));
        }
    }

    #[test]
    fn any_other_spelling_is_none() {
        for text in [
            "",
            "0",
            "009f",
            "009fa0f",
            "009fa0ff0",
            "009FA0FF",
            "+09fa0ff",
            "é9fa0f",
        ] {
            assert_eq!(from_hex::<4>(text), None, "{text:?}");
        }
    }
}
