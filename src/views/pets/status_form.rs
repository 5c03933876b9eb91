//! The form on the page of a pet that sets a status with a note, or one that began earlier.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{FieldError, Pet, Status, StatusNote};
use crate::views::choice::Choice;
use crate::views::form::FieldMessages;
use crate::views::time_text::Now;

/// Starts to choose from: minutes before now, and the text.
const STARTS: [(&str, &str); 7] = [
    ("", "Now"),
    ("5", "5 minutes ago"),
    ("10", "10 minutes ago"),
    ("20", "20 minutes ago"),
    ("30", "30 minutes ago"),
    ("60", "1 hour ago"),
    ("120", "2 hours ago"),
];

/// Labels of the fields by name, for the summary of errors.
const LABELS: [(&str, &str); 3] = [
    ("note", "Note"),
    ("minutes_ago", "Started"),
    ("began", "Or started at"),
];

/// The form, with the present status of a pet or with what was entered.
#[derive(Serialize)]
pub struct StatusForm {
    statuses: Vec<Choice>,
    note: String,
    /// The note that the form was rendered with: one that was not edited leaves the note of another author as it is.
    note_before: String,
    note_limit: usize,
    starts: Vec<Choice>,
    /// Time of day; `None` if the rescue has no time zone, since each reader then sees times in their own.
    began: Option<String>,
    errors: FieldMessages,
    labels: BTreeMap<&'static str, &'static str>,
    /// True if the form is shown again, with its errors.
    is_refused: bool,
}

impl StatusForm {
    /// The form with the present status of `pet`.
    pub fn new(pet: &Pet, now: &Now) -> Self {
        let note = pet.note.as_str();
        StatusForm {
            statuses: choices(pet, now, pet.status.as_str()),
            note: note.to_owned(),
            note_before: note.to_owned(),
            note_limit: StatusNote::LIMIT,
            starts: starts(""),
            began: now.local.zone_name().map(|_| String::new()),
            errors: FieldMessages::default(),
            labels: LABELS.into(),
            is_refused: false,
        }
    }

    /// Shows the form of `pet` again, with the value that `entered` returns for each field, and an error.
    pub fn refused<'a>(
        self,
        pet: &Pet,
        entered: impl Fn(&str) -> &'a str,
        error: &FieldError,
        now: &Now,
    ) -> Self {
        StatusForm {
            statuses: choices(pet, now, entered("status")),
            note: entered("note").to_owned(),
            note_before: entered("note_before").to_owned(),
            starts: starts(entered("minutes_ago")),
            began: self.began.map(|_| entered("began").to_owned()),
            errors: FieldMessages::new([error]),
            is_refused: true,
            ..self
        }
    }
}

/// Returns the choices for `pet`: it can keep an activity that was hidden since.
fn choices(pet: &Pet, now: &Now, chosen: &str) -> Vec<Choice> {
    let choice = |status: &Status| {
        let word = status.as_str();
        Choice::new(word, &now.activities.text(*status), word == chosen)
    };
    let choices = now.activities.choices_beside(pet.status);
    choices.iter().map(choice).collect()
}

fn starts(chosen: &str) -> Vec<Choice> {
    STARTS
        .map(|(minutes, text)| Choice::new(minutes, text, minutes == chosen))
        .into()
}
