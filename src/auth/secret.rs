//! Secrets of 32 random bytes: what a session's cookie, an API token and an invitation carry.

use sha2::{Digest, Sha256};

use crate::model::{Key, from_hex, to_hex};

/// What only its holder has. Never stored, never logged; the store has its `Key`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

/// What an API token begins with, so that people and scanners know one when they see it.
const TOKEN_MARK: &str = "petstore_";

/// What is hashed beside a secret to make the token of its forms: knowing one tells nothing about
/// the other.
const FORM_SALT: &[u8] = b"pet-store form token";

/// The label that is hashed with a secret to derive others.
const DERIVE_SALT: &[u8] = b"pet-store derived secret";

impl Secret {
    /// A new one, from the generator that the operating system seeds.
    pub fn random() -> Self {
        Secret(rand::random())
    }

    /// The same for the same `parts`, and a guess to whoever does not have `self`.
    pub fn derive(&self, parts: &[&[u8]]) -> Self {
        let mut list = Sha256::new();
        for part in parts {
            list.update((part.len() as u64).to_be_bytes());
            list.update(part);
        }
        // Hashed on its own: the outer hash has one length, so nothing can be appended.
        let derived = Sha256::new()
            .chain_update(DERIVE_SALT)
            .chain_update(self.0)
            .chain_update(list.finalize());
        Secret(derived.finalize().into())
    }

    pub fn key(&self) -> Key {
        Key::new(Sha256::digest(self.0).into())
    }

    /// 64 hex digits.
    pub fn text(&self) -> String {
        to_hex(&self.0)
    }

    /// Reads what `text` wrote, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        from_hex(text).map(Secret)
    }

    /// The same as an API token.
    pub fn token_text(&self) -> String {
        format!("{TOKEN_MARK}{}", self.text())
    }

    pub fn parse_token(text: &str) -> Option<Self> {
        Secret::parse(text.strip_prefix(TOKEN_MARK)?)
    }

    /// What the forms of a page carry that was made for the holder of this secret.
    pub fn form_token(&self) -> String {
        let digest = Sha256::new().chain_update(FORM_SALT).chain_update(self.0);
        to_hex(&digest.finalize())
    }

    /// Whether a form carried it. Takes as long whatever it carried.
    pub fn made_form_token(&self, shown: &str) -> bool {
        let ours = self.form_token();
        let differing = ours.bytes().zip(shown.bytes());
        let differing = differing.fold(0, |bits, (one, other)| bits | (one ^ other));
        ours.len() == shown.len() && differing == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_reads_back_as_it_was_written_and_nothing_else_does() {
        let secret = Secret::random();
        assert!(Secret::parse(&secret.text()) == Some(secret.clone()));
        assert!(Secret::parse_token(&secret.token_text()) == Some(secret.clone()));
        let text = secret.text();
        for wrong in [
            "",
            &text[1..],
            &text
                .to_uppercase()
                .replace(|digit: char| digit.is_ascii_digit(), "A"),
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
    fn no_two_secrets_are_alike_and_a_key_tells_only_that_it_is_the_same() {
        let (one, other) = (Secret::random(), Secret::random());
        assert_ne!(one.key(), other.key());
        assert_eq!(one.key(), one.clone().key());
        assert_ne!(one.key().bytes(), &one.0);
    }

    #[test]
    fn a_derived_secret_is_of_one_secret_and_one_list_of_parts() {
        let (one, other) = (Secret::random(), Secret::random());
        let derived = one.derive(&[b"ab", b"c"]);
        assert!(derived == one.derive(&[b"ab", b"c"]) && derived != one);
        assert!(derived != one.derive(&[b"a", b"bc"]) && derived != other.derive(&[b"ab", b"c"]));
    }

    #[test]
    fn a_form_token_is_of_one_secret_and_does_not_give_it_away() {
        let (one, other) = (Secret::random(), Secret::random());
        assert!(one.made_form_token(&one.form_token()));
        for wrong in [&other.form_token(), &one.text(), &one.form_token()[1..], ""] {
            assert!(!one.made_form_token(wrong));
        }
    }
}
