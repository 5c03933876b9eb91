//! The base of an edit: digests of the profile that a form was rendered with, in a hidden field of the
//! form.
//!
//! The digests tell which fields the form's author changed, and which of these somebody else has
//! changed meanwhile. The current values are on the board.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::{Profile, ProfilePatch};

/// Bytes of a digest. Enough to tell apart the few values that one field ever has.
const DIGEST_BYTES: usize = 8;

/// The fields of a form that the first version rendered, which may be open in a browser since.
const FIRST_FIELDS: [&str; 6] = ["name", "species", "breed", "sex", "age", "about"];

/// A digest of each field of a profile. Shown as hex digits. The default matches no text, so that every
/// field whose value is another one is in conflict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProfileBase([[u8; DIGEST_BYTES]; Profile::FIELDS.len()]);

impl ProfileBase {
    /// Computes the digests of `profile`.
    pub fn new(profile: &Profile) -> Self {
        ProfileBase(
            Profile::FIELDS
                .each_ref()
                .map(|field| digest(field.text(profile))),
        )
    }

    /// Returns the base of a form with the first fields only. The others were empty then.
    fn from_first_fields(digests: &[[u8; DIGEST_BYTES]]) -> Option<Self> {
        let first: &[_; FIRST_FIELDS.len()] = digests.try_into().ok()?;
        let mut base = ProfileBase::new(&Profile::default());
        for (field, digest) in Profile::FIELDS.iter().zip(&mut base.0) {
            if let Some(place) = FIRST_FIELDS.iter().position(|name| *name == field.name) {
                *digest = first[place];
            }
        }
        Some(base)
    }

    /// Returns the fields of `patch` that differ from the base: those that the form's author changed.
    pub fn changed(&self, mut patch: ProfilePatch) -> ProfilePatch {
        for (text, base) in patch.0.iter_mut().zip(&self.0) {
            text.take_if(|text| digest(text) == *base);
        }
        patch
    }

    /// Returns the names of the fields of `patch` whose value in `current` differs from both the base
    /// and `patch`: somebody else has changed them too.
    pub fn conflicts(&self, patch: &ProfilePatch, current: &Profile) -> Vec<&'static str> {
        let fields = Profile::FIELDS.iter().zip(&patch.0).zip(&self.0);
        let conflicts = fields.filter(|((field, ours), base)| {
            let theirs = digest(field.text(current));
            let ours = ours.as_deref().map(digest);
            ours.is_some_and(|ours| theirs != **base && theirs != ours)
        });
        conflicts.map(|((field, _), _)| field.name).collect()
    }
}

/// Returns the digest of a field's text, without what a browser may change in a form: line ends, and
/// spaces at either end.
fn digest(text: &str) -> [u8; DIGEST_BYTES] {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let hash = Sha256::digest(lines.trim_matches([' ', '\n']));
    let mut digest = [0; DIGEST_BYTES];
    digest.copy_from_slice(&hash[..DIGEST_BYTES]);
    digest
}

/// The text is not a form's base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a base that the server put into a form")]
pub struct ProfileBaseError;

impl fmt::Display for ProfileBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(self.0.as_flattened()))
    }
}

impl FromStr for ProfileBase {
    type Err = ProfileBaseError;

    fn from_str(text: &str) -> Result<Self, ProfileBaseError> {
        let bytes = HEXLOWER.decode(text.as_bytes());
        let bytes = bytes.map_err(|_| ProfileBaseError)?;
        let (digests, rest) = bytes.as_chunks();
        let base = digests.try_into().map(ProfileBase).ok();
        let base = base.or_else(|| ProfileBase::from_first_fields(digests));
        base.filter(|_| rest.is_empty()).ok_or(ProfileBaseError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ProfileInput;

    fn profile(breed: &str, about: &str) -> Profile {
        Profile {
            name: "Biscuit".to_owned(),
            breed: breed.to_owned(),
            about: about.to_owned(),
            species: "dog".to_owned(),
            ..Profile::default()
        }
    }

    /// Returns a whole form, as a browser sends it.
    fn form(breed: &str, about: &str) -> ProfilePatch {
        let input = ProfileInput::from_profile(&profile(breed, about));
        input.into_patch().unwrap()
    }

    #[test]
    fn a_whole_form_means_the_fields_that_were_changed_in_it() {
        let base = ProfileBase::new(&profile("Beagle", "one\r\ntwo"));
        let changed = base.changed(form("Whippet", "one\ntwo"));
        assert_eq!(changed, ProfilePatch::default().with("breed", "Whippet"));
        let changed = base.changed(form("Beagle", ""));
        let emptied = ProfilePatch::default().with("about", "");
        assert_eq!(changed, emptied, "emptied is changed");
    }

    #[test]
    fn a_conflict_is_a_field_that_both_changed_and_not_to_the_same() {
        let base = ProfileBase::new(&profile("Beagle", "kind"));
        let conflicts =
            |mine: ProfilePatch, theirs: Profile| base.conflicts(&base.changed(mine), &theirs);
        let theirs = || profile("Beagle", "NEEDS INSULIN");
        assert_eq!(conflicts(form("Whippet", "kind"), theirs()), [""; 0]);
        assert_eq!(conflicts(form("Whippet", "shy"), theirs()), ["about"]);
        assert_eq!(
            conflicts(form("Beagle", "NEEDS INSULIN"), theirs()),
            [""; 0]
        );
        let theirs = profile("Boxer", "shy");
        assert_eq!(
            conflicts(form("Whippet", "blind"), theirs),
            ["breed", "about"]
        );
    }

    /// A form that was open during the upgrade which added fields.
    #[test]
    fn a_base_of_the_first_fields_is_one_of_a_profile_without_the_others() {
        let text = FIRST_FIELDS.map(|name| {
            let field = Profile::FIELDS.iter().find(|field| field.name == name);
            HEXLOWER.encode(&digest(field.unwrap().text(&profile("Beagle", "kind"))))
        });
        let base = text.concat().parse();
        assert_eq!(base, Ok(ProfileBase::new(&profile("Beagle", "kind"))));
    }

    #[test]
    fn the_default_is_in_conflict_with_every_other_value() {
        let (base, ours) = (ProfileBase::default(), form("Whippet", "kind"));
        assert_eq!(base.changed(ours.clone()), ours);
        let theirs = profile("Beagle", "kind");
        assert_eq!(base.conflicts(&ours, &theirs), ["breed"]);
    }

    #[test]
    fn a_base_reads_back_as_it_was_written_and_nothing_else_is_one() {
        let base = ProfileBase::new(&profile("Beagle", "kind"));
        assert_eq!(base.to_string().parse(), Ok(base));
        for text in [
            "",
            "0",
            &base.to_string()[1..],
            &"\u{e9}".repeat(48),
            &"g".repeat(96),
        ] {
            assert_eq!(text.parse::<ProfileBase>(), Err(ProfileBaseError));
        }
    }
}
