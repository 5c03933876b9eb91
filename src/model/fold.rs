//! Texts as people compare them, whatever their case and accents.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Returns a text in lower case and without accents: `M\u{f6}\u{df}li` is `mossli`.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let base = text.nfkd().filter(|letter| !is_combining_mark(*letter));
    let mut folded = String::with_capacity(text.len());
    for letter in base.flat_map(char::to_lowercase) {
        // Letters with a stroke or joined ones, which have no other form in Unicode.
        match letter {
            '\u{df}' => folded.push_str("ss"),
            '\u{e6}' => folded.push_str("ae"),
            '\u{153}' => folded.push_str("oe"),
            '\u{f8}' => folded.push('o'),
            '\u{142}' => folded.push('l'),
            '\u{111}' => folded.push('d'),
            '\u{131}' => folded.push('i'),
            '\u{3c2}' => folded.push('\u{3c3}'),
            // The dot that is left of a Turkish capital in lower case.
            letter if is_combining_mark(letter) => {}
            letter => folded.push(letter),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_make_no_difference() {
        for (one, other) in [
            ("Biscuit", "BISCUIT"),
            ("M\u{f6}\u{df}li", "mossli"),
            ("Zo\u{eb}", "zoe\u{308}"),
            ("\u{130}zmir", "izmir"),
            ("\u{141}ata", "lata"),
            ("S\u{f8}ren", "SOREN"),
            (
                "\u{3a3}\u{3bf}\u{3c6}\u{3cc}\u{3c2}",
                "\u{3c3}\u{3bf}\u{3c6}\u{3bf}\u{3c3}",
            ),
            ("\u{fb01}nn", "FINN"),
            ("\u{ff2d}iso", "miso"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        assert_ne!(fold("Miso"), fold("Misa"));
    }
}
