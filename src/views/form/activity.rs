//! The form for an activity of the rescue's own.

use super::super::choice::Choice;
use super::{FieldMessages, FieldView, FormPage};
use crate::model::{ActivityIcon, ActivityInput, ActivitySheet, FieldError, Status};

/// Returns the form that adds an activity, or edits the one with the word `edited`, with what was entered and its
/// errors.
pub fn activity_form(
    edited: Option<&str>,
    input: &ActivityInput,
    errors: &[FieldError],
) -> FormPage {
    let list = "/settings/activities";
    let mut fields = vec![
        FieldView {
            limit: Some(ActivityInput::NAME_LIMIT),
            ..FieldView::of(
                "name",
                "Name",
                "For example \u{201c}At the vet\u{201d}",
                "line",
                &input.name,
            )
        },
        FieldView {
            choices: choices(icons(), &input.icon),
            ..FieldView::of("icon", "Icon", "", "icon", &input.icon)
        },
        FieldView::of(
            "colour",
            "Colour",
            "It must be dark enough to read; pages use lighter and darker shades of it.",
            "colour",
            &input.colour,
        ),
        FieldView {
            choices: choices(stand_ins(), &input.stand_in),
            ..FieldView::of(
                "stand-in",
                "Stand-in",
                "What programs show that know only these four",
                "choice",
                &input.stand_in,
            )
        },
    ];
    if edited.is_some() {
        let hidden = if input.hidden { "yes" } else { "no" };
        fields.push(FieldView {
            choices: choices([("no", "Yes"), ("yes", "No, hide it")], hidden),
            ..FieldView::of(
                "hidden",
                "Can be set",
                "Pets that have a hidden activity, and their history, still show it",
                "choice",
                hidden,
            )
        });
    }
    FormPage {
        heading: if edited.is_some() {
            "Edit activity"
        } else {
            "Add an activity"
        }
        .to_owned(),
        action: edited.map_or_else(|| list.to_owned(), |word| format!("{list}/{word}")),
        submit: if edited.is_some() {
            "Save"
        } else {
            "Add activity"
        },
        cancel: list.to_owned(),
        draft: format!("activity-{}", edited.unwrap_or("new")),
        labels: fields
            .iter()
            .map(|field| (field.name, field.label))
            .collect(),
        fields,
        errors: FieldMessages::new(errors),
        icon_sheet: Some(ActivitySheet::name_of_icons()),
        ..FormPage::default()
    }
}

impl FieldView {
    fn of(
        name: &'static str,
        label: &'static str,
        hint: &'static str,
        kind: &'static str,
        value: &str,
    ) -> Self {
        FieldView {
            name,
            label,
            hint,
            kind,
            input: "text",
            limit: None,
            optional: false,
            is_for_staff: false,
            is_about: false,
            value: value.to_owned(),
            choices: Vec::new(),
        }
    }
}

fn icons() -> impl Iterator<Item = (&'static str, &'static str)> {
    let icons = ActivityIcon::ALL.iter();
    icons.map(|icon| (icon.word, icon.text))
}

fn stand_ins() -> impl Iterator<Item = (&'static str, &'static str)> {
    let texts = ["Eating", "Bathing", "Sleeping", "Playing"];
    Status::FOUR.into_iter().map(Status::known_word).zip(texts)
}

fn choices(
    choices: impl IntoIterator<Item = (&'static str, &'static str)>,
    chosen: &str,
) -> Vec<Choice> {
    let choices = choices.into_iter();
    choices
        .map(|(value, text)| Choice::new(value, text, value == chosen))
        .collect()
}
