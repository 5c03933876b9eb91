//! What people enter about a pet, and the rules it must keep to become a profile.
//!
//! The rules hold for pages, the API, and imports. Texts that earlier versions accepted stay readable
//! in a store; an import removes the characters that are no longer allowed.

#[cfg(test)]
mod tests;

use super::{Lines, Profile, ProfilePatch, Sex, check_text, clean_text, is_invisible};

/// The longest each field may be, in characters (Unicode scalar values).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub name: usize,
    pub species: usize,
    pub breed: usize,
    pub age: usize,
    pub about: usize,
}

/// Long enough for every pet we know of, short enough that a board of thousands stays small.
pub const LIMITS: Limits = Limits {
    name: 80,
    species: 40,
    breed: 80,
    age: 40,
    about: 2000,
};

/// Fields as somebody entered them; an absent one was not entered.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub name: Option<String>,
    pub species: Option<String>,
    pub breed: Option<String>,
    pub sex: Option<String>,
    pub age: Option<String>,
    pub about: Option<String>,
}

/// One field that broke its rule, in words for the person who filled it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub field: &'static str,
    pub message: String,
}

/// At least one field broke its rule; every one that did is named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("some fields are missing, too long, or not what they should be")]
pub struct InvalidProfile(pub Vec<FieldError>);

impl Draft {
    /// The fields of a profile that an earlier version may have accepted, without the characters
    /// that are no longer allowed.
    pub fn cleaned(profile: &Profile) -> Self {
        let line = |text: &str| Some(clean_text(text, Lines::One));
        let about = profile.about.replace("\r\n", "\n").replace('\r', "\n");
        Draft {
            name: line(&profile.name),
            species: line(&profile.species),
            breed: line(&profile.breed),
            sex: Some(profile.sex.to_string()),
            age: line(&profile.age),
            about: Some(clean_text(&about, Lines::Many)),
        }
    }

    /// A whole profile, for a new pet: name and species must be there.
    pub fn into_profile(mut self) -> Result<Profile, InvalidProfile> {
        self.name.get_or_insert_default();
        self.species.get_or_insert_default();
        Ok(self.into_patch()?.apply(&Profile::default()))
    }

    /// The fields that were entered, for an edit.
    pub fn into_patch(self) -> Result<ProfilePatch, InvalidProfile> {
        let mut errors = Vec::new();
        let patch = ProfilePatch {
            name: required(&mut errors, "name", self.name, LIMITS.name),
            species: required(&mut errors, "species", self.species, LIMITS.species),
            breed: bounded(&mut errors, "breed", self.breed, LIMITS.breed),
            sex: sex(&mut errors, self.sex),
            age: bounded(&mut errors, "age", self.age, LIMITS.age),
            about: about(&mut errors, self.about),
        };
        if errors.is_empty() {
            Ok(patch)
        } else {
            Err(InvalidProfile(errors))
        }
    }
}

fn required(
    errors: &mut Vec<FieldError>,
    field: &'static str,
    entered: Option<String>,
    limit: usize,
) -> Option<String> {
    if entered.as_ref()?.chars().all(is_invisible) {
        errors.push(FieldError {
            field,
            message: format!("Enter a {field}."),
        });
        return entered;
    }
    bounded(errors, field, entered, limit)
}

fn bounded(
    errors: &mut Vec<FieldError>,
    field: &'static str,
    entered: Option<String>,
    limit: usize,
) -> Option<String> {
    let text = entered?.trim().to_owned();
    check(errors, field, &text, Lines::One, limit);
    Some(text)
}

/// The one field of several lines. Line ends are normalised to line feeds.
fn about(errors: &mut Vec<FieldError>, entered: Option<String>) -> Option<String> {
    let text = entered?.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.trim_matches(' ').to_owned();
    check(errors, "about", &text, Lines::Many, LIMITS.about);
    Some(text)
}

fn check(
    errors: &mut Vec<FieldError>,
    field: &'static str,
    text: &str,
    lines: Lines,
    limit: usize,
) {
    let length = text.chars().count();
    if length > limit {
        errors.push(FieldError {
            field,
            message: format!("Use at most {limit} characters; this has {length}."),
        });
    } else if let Err(hidden) = check_text(text, lines) {
        errors.push(FieldError {
            field,
            message: hidden.message(),
        });
    }
}

fn sex(errors: &mut Vec<FieldError>, entered: Option<String>) -> Option<Sex> {
    let text = entered?;
    let sex = text.parse().ok();
    if sex.is_none() {
        errors.push(FieldError {
            field: "sex",
            message: "Choose female, male or unknown.".to_owned(),
        });
    }
    sex
}
