//! The slow hash: argon2id with 19 MiB, two passes and one lane, as OWASP recommends.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The hash to keep, as a PHC string. Takes tens of milliseconds.
pub fn hash(password: &str) -> String {
    let hashed = argon2().hash_password(password.as_bytes());
    let hashed = hashed.expect("the parameters are valid and the system has random bytes");
    hashed.to_string()
}

/// Whether `password` is the one that was hashed. A hash that cannot be read is of no password.
pub fn verify(password: &str, hash: &str) -> bool {
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
}
