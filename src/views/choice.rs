//! Values to choose from, as buttons or in a form.

use serde::Serialize;

use crate::model::{Activities, Status};

/// One of several values to choose from.
#[derive(Serialize)]
pub struct Choice {
    value: String,
    text: String,
    #[serde(rename = "selected")]
    is_selected: bool,
}

impl Choice {
    /// A choice with the text that people read.
    pub fn new(value: &str, text: &str, is_chosen: bool) -> Self {
        Choice {
            value: value.to_owned(),
            text: text.to_owned(),
            is_selected: is_chosen,
        }
    }

    /// Returns every status to choose from; the one with the word `selected` is selected.
    pub fn statuses(activities: &Activities, selected: &str) -> Vec<Choice> {
        let choice = |status: Status| {
            let word = status.as_str();
            Choice::new(word, &activities.text(status), word == selected)
        };
        activities.choices().into_iter().map(choice).collect()
    }
}
