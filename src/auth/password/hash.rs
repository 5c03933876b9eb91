//! The slow hash: argon2id with 19 MiB, two passes and one lane, as OWASP recommends.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use unicode_normalization::UnicodeNormalization;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The hash to keep, as a PHC string. Takes tens of milliseconds.
pub fn hash(password: &str) -> String {
    let hashed = argon2().hash_password(normalize(password).as_bytes());
    let hashed = hashed.expect("the parameters are valid and the system has random bytes");
    hashed.to_string()
}

/// Returns true if `password` is the one that was hashed. A hash that cannot be read is of no
/// password. Earlier versions hashed what was typed as it was, so that is compared too.
pub fn verify(password: &str, hash: &str) -> bool {
    let normal = normalize(password);
    is_hash_of(&normal, hash) || (normal != password && is_hash_of(password, hash))
}

/// Returns true if only the text as it was typed, and not its normal form, has this hash.
pub fn is_outdated(password: &str, hash: &str) -> bool {
    let normal = normalize(password);
    normal != password && !is_hash_of(&normal, hash)
}

/// The same text in the one form that all keyboards share: é is one letter on some, and e with an
/// accent on others (Unicode NFKC).
pub fn normalize(password: &str) -> String {
    password.nfkc().collect()
}

fn is_hash_of(password: &str, hash: &str) -> bool {
    let hash = PasswordHash::new(hash);
    hash.is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None);
    let params = params.expect("the parameters are within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_names_its_cost_and_differs_each_time() {
        let (one, other) = (hash("correct horse"), hash("correct horse"));
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, other);
        assert!(verify("correct horse", &one) && verify("correct horse", &other));
        for wrong in ["", "correct hors", "Correct horse", "correct horse "] {
            assert!(!verify(wrong, &one), "{wrong:?}");
        }
        assert!(!verify("", "") && !verify("x", "$argon2id$"));
    }

    /// A Mac sends é as two code points where a phone sends one.
    #[test]
    fn a_password_is_the_same_on_every_keyboard_and_hashes_from_before_still_count() {
        let (composed, decomposed) = ("caf\u{e9} au lait", "cafe\u{301} au lait");
        for (set, typed) in [(composed, decomposed), (decomposed, composed)] {
            let hash = hash(set);
            assert!(verify(typed, &hash) && verify(set, &hash));
            assert!(!is_outdated(typed, &hash) && !is_outdated(set, &hash));
        }
        let earlier = argon2().hash_password(decomposed.as_bytes()).unwrap();
        let earlier = earlier.to_string();
        assert!(verify(decomposed, &earlier) && is_outdated(decomposed, &earlier));
        assert!(!verify("cafe au lait", &earlier));
    }
}
