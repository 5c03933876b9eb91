//! Values to choose from, as buttons or in a form.

use serde::Serialize;

/// One of several values to choose from.
#[derive(Serialize)]
pub struct Choice {
    value: String,
    text: String,
    #[serde(rename = "current")]
    is_current: bool,
    #[serde(rename = "selected")]
    is_selected: bool,
}

impl Choice {
    /// A choice with the text that people read.
    pub fn new(value: &str, text: &str, is_chosen: bool) -> Self {
        Choice {
            value: value.to_owned(),
            text: text.to_owned(),
            is_current: is_chosen,
            is_selected: is_chosen,
        }
    }
}
