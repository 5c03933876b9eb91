//! The base of an edit: digests of the profile that a form was rendered with, in a hidden field of the
//! form.
//!
//! From the digests follows which fields the form's author changed, and which of these somebody else
//! has changed meanwhile. The present values are on the board.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::{Profile, ProfilePatch, from_hex, to_hex};

/// Bytes of a digest. Enough to tell apart the few values that one field ever has.
const DIGEST_BYTES: usize = 8;

/// A digest of each field of a profile. Shown as hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfileBase([[u8; DIGEST_BYTES]; Profile::FIELDS.len()]);

impl ProfileBase {
    pub fn new(profile: &Profile) -> Self {
        ProfileBase(profile.texts().map(digest))
    }

    /// Returns the fields of `patch` that differ from the base: those that the form's author changed.
    pub fn changed(&self, mut patch: ProfilePatch) -> ProfilePatch {
        let texts = patch.texts().map(|text| text.map(digest));
        for (place, field) in Profile::FIELDS.into_iter().enumerate() {
            if texts[place] == Some(self.0[place]) {
                patch.clear(field);
            }
        }
        patch
    }

    /// Returns the fields of `patch` whose value in `current` differs from both the base and `patch`:
    /// somebody else has changed them too.
    pub fn conflicts(&self, patch: &ProfilePatch, current: &Profile) -> Vec<&'static str> {
        let (ours, theirs) = (patch.texts(), current.texts());
        let fields = Profile::FIELDS.into_iter().enumerate();
        let is_conflict = |place: usize| {
            ours[place].is_some_and(|ours| {
                let theirs = digest(theirs[place]);
                theirs != self.0[place] && theirs != digest(ours)
            })
        };
        let conflicts = fields.filter(|(place, _)| is_conflict(*place));
        conflicts.map(|(_, field)| field).collect()
    }
}

/// The digest of a field's text, without what a browser may change in a form: line ends, and spaces at
/// either end.
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
        self.0
            .iter()
            .try_for_each(|digest| f.write_str(&to_hex(digest)))
    }
}

impl FromStr for ProfileBase {
    type Err = ProfileBaseError;

    fn from_str(text: &str) -> Result<Self, ProfileBaseError> {
        let mut base = ProfileBase([[0; DIGEST_BYTES]; Profile::FIELDS.len()]);
        let width = 2 * DIGEST_BYTES;
        if text.len() != width * base.0.len() || !text.is_ascii() {
            return Err(ProfileBaseError);
        }
        for (place, digest) in base.0.iter_mut().enumerate() {
            let digits = &text[place * width..][..width];
            *digest = from_hex(digits).ok_or(ProfileBaseError)?;
        }
        Ok(base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(breed: &str, about: &str) -> Profile {
        Profile {
            name: "Biscuit".to_owned(),
            breed: breed.to_owned(),
            about: about.to_owned(),
            ..Profile::default()
        }
    }

    /// A whole form, as a browser sends it.
    fn form(breed: &str, about: &str) -> ProfilePatch {
        let profile = profile(breed, about);
        ProfilePatch {
            name: Some(profile.name),
            species: Some(profile.species),
            breed: Some(profile.breed),
            sex: Some(profile.sex),
            age: Some(profile.age),
            about: Some(profile.about),
        }
    }

    #[test]
    fn a_whole_form_means_the_fields_that_were_changed_in_it() {
        let base = ProfileBase::new(&profile("Beagle", "one\r\ntwo"));
        let changed = base.changed(form("Whippet", "one\ntwo"));
        assert_eq!(
            changed,
            ProfilePatch {
                breed: Some("Whippet".to_owned()),
                ..ProfilePatch::default()
            }
        );
        let changed = base.changed(form("Beagle", ""));
        assert_eq!(changed.about.as_deref(), Some(""), "emptied is changed");
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
