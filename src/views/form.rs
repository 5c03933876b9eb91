//! Contexts of the forms for a pet, the settings, an activity and a webhook, and messages at the fields of a form.

mod activity;
mod activity_list;
mod webhook;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

pub use self::activity::activity_form;
pub use self::activity_list::ActivitiesPage;
pub use self::webhook::{WebhookPage, WebhooksPage, webhook_form};
use super::choice::Choice;
use crate::model::{
    Accent, Audience, FieldError, FieldKind, Pet, Profile, ProfileField, ProfileInput, Rescue,
    RescueField, SettingKind, time_zones,
};

/// The form for a pet, the settings, an activity or a webhook.
#[derive(Default, Serialize)]
pub struct FormPage {
    heading: String,
    /// Explanation below the heading; may be empty.
    lead: &'static str,
    action: String,
    submit: &'static str,
    cancel: String,
    fields: Vec<FieldView>,
    /// Labels of the fields by name, for the summary of errors.
    labels: BTreeMap<&'static str, &'static str>,
    errors: FieldMessages,
    /// Reason to show the form again: a title and a sentence.
    notice: Option<(&'static str, String)>,
    /// Id of the pet that the notice is about.
    namesake: Option<u64>,
    /// True if the notice does not report an error.
    pub is_hint: bool,
    /// The page at the public URL, if the form would have been accepted there.
    pub public_url: Option<String>,
    /// True if the page's script may choose the browser's time zone.
    guesses_time_zone: bool,
    /// Hidden fields: name and value.
    pub hidden: Vec<(String, String)>,
    /// Values that somebody else saved, for fields that the form's author changed too.
    theirs: Map<String, Value>,
    /// Name of the form among the drafts that a browser keeps. `None` for a form that it must not keep.
    draft: Option<String>,
    /// True if a field can have a secret.
    pub(super) has_secret: bool,
    /// Name of the style sheet with the icons of activities, if the form has them.
    icon_sheet: Option<String>,
}

/// A field of the form, with what was entered.
#[derive(Default, Serialize)]
struct FieldView {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    kind: &'static str,
    /// Kind of the input of one line: `text`, `email`, `tel` or `link`.
    input: &'static str,
    limit: Option<usize>,
    optional: bool,
    is_for_staff: bool,
    /// True for an estimated date; its value is the date alone.
    is_about: bool,
    value: String,
    choices: Vec<Choice>,
}

/// Messages by field, in the order in which the errors were found.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub struct FieldMessages(Map<String, Value>);

impl FormPage {
    /// The form for a new pet, with what was entered and its errors.
    pub fn create(input: &ProfileInput, errors: &[FieldError]) -> Self {
        FormPage {
            heading: "Add a pet".to_owned(),
            action: "/pets".to_owned(),
            submit: "Add pet",
            cancel: "/pets".to_owned(),
            draft: Some("new".to_owned()),
            ..FormPage::new(input, errors)
        }
    }

    /// The form for `pet`, with what was entered and its errors.
    pub fn edit(pet: &Pet, input: &ProfileInput, errors: &[FieldError]) -> Self {
        let address = format!("/pets/{}", pet.id);
        FormPage {
            heading: format!("Edit {}", pet.profile.name),
            action: address.clone(),
            submit: "Save",
            cancel: address,
            draft: Some(pet.id.to_string()),
            ..FormPage::new(input, errors)
        }
    }

    /// The form for the settings, with what `entered` returns for each field, and the errors of its
    /// fields. `saved` are the settings that are in use.
    pub fn settings<'a>(
        saved: &Rescue,
        entered: impl Fn(&'static RescueField) -> &'a str,
        errors: &[FieldError],
    ) -> Self {
        let fields = Rescue::FIELDS.iter();
        FormPage {
            heading: "Settings".to_owned(),
            lead: if saved.name.is_empty() {
                "Your board is running. Give it the name of your rescue; you can change everything later."
            } else {
                "How visitors see your rescue."
            },
            action: "/settings".to_owned(),
            submit: "Save",
            cancel: "/pets".to_owned(),
            draft: Some("settings".to_owned()),
            guesses_time_zone: saved.name.is_empty(),
            ..FormPage::with_fields(
                fields.map(|field| FieldView::setting(field, entered(field))),
                errors,
            )
        }
    }

    /// Shows why the form is shown again.
    pub fn with_notice(self, title: &'static str, detail: &str) -> Self {
        let notice = Some((title, detail.to_owned()));
        FormPage { notice, ..self }
    }

