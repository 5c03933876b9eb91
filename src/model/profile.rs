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
