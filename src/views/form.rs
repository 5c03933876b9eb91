//! The context of the form for a pet, and what is wrong with what was entered in a form.

use serde::Serialize;
use serde_json::{Map, Value};

use super::choice::Choice;
use crate::model::{Draft, FieldError, LIMITS, Pet, Sex};

/// The form for a new pet, and for an edit.
#[derive(Serialize)]
pub struct FormPage {
    heading: String,
    action: String,
    submit: &'static str,
    cancel: String,
    fields: Value,
    sexes: Vec<Choice>,
    errors: Messages,
    limits: Value,
    /// Why the form is shown again: a title and a sentence.
    notice: Option<(&'static str, String)>,
    /// The notice is no error.
    is_hint: bool,
    /// The page at the public address, if the form would have been accepted there.
    right_address: Option<String>,
    /// Hidden fields of the form that was sent, which are sent again unchanged.
    carried: Vec<(String, String)>,
    /// The values that somebody else saved, by field, for fields that the form's author changed too.
    theirs: Map<String, Value>,
    /// Names the form in the drafts that a browser keeps.
    draft: String,
}

/// What is wrong, by field, in the order in which it was found.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub struct Messages(Map<String, Value>);

impl FormPage {
    /// The form for a new pet, with what was entered and what is wrong with it.
    pub fn create(draft: &Draft, errors: &[FieldError]) -> Self {
        FormPage {
            heading: "Add a pet".to_owned(),
            action: "/pets".to_owned(),
            submit: "Add pet",
            cancel: "/pets".to_owned(),
            draft: "new".to_owned(),
            ..FormPage::of(draft, errors)
        }
    }

    /// The form for `pet`, with what was entered and what is wrong with it.
    pub fn edit(pet: &Pet, draft: &Draft, errors: &[FieldError]) -> Self {
        let address = format!("/pets/{}", pet.id);
        FormPage {
            heading: format!("Edit {}", pet.profile.name),
            action: address.clone(),
            submit: "Save",
            cancel: address,
            draft: pet.id.to_string(),
            ..FormPage::of(draft, errors)
        }
    }

    /// The form under a message that says why it is shown again.
    pub fn with_notice(self, title: &'static str, detail: &str) -> Self {
        let notice = Some((title, detail.to_owned()));
        FormPage { notice, ..self }
    }

    /// The form whose notice reports no error.
    pub fn as_hint(self, is_hint: bool) -> Self {
        FormPage { is_hint, ..self }
    }

    pub fn with_right_address(self, right_address: Option<String>) -> Self {
        FormPage {
            right_address,
            ..self
        }
    }

    /// The form with both values of the fields that somebody else changed too.
    pub fn with_theirs<'a>(self, theirs: impl Iterator<Item = (&'static str, &'a str)>) -> Self {
        let theirs: Map<String, Value> = theirs
            .map(|(field, text)| (field.to_owned(), text.into()))
            .collect();
        let changed = theirs.keys().map(|field| {
            let message = "Someone else changed this too.".into();
            (field.clone(), message)
        });
        FormPage {
            errors: Messages(changed.collect()),
            theirs,
            ..self
        }
        .with_notice(
            "Someone else saved changes to this pet while you were editing.",
            "Nothing is saved yet. Check the fields below, choose which version to keep, and save again.",
        )
    }

    /// The form with hidden fields from an earlier one.
    pub fn carrying(self, carried: Vec<(String, String)>) -> Self {
        FormPage { carried, ..self }
    }

    fn of(draft: &Draft, errors: &[FieldError]) -> Self {
        let entered = |text: &Option<String>| text.clone().unwrap_or_default();
        let sex = draft.sex.as_deref().unwrap_or(Sex::default().as_str());
        FormPage {
            heading: String::new(),
            action: String::new(),
            submit: "",
            cancel: String::new(),
            fields: serde_json::json!({
                "name": entered(&draft.name),
                "species": entered(&draft.species),
                "breed": entered(&draft.breed),
                "sex": sex,
                "age": entered(&draft.age),
                "about": entered(&draft.about),
            }),
            sexes: Sex::ALL
                .into_iter()
                .map(|choice| Choice::new(choice.as_str(), choice.text(), choice.as_str() == sex))
                .collect(),
            errors: Messages::of(errors),
            limits: serde_json::json!({
                "name": LIMITS.name,
                "species": LIMITS.species,
                "breed": LIMITS.breed,
                "age": LIMITS.age,
                "about": LIMITS.about,
            }),
            theirs: Map::new(),
            notice: None,
            is_hint: false,
            right_address: None,
            carried: Vec::new(),
            draft: String::new(),
        }
    }
}

impl Messages {
    pub fn of<'a>(errors: impl IntoIterator<Item = &'a FieldError>) -> Self {
        let message = |error: &FieldError| (error.field.to_owned(), error.message.clone().into());
        Messages(errors.into_iter().map(message).collect())
    }
}
