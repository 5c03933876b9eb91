//! The form for an activity of the rescue's own.

use super::super::choice::Choice;
use super::{FieldView, FormPage};
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
            name: "name",
            label: "Name",
            hint: "For example \u{201c}At the vet\u{201d}",
            kind: "line",
            input: "text",
            limit: Some(ActivityInput::NAME_LIMIT),
            value: input.name.clone(),
            ..FieldView::default()
        },
        FieldView {
            name: "icon",
            label: "Icon",
            kind: "icon",
            value: input.icon.clone(),
            choices: choices(icons(), &input.icon),
            ..FieldView::default()
        },
        FieldView {
            name: "colour",
            label: "Colour",
            hint: "It must be dark enough to read; pages use lighter and darker shades of it.",
            kind: "colour",
            value: input.colour.clone(),
            ..FieldView::default()
        },
        FieldView {
            name: "stand-in",
            label: "Shown by older programs as",
            hint: "For programs that know only these four",
            kind: "choice",
            value: input.stand_in.clone(),
            choices: choices(stand_ins(), &input.stand_in),
            ..FieldView::default()
        },
    ];
    if edited.is_some() {
        let hidden = if input.hidden { "yes" } else { "no" };
        fields.push(FieldView {
            name: "hidden",
            label: "Show on buttons",
            hint: "Pets that have a hidden activity keep it, and so does their history",
            kind: "choice",
            value: hidden.to_owned(),
            choices: choices([("no", "Yes"), ("yes", "No")], hidden),
            ..FieldView::default()
        });
    }
    let (heading, submit) = match edited {
        Some(_) => ("Edit activity", "Save"),
        None => ("Add an activity", "Add activity"),
    };
    FormPage {
        heading: heading.to_owned(),
        action: edited.map_or_else(|| list.to_owned(), |word| format!("{list}/{word}")),
        submit,
        cancel: list.to_owned(),
        draft: Some(format!("activity-{}", edited.unwrap_or("new"))),
        icon_sheet: Some(ActivitySheet::name_of_icons()),
        ..FormPage::with_fields(fields, errors)
    }
}

fn icons() -> impl Iterator<Item = (&'static str, &'static str)> {
    let icons = ActivityIcon::ALL.iter();
    icons.map(|icon| (icon.word, icon.text))
}

fn stand_ins() -> impl Iterator<Item = (&'static str, &'static str)> {
    let four = Status::FOUR.into_iter();
    four.filter_map(|status| Some((status.known_word(), status.built_in_text()?)))
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
