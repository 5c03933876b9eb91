//! Who a pet is, in fields that keep their rules, and edits of them.

use super::Sex;

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

impl Profile {
    /// The names of the fields, in the order in which `texts` gives them.
    pub const FIELDS: [&'static str; 6] = ["name", "species", "breed", "sex", "age", "about"];

    pub fn texts(&self) -> [&str; Profile::FIELDS.len()] {
        [
            &self.name,
            &self.species,
            &self.breed,
            self.sex.as_str(),
            &self.age,
            &self.about,
        ]
    }
}

impl ProfilePatch {
    /// The fields that are set, in the order of `Profile::FIELDS`.
    pub fn texts(&self) -> [Option<&str>; Profile::FIELDS.len()] {
        [
            self.name.as_deref(),
            self.species.as_deref(),
            self.breed.as_deref(),
            self.sex.map(Sex::as_str),
            self.age.as_deref(),
            self.about.as_deref(),
        ]
    }

    /// Leaves a field, named as in `Profile::FIELDS`, as it is.
    pub fn clear(&mut self, field: &str) {
        match field {
            "name" => self.name = None,
            "species" => self.species = None,
            "breed" => self.breed = None,
            "sex" => self.sex = None,
            "age" => self.age = None,
            "about" => self.about = None,
            _ => {}
        }
    }

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
