//! Form tokens against cross-site request forgery.
//!
//! Every form contains a token that is derived from the secret in the browser's cookie. A page of
//! another site can send a form with that cookie, but cannot read the secret or the token.

use data_encoding::HEXLOWER;
use subtle::ConstantTimeEq;

use super::secret::Secret;

/// Separates form tokens from other hashes of the same secret.
const LABEL: &[u8] = b"pet-store form token";

/// Returns the token of forms for the browser that has this secret in its cookie.
pub fn form_token(cookie: &Secret) -> String {
    HEXLOWER.encode(&cookie.digest(LABEL, b""))
}

/// Returns true if `shown` is the form token of this browser. Compares in constant time.
pub fn is_form_token(cookie: &Secret, shown: &str) -> bool {
    form_token(cookie).as_bytes().ct_eq(shown.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_token_is_valid_for_one_secret_and_does_not_contain_it() {
        let (one, other) = (Secret::random(), Secret::random());
        let token = form_token(&one);
        assert!(is_form_token(&one, &token));
        for wrong in [&form_token(&other), &one.text(), &token[1..], ""] {
            assert!(!is_form_token(&one, wrong));
        }
    }
}
