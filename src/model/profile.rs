//! Who a pet is: the fields that people enter, and the rules they must keep.
//!
//! A `Draft` is what was typed; a `Profile` is what passed. Text is kept as it was given, control
//! characters included, except for spaces at either end: what may be shown where is the business
//! of whoever shows it.

use std::fmt;
use std::str::FromStr;

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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sex {
    Female,
    Male,
    #[default]
    Unknown,
}

impl Sex {
    pub const ALL: [Sex; 3] = [Sex::Female, Sex::Male, Sex::Unknown];

    /// The word used in messages, forms and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Sex::Female => "female",
            Sex::Male => "male",
            Sex::Unknown => "unknown",
        }
    }

    /// The word shown to people.
    pub const fn text(self) -> &'static str {
        match self {
            Sex::Female => "Female",
            Sex::Male => "Male",
            Sex::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for Sex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Sex {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Sex::ALL
            .into_iter()
            .find(|sex| sex.as_str() == text)
            .ok_or(())
    }
}

/// A pet's fields after validation. `name` and `species` are not blank; the others may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    pub name: String,
    pub species: String,
    pub breed: String,
    pub sex: Sex,
    /// As people say it: "about 3 years".
    pub age: String,
    pub about: String,
}

/// The fields of a profile that an edit sets; the others stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfilePatch {
    pub name: Option<String>,
    pub species: Option<String>,
    pub breed: Option<String>,
    pub sex: Option<Sex>,
    pub age: Option<String>,
    pub about: Option<String>,
}

impl ProfilePatch {
    /// `profile` with this patch laid over it.
    pub fn apply(self, profile: &Profile) -> Profile {
        let profile = profile.clone();
        Profile {
            name: self.name.unwrap_or(profile.name),
            species: self.species.unwrap_or(profile.species),
            breed: self.breed.unwrap_or(profile.breed),
            sex: self.sex.unwrap_or(profile.sex),
            age: self.age.unwrap_or(profile.age),
            about: self.about.unwrap_or(profile.about),
        }
    }
}

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
            about: bounded(&mut errors, "about", self.about, LIMITS.about),
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
    let text = bounded(errors, field, entered, limit)?;
    if text.chars().all(is_invisible) {
        errors.push(FieldError {
            field,
            message: format!("Enter a {field}."),
        });
    }
    Some(text)
}

/// Whether nobody would see it: a name of such characters is no name. Spaces, control characters,
/// and what Unicode calls default ignorable (zero-width spaces and joiners, fillers, selectors,
/// tags), with the blank of Braille.
fn is_invisible(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn bounded(
    errors: &mut Vec<FieldError>,
    field: &'static str,
    entered: Option<String>,
    limit: usize,
) -> Option<String> {
    let text = entered?.trim_matches(' ').to_owned();
    let length = text.chars().count();
    if length > limit {
        errors.push(FieldError {
            field,
            message: format!("Use at most {limit} characters; this has {length}."),
        });
    }
    Some(text)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn entered(name: &str, species: &str) -> Draft {
        Draft {
            name: Some(name.to_owned()),
            species: Some(species.to_owned()),
            ..Draft::default()
        }
    }

    #[test]
    fn every_field_that_breaks_its_rule_is_named_at_once() {
        let draft = Draft {
            sex: Some("both".to_owned()),
            about: Some("x".repeat(2001)),
            ..entered("   ", &"x".repeat(41))
        };
        let InvalidProfile(errors) = draft.into_profile().unwrap_err();
        let fields: Vec<_> = errors.iter().map(|error| error.field).collect();
        assert_eq!(fields, ["name", "species", "sex", "about"]);
    }

    #[test]
    fn a_name_that_nobody_can_see_is_none() {
        for name in [
            "\u{200b}",
            "\u{2060}\u{feff} ",
            "\u{3164}",
            "\u{ad}\u{0}\t",
            "\u{e0041}",
        ] {
            let InvalidProfile(errors) = entered(name, "cat").into_profile().unwrap_err();
            assert_eq!(errors[0].field, "name", "{name:?}");
        }
        for name in [
            "\u{1f469}\u{200d}\u{1f680}",
            "\u{2764}\u{fe0f}",
            "\u{645}\u{200c}\u{6cc}",
        ] {
            assert!(entered(name, "cat").into_profile().is_ok(), "{name:?}");
        }
    }

    #[test]
    fn limits_count_characters_and_not_bytes() {
        assert!(entered(&"ü".repeat(80), "cat").into_profile().is_ok());
        assert!(entered(&"ü".repeat(81), "cat").into_profile().is_err());
    }

    #[test]
    fn text_is_kept_as_it_was_given_but_for_spaces_around_it() {
        let profile = entered(" A\rB\u{2028}C ", "cat").into_profile().unwrap();
        assert_eq!(profile.name, "A\rB\u{2028}C");
    }

    #[test]
    fn a_patch_leaves_alone_what_it_does_not_name() {
        let before = entered("Biscuit", "dog").into_profile().unwrap();
        let draft = Draft {
            age: Some("2 years".to_owned()),
            ..Draft::default()
        };
        let after = draft.into_patch().unwrap().apply(&before);
        assert_eq!(
            (after.name.as_str(), after.age.as_str()),
            ("Biscuit", "2 years")
        );
    }
}
