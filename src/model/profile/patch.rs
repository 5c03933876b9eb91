//! An edit of a profile.

use super::{Profile, ProfileField};

/// The validated fields that an edit sets; the others stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfilePatch(pub(super) [Option<String>; Profile::FIELDS.len()]);

impl ProfilePatch {
    /// Returns the patch that also sets the field of this name to `text`, which is valid.
    #[cfg(test)]
    pub fn with(mut self, name: &str, text: &str) -> Self {
        let place = Profile::FIELDS.iter().position(|field| field.name == name);
        self.0[place.expect("a test names a field")] = Some(text.to_owned());
        self
    }

    /// Returns true if no field is set.
    pub fn is_empty(&self) -> bool {
        self.texts().next().is_none()
    }

    /// Returns the fields that are set, in the order of `Profile::FIELDS`, with their texts.
    pub fn texts(&self) -> impl Iterator<Item = (&'static ProfileField, &str)> {
        let fields = Profile::FIELDS.iter().zip(&self.0);
        fields.filter_map(|(field, text)| Some((field, text.as_deref()?)))
    }

    /// Returns `profile` with the fields that the patch sets.
    pub fn apply(&self, profile: &Profile) -> Profile {
        let mut profile = profile.clone();
        for (field, text) in self.texts() {
            (field.set)(&mut profile, text);
        }
        profile
    }
}
