//! Context of the page that imports pets.

use serde::Serialize;
use serde_json::Value;

/// The form for a spreadsheet, and the preview of one.
#[derive(Default, Serialize)]
pub struct ImportPage {
    /// Text of the spreadsheet.
    pub text: String,
    /// Name and encoding of the file, if one was sent.
    pub file: Option<(String, &'static str)>,
    /// True if the month is first in dates such as 12/31/2024.
    pub is_month_first: bool,
    /// The preview, after the form was sent.
    pub preview: Option<ImportPreview>,
}

/// Pets that an import adds, and the reasons why it does not.
#[derive(Serialize)]
pub struct ImportPreview {
    /// Pets without a problem.
    pub pets: Vec<ImportedPet>,
    /// Problems with their row, column and message. Row 0 is the spreadsheet as a whole.
    pub problems: Vec<Value>,
    /// Headers of columns that are not imported.
    pub ignored: String,
    /// Idempotency key of the confirmation.
    pub request_key: String,
}

/// A pet that an import adds.
#[derive(Serialize)]
pub struct ImportedPet {
    /// Row of the spreadsheet.
    pub row: usize,
    /// True if a namesake is on the board, or in an earlier row.
    pub is_namesake: bool,
    /// Text of each field, as people read it.
    pub texts: Vec<(&'static str, String)>,
}
