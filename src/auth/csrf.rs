//! Form tokens against cross-site request forgery.
//!
//! Every form contains a token that is derived from the secret in the browser's cookie. A page of
//! another site can send a form with that cookie, but cannot read the secret or the token.
//!
//! Pages are compressed, and the length of a compressed page says how much of it repeats. Therefore a
//! page does not contain the token itself, but the token masked with random bytes, which differ from page
//! to page: guesses in one page say nothing about the next one (BREACH).

use data_encoding::HEXLOWER;
use subtle::ConstantTimeEq;

use super::secret::Secret;

/// Separates form tokens from other hashes of the same secret.
const LABEL: &[u8] = b"pet-store form token";

const TOKEN_BYTES: usize = 32;

/// Returns the token of the forms of one page, for the browser that has this secret in its cookie: a
/// random mask, and the token under it.
pub fn form_token(cookie: &Secret) -> String {
    let mask: [u8; TOKEN_BYTES] = rand::random();
    let masked = apply(&mask, &token(cookie));
    HEXLOWER.encode(&[mask, masked].concat())
}

/// Returns true if `shown` is a form token of this browser. Compares in constant time. Forms of earlier
/// versions have a token without a mask.
pub fn is_form_token(cookie: &Secret, shown: &str) -> bool {
    let Ok(shown) = HEXLOWER.decode(shown.as_bytes()) else {
        return false;
    };
    let shown = match shown.split_first_chunk::<TOKEN_BYTES>() {
        Some((mask, masked)) if masked.len() == TOKEN_BYTES => apply(mask, masked).to_vec(),
        _ => shown,
    };
    token(cookie).ct_eq(&shown).into()
}

fn token(cookie: &Secret) -> [u8; TOKEN_BYTES] {
    cookie.digest(LABEL, b"")
}

/// Masks `bytes`, or removes the mask.
fn apply(mask: &[u8; TOKEN_BYTES], bytes: &[u8]) -> [u8; TOKEN_BYTES] {
    std::array::from_fn(|at| mask[at] ^ bytes[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_token_is_valid_for_one_secret_and_does_not_contain_it() {
        let (one, other) = (Secret::random(), Secret::random());
        let shown = form_token(&one);
        assert!(is_form_token(&one, &shown));
        for wrong in [
            &form_token(&other),
            &one.text(),
            &shown[1..],
            &shown[2..],
            "",
        ] {
            assert!(!is_form_token(&one, wrong));
        }
    }

    #[test]
    fn two_pages_have_no_byte_sequence_of_the_token_in_common() {
        let cookie = Secret::random();
        let plain = HEXLOWER.encode(&token(&cookie));
        let (one, other) = (form_token(&cookie), form_token(&cookie));
        assert!(is_form_token(&cookie, &one) && is_form_token(&cookie, &other));
        for part in one.as_bytes().windows(12) {
            let part = std::str::from_utf8(part).unwrap();
            assert!(!other.contains(part) && !plain.contains(part));
        }
    }

    #[test]
    fn a_token_of_an_earlier_version_is_valid() {
        let cookie = Secret::random();
        assert!(is_form_token(&cookie, &HEXLOWER.encode(&token(&cookie))));
        assert!(!is_form_token(
            &Secret::random(),
            &HEXLOWER.encode(&token(&cookie))
        ));
    }
}
