//! Validation of what people enter about a pet.
//!
//! The rules hold for pages, the API, and imports. Texts that earlier versions accepted stay readable
//! in a store; an import removes the characters that are no longer allowed.

#[cfg(test)]
mod tests;

use super::date::{ABOUT, is_date, is_rough_date};
use super::{FieldKind, Profile, ProfileField, ProfilePatch, Tags};
use crate::model::{TextKind, check_text, clean_text, is_invisible};

/// The fields of a profile as somebody entered them, before validation; an absent one was not entered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileInput([Option<String>; Profile::FIELDS.len()]);

/// One field that broke its rule, in words for the person who filled it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Name of the field.
    pub field: &'static str,
    /// Sentence that says what to do.
    pub message: String,
}

impl FieldError {
    /// Creates the error of a field.
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        FieldError { field, message }
    }
}

/// At least one field broke its rule; every one that did is named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("some fields are missing, too long, or not what they should be")]
pub struct InvalidProfile(pub Vec<FieldError>);

impl ProfileInput {
    /// Collects what `text_of` returns for each field. Line ends of a text of several lines become line
    /// feeds: browsers send CR LF.
    pub fn collect(mut text_of: impl FnMut(&'static ProfileField) -> Option<String>) -> Self {
        let input = Profile::FIELDS.each_ref().map(|field| {
            let text = text_of(field)?;
            Some(match field.kind {
                FieldKind::Lines(_) => text.replace("\r\n", "\n").replace('\r', "\n"),
                _ => text,
            })
        });
        ProfileInput(input)
    }

    /// Returns the fields of `profile`, as the form for an edit shows them.
    pub fn from_profile(profile: &Profile) -> Self {
        ProfileInput::collect(|field| Some(field.text(profile).to_owned()))
    }

    /// Returns the input without the characters that are no longer allowed: for a profile that an
    /// earlier version accepted.
    pub fn cleaned(self) -> Self {
        let mut fields = Profile::FIELDS.iter();
        ProfileInput(self.0.map(|text| {
            let kind = fields.next()?.text_kind();
            text.map(|text| clean_text(&text, kind))
        }))
    }

    /// Returns every field with its text, in the order of `Profile::FIELDS`.
    pub fn texts(&self) -> impl Iterator<Item = (&'static ProfileField, Option<&str>)> {
        let texts = self.0.iter().map(Option::as_deref);
        Profile::FIELDS.iter().zip(texts)
    }

    /// Returns the input completed with the fields of `profile` that were not entered.
    pub fn or(self, profile: &Profile) -> Self {
        let mut current = ProfileInput::from_profile(profile).0.into_iter();
        ProfileInput(self.0.map(|text| text.or(current.next().flatten())))
    }

    /// Validates the input as a new pet, in which the required fields must be there.
    ///
    /// # Errors
    /// Names every field that breaks its rule.
    pub fn into_profile(mut self) -> Result<Profile, InvalidProfile> {
        for (field, text) in Profile::FIELDS.iter().zip(&mut self.0) {
            if field.is_required {
                text.get_or_insert_default();
            }
        }
        Ok(self.into_patch()?.apply(&Profile::default()))
    }

    /// Validates the fields that were entered, as an edit.
    ///
    /// # Errors
    /// Names every field that breaks its rule.
    pub fn into_patch(self) -> Result<ProfilePatch, InvalidProfile> {
        let mut errors = Vec::new();
        let mut fields = Profile::FIELDS.iter();
        let patch = self.0.map(|text| {
            let (field, text) = (fields.next()?, text?);
            let checked = field.validate(&text);
            checked
                .map_err(|message| {
                    let field = field.name;
                    errors.push(FieldError { field, message });
                })
                .ok()
        });
        if errors.is_empty() {
            Ok(ProfilePatch(patch))
        } else {
            Err(InvalidProfile(errors))
        }
    }
}

impl ProfileField {
    const fn text_kind(&self) -> TextKind {
        match self.kind {
            FieldKind::Lines(_) => TextKind::MultiLine,
            _ => TextKind::OneLine,
        }
    }

    /// Returns true if `text` has more characters than the field allows.
    pub fn is_too_long(&self, text: &str) -> bool {
        self.limit()
            .is_some_and(|limit| text.chars().count() > limit)
    }

    /// Returns the text to store, without blanks at either end.
    ///
    /// # Errors
    /// The rule that the text breaks, for the person who entered it.
    fn validate(&self, entered: &str) -> Result<String, String> {
        if self.is_required && entered.chars().all(is_invisible) {
            return Err(format!("Enter a {}.", self.name));
        }
        let text = match self.kind {
            FieldKind::Line(_) => entered.trim(),
            FieldKind::Lines(_) => entered.trim_matches(' '),
            FieldKind::Choice(choices) => {
                let is_choice = choices.iter().any(|(value, _)| *value == entered);
                let message = || format!("Choose {}.", alternatives(choices));
                return is_choice.then(|| entered.to_owned()).ok_or_else(message);
            }
            FieldKind::Words(choices) => {
                let is_choice = |word| choices.iter().any(|(value, _)| *value == word);
                let message = || format!("Choose any of {}.", alternatives(choices));
                let is_valid = Tags::words(entered).all(is_choice);
                let tags = is_valid.then(|| Tags::parse(entered)).ok_or_else(message)?;
                return Ok(tags.as_str().to_owned());
            }
            FieldKind::Date => {
                let date = entered.trim();
                let message = || "Use a date such as 2024-05-03.".to_owned();
                let is_valid = date.is_empty() || is_date(date);
                return is_valid.then(|| date.to_owned()).ok_or_else(message);
            }
            FieldKind::RoughDate => return validate_rough_date(entered.trim()),
        };
        if let Some(limit) = self.limit().filter(|_| self.is_too_long(text)) {
            let length = text.chars().count();
            return Err(format!(
                "Use at most {limit} characters; this has {length}."
            ));
        }
        check_text(text, self.text_kind()).map_err(|hidden| hidden.message())?;
        Ok(text.to_owned())
    }
}

/// Returns a date that may be estimated or incomplete. A form that only says that the date is
/// estimated has none.
fn validate_rough_date(entered: &str) -> Result<String, String> {
    let date = if entered == ABOUT { "" } else { entered };
    if date.is_empty() || is_rough_date(date) {
        return Ok(date.to_owned());
    }
    Err("Use a date such as 2024-05-03, 2024-05, 2024 or about 2024.".to_owned())
}

/// Lists values as a sentence does: "female, male or unknown".
fn alternatives(choices: &[(&str, &str)]) -> String {
    let values: Vec<&str> = choices.iter().map(|(value, _)| *value).collect();
    match values.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
