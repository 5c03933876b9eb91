//! Random secrets: the content of session cookies, API tokens and invitation links.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::model::Key;

/// A secret of 32 random bytes. It is never stored and never logged: the store has its `Key`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

/// Prefix of an API token, by which people and secret scanners recognise one.
const TOKEN_PREFIX: &str = "petstore_";

/// Separates derived secrets from other hashes of the same secret.
const DERIVE_LABEL: &[u8] = b"pet-store derived secret";

impl Secret {
    /// Generates a secret with the generator that the operating system seeds.
    pub fn random() -> Self {
        Secret(rand::random())
    }

    /// Derives another secret, which is the same for the same `parts` and cannot be computed without
    /// `self`.
    pub fn derive(&self, parts: &[&[u8]]) -> Self {
        let mut list = Sha256::new();
        for part in parts {
            list.update((part.len() as u64).to_be_bytes());
            list.update(part);
        }
        // The list is hashed separately: the outer input has a fixed length, so no length extension.
        Secret(self.digest(DERIVE_LABEL, &list.finalize()))
    }

    /// Returns the hash of the secret that is stored.
    pub fn key(&self) -> Key {
        Key::new(Sha256::digest(self.0).into())
    }

    /// Returns the secret as 64 hex digits.
    pub fn text(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// Parses 64 lower-case hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok().map(Secret)
    }

    /// Returns the secret as an API token.
    pub fn token_text(&self) -> String {
        format!("{TOKEN_PREFIX}{}", self.text())
    }

    /// Parses an API token.
    pub fn parse_token(text: &str) -> Option<Self> {
        Secret::parse(text.strip_prefix(TOKEN_PREFIX)?)
    }

    /// Returns a hash of the secret. Hashes with different labels say nothing about each other.
    pub(super) fn digest(&self, label: &[u8], content: &[u8]) -> [u8; 32] {
        let digest = Sha256::new()
            .chain_update(label)
            .chain_update(self.0)
            .chain_update(content);
        digest.finalize().into()
    }
}

/// Issued keys to remember, so that a resubmitted form does not restore a revoked token. People submit
/// far fewer forms before they close the page.
const REMEMBERED_KEYS: usize = 1000;

/// Derives the secrets that forms ask for. A form that is submitted twice gets the same secret.
///
/// The secret is derived from the form's one-time key, the session, the content of the form, and a
/// seed that stays in this process. No secret is kept: the second submission derives the same one,
/// and its key is already in the store. After a restart, or on another node, the form gets another
/// secret and creates a second token.
pub struct FormSecrets {
    seed: Secret,
    /// Keys that were issued, oldest first.
    issued: Mutex<VecDeque<Key>>,
}

impl FormSecrets {
    /// Returns a derivation with a new random seed.
    pub fn new() -> Self {
        FormSecrets {
            seed: Secret::random(),
            issued: Mutex::default(),
        }
    }

    /// Returns the secret for a form with this session and one-time key; random if there is no form.
    pub fn secret(&self, form: Option<(&Key, &str)>, content: &[&str]) -> Secret {
        let Some((session, one_time_key)) = form else {
            return Secret::random();
        };
        let mut parts = vec![session.bytes().as_slice(), one_time_key.as_bytes()];
        parts.extend(content.iter().map(|text| text.as_bytes()));
        self.seed.derive(&parts)
    }

    /// Returns true if the secret was issued before.
    pub fn is_issued(&self, secret: &Secret) -> bool {
        self.lock().contains(&secret.key())
    }

    /// Remembers that the secret was issued.
    pub fn remember(&self, secret: &Secret) {
        let (key, mut issued) = (secret.key(), self.lock());
        if issued.contains(&key) {
            return;
        }
        if issued.len() >= REMEMBERED_KEYS {
            issued.pop_front();
        }
        issued.push_back(key);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Key>> {
        self.issued.lock().expect("no holder of this lock panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_parses_from_its_own_text_and_from_nothing_else() {
        let secret = Secret::random();
        let text = secret.text();
        assert!(Secret::parse(&text) == Some(secret.clone()));
        assert!(Secret::parse_token(&secret.token_text()) == Some(secret.clone()));
        let upper = text.to_uppercase();
        for wrong in [
            "",
            &text[1..],
            &upper.replace(|digit: char| digit.is_ascii_digit(), "A"),
            &format!("{text}0"),
            &format!("+{}", &text[1..]),
            &format!("é{}", &text[2..]),
        ] {
            assert!(Secret::parse(wrong).is_none(), "{wrong}");
        }
        assert!(Secret::parse_token(&text).is_none());
        assert!(Secret::parse(&secret.token_text()).is_none());
    }

    #[test]
    fn a_key_is_the_same_for_one_secret_and_does_not_contain_it() {
        let (one, other) = (Secret::random(), Secret::random());
        assert_ne!(one.key(), other.key());
        assert_eq!(one.key(), one.clone().key());
        assert_ne!(one.key().bytes(), &one.0);
    }

    #[test]
    fn a_derived_secret_depends_on_the_secret_and_on_where_each_part_ends() {
        let (one, other) = (Secret::random(), Secret::random());
        let derived = one.derive(&[b"ab", b"c"]);
        assert!(derived == one.derive(&[b"ab", b"c"]) && derived != one);
        assert!(derived != one.derive(&[b"a", b"bc"]) && derived != other.derive(&[b"ab", b"c"]));
    }
}
