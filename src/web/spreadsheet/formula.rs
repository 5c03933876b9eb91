//! Cells that a spreadsheet would take for formulas (CSV injection).
//!
//! A name such as `=HYPERLINK(…)` would run on the computer of the person who opens the file. An
//! apostrophe in front makes the cell a text. Cells that begin with apostrophes before such a character
//! get one more, so that reading removes exactly what writing added.

use std::borrow::Cow;

/// Characters that begin a formula in some spreadsheet, or are skipped in front of one.
const FORMULA_STARTS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

/// Returns the text of a cell for a file.
pub fn neutralise(text: &str) -> Cow<'_, str> {
    if is_formula(text) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

/// Returns the text of a cell from a file, without the apostrophe of `neutralise`.
pub fn restore(cell: &str) -> &str {
    let text = cell.strip_prefix('\'');
    text.filter(|text| is_formula(text)).unwrap_or(cell)
}

/// Returns true for a formula, perhaps after apostrophes.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(FORMULA_STARTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_becomes_a_text_and_is_restored() {
        for formula in [
            "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "''@",
        ] {
            let cell = neutralise(formula);
            assert_eq!(cell, format!("'{formula}"));
            assert_eq!(restore(&cell), formula);
        }
        for text in ["", "Biscuit", "'", "'s Gravenhage", "1-2", "a=b", " -"] {
            assert_eq!(neutralise(text), text);
            assert_eq!(restore(text), text);
        }
    }
}
