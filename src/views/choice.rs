//! Values to choose from, as buttons or in a form.

use serde::Serialize;

/// One of several values to choose from.
#[derive(Serialize)]
pub struct Choice {
    value: &'static str,
    text: &'static str,
    #[serde(rename = "current")]
    is_current: bool,
    #[serde(rename = "selected")]
    is_selected: bool,
}

impl Choice {
    /// A choice with the text that people read.
    pub fn new(value: &'static str, text: &'static str, is_chosen: bool) -> Self {
        Choice {
            value,
            text,
            is_current: is_chosen,
            is_selected: is_chosen,
        }
    }
}