    /// Warns that people would take the pet that was entered for `other`. `confirmation` is the hidden field
    /// by which the next submit confirms that this is another animal.
    pub fn with_namesake(mut self, other: &Pet, confirmation: (String, String)) -> Self {
        self.hidden.push(confirmation);
        self.namesake = Some(other.id.get());
        self.submit = if self.action == "/pets" {
            "Add anyway"
        } else {
            "Save anyway"
        };
        let other = other.profile.identity();
        self.with_notice(
            "There is already a pet with this name",
            &format!(
                "{other} is already on the board. If this is another animal, continue below; nothing \
                 is saved yet."
            ),
        )
    }

    /// Shows both values of the fields that somebody else changed too, under the title of `notice`.
    pub fn with_theirs<'a>(
        self,
        notice: &'static str,
        theirs: impl Iterator<Item = (&'static str, Cow<'a, str>)>,
    ) -> Self {
        let theirs: Map<String, Value> = theirs
            .map(|(field, text)| (field.to_owned(), text.into()))
            .collect();
        let changed = theirs.keys().map(|field| {
            let message = "Someone else changed this too.".into();
            (field.clone(), message)
        });
        FormPage {
            errors: FieldMessages(changed.collect()),
            theirs,
            ..self
        }
        .with_notice(
            notice,
            "Nothing is saved yet. Check the fields below, choose which version to keep, and save again.",
        )
    }

    fn new(input: &ProfileInput, errors: &[FieldError]) -> Self {
        FormPage::with_fields(input.texts().map(FieldView::new), errors)
    }

    /// A form with these fields, and the errors of what was entered.
    fn with_fields(fields: impl IntoIterator<Item = FieldView>, errors: &[FieldError]) -> Self {
        let fields: Vec<FieldView> = fields.into_iter().collect();
        let labels = fields.iter().map(|field| (field.name, field.label));
        FormPage {
            labels: labels.collect(),
            fields,
            errors: FieldMessages::new(errors),
            ..FormPage::default()
        }
    }
}

impl FieldView {
    fn new((field, entered): (&'static ProfileField, Option<&str>)) -> Self {
        let empty = Profile::default();
        let value = entered.unwrap_or_else(|| field.text(&empty));
        let is_chosen = |choice| value.split(',').any(|word| word.trim() == choice);
        let choices = field.kind.choices().iter();
        let about = value
            .strip_prefix("about ")
            .filter(|_| field.kind == FieldKind::RoughDate);
        FieldView {
            name: field.name,
            label: field.label,
            hint: field.hint,
            kind: field.kind.as_str(),
            input: if field.kind == FieldKind::Date {
                "date"
            } else {
                "text"
            },
            limit: field.limit(),
            optional: !field.is_required,
            is_for_staff: field.audience == Audience::Staff,
            is_about: about.is_some(),
            value: about.unwrap_or(value).to_owned(),
            choices: choices
                .map(|(choice, text)| Choice::new(choice, text, is_chosen(*choice)))
                .collect(),
        }
    }

    fn setting(field: &'static RescueField, text: &str) -> Self {
        let (kind, input) = match field.kind {
            SettingKind::Name(_) | SettingKind::Line(_) => ("line", "text"),
            SettingKind::Mail => ("line", "email"),
            SettingKind::Phone => ("line", "tel"),
            SettingKind::Link | SettingKind::Sites => ("line", "link"),
            SettingKind::Colour => ("colour", ""),
            SettingKind::TimeZone => ("select", ""),
            SettingKind::Choice(_) => ("choice", ""),
        };
        let value = match field.kind {
            SettingKind::Colour if text.is_empty() => Accent::DEFAULT,
            SettingKind::Choice([(first, _), ..]) if text.is_empty() => first,
            _ => text,
        };
        let choice = |value, label| Choice::new(value, label, value == text);
        FieldView {
            name: field.name,
            label: field.label,
            hint: field.hint,
            kind,
            input,
            limit: Some(field.kind.limit()),
            optional: matches!(kind, "line") && !matches!(field.kind, SettingKind::Name(_)),
            value: value.to_owned(),
            choices: match field.kind {
                SettingKind::Choice(choices) => choices
                    .iter()
                    .map(|(choice, label)| Choice::new(choice, label, *choice == value))
                    .collect(),
                SettingKind::TimeZone => {
                    let zones = time_zones().iter();
                    let zones = zones.map(|zone| choice(zone.as_str(), zone.as_str()));
                    [choice("", "Each reader's own")]
                        .into_iter()
                        .chain(zones)
                        .collect()
                }
                _ => Vec::new(),
            },
            ..FieldView::default()
        }
    }
}

impl FieldMessages {
    /// Collects the messages of errors.
    pub fn new<'a>(errors: impl IntoIterator<Item = &'a FieldError>) -> Self {
        let message = |error: &FieldError| (error.field.to_owned(), error.message.clone().into());
        FieldMessages(errors.into_iter().map(message).collect())
    }
}
