//! Password hashes: argon2id with 19 MiB, two passes and one lane, as OWASP recommends.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use unicode_normalization::UnicodeNormalization;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Bytes of a hash.
const LENGTH: usize = 32;

/// Blocks of 1 KiB that a buffer reserves: over 32 MiB, the highest mmap threshold of glibc's malloc.
/// Freeing a smaller buffer raises the threshold, and later buffers then stay in the heap of each
/// thread. Reserved pages that are not used take no memory.
const RESERVED_BLOCKS: usize = 33 * 1024;

/// The working memory of a hash, which the next hash overwrites.
#[derive(Default)]
pub struct HashBuffer(Vec<Block>);

/// Returns the hash of a password as a PHC string. Takes tens of milliseconds.
pub fn hash(password: &str) -> String {
    hash_in(&mut HashBuffer::default(), password)
}

/// As `hash`, in a buffer that is reused.
pub fn hash_in(buffer: &mut HashBuffer, password: &str) -> String {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(LENGTH));
    let params = params.expect("the parameters are within argon2's limits");
    let salt = Salt::generate();
    let output = buffer.compute(&normalize(password), &salt, Version::V0x13, &params);
    let params = ParamsString::try_from(&params).expect("the parameters are numbers");
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params,
        salt: Some(salt),
        hash: Some(output.expect("the parameters are valid")),
    };
    hash.to_string()
}

/// Returns true if `password` has this hash. Earlier versions hashed the text as it was typed, so that
/// text is compared too.
pub fn verify_in(buffer: &mut HashBuffer, password: &str, hash: &str) -> bool {
    let normal = normalize(password);
    is_hash_of(buffer, &normal, hash) || (normal != password && is_hash_of(buffer, password, hash))
}

/// Returns true if only the text as it was typed, and not its normal form, has this hash.
pub fn is_outdated_in(buffer: &mut HashBuffer, password: &str, hash: &str) -> bool {
    let normal = normalize(password);
    normal != password && !is_hash_of(buffer, &normal, hash)
}

/// Returns the text in Unicode NFKC: some keyboards send é as one character, others as e with an
/// accent.
pub fn normalize(password: &str) -> String {
    password.nfkc().collect()
}

/// Returns true if the text has this hash. A hash that cannot be parsed, or that needs more memory than
/// this module's, matches no text.
fn is_hash_of(buffer: &mut HashBuffer, password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        return false;
    };
    let (Ok(params), Some(salt)) = (Params::try_from(&hash), &hash.salt) else {
        return false;
    };
    let version = hash.version.map(Version::try_from);
    let version = version.unwrap_or(Ok(Version::default()));
    let (true, Ok(version)) = (hash.algorithm == Algorithm::Argon2id.ident(), version) else {
        return false;
    };
    if params.m_cost() > MEMORY_KIB {
        return false;
    }
    let output = buffer.compute(password, salt, version, &params);
    // `Output` compares in constant time.
    output.is_some() && output == hash.hash
}

impl HashBuffer {
    fn compute(
        &mut self,
        password: &str,
        salt: &Salt,
        version: Version,
        params: &Params,
    ) -> Option<Output> {
        let blocks = params.block_count();
        if self.0.len() < blocks {
            self.0
                .reserve_exact(RESERVED_BLOCKS.max(blocks) - self.0.len());
            self.0.resize(blocks, Block::new());
        }
        let mut output = [0; Output::MAX_LENGTH];
        let output = output.get_mut(..params.output_len().unwrap_or(LENGTH))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, version, params.clone());
        let memory = &mut self.0[..blocks];
        let computed =
            argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, memory);
        computed.ok()?;
        Output::new(output).ok()
    }
}

#[cfg(test)]
mod tests {
    use argon2::{PasswordHasher, PasswordVerifier};

    use super::*;

    fn verify(password: &str, hash: &str) -> bool {
        verify_in(&mut HashBuffer::default(), password, hash)
    }

    fn is_outdated(password: &str, hash: &str) -> bool {
        is_outdated_in(&mut HashBuffer::default(), password, hash)
    }

    /// Hashes of the argon2 crate verify here, and hashes from here verify there.
    #[test]
    fn a_reused_buffer_does_not_change_a_hash() {
        let argon2 = Argon2::default();
        let mut buffer = HashBuffer::default();
        for password in ["correct horse", "", "battery staple"] {
            let theirs = argon2.hash_password(password.as_bytes()).unwrap();
            assert!(verify_in(&mut buffer, password, &theirs.to_string()));
            let ours = hash_in(&mut buffer, password);
            assert!(
                argon2
                    .verify_password(password.as_bytes(), ours.as_str())
                    .is_ok()
            );
            assert!(verify_in(&mut buffer, password, &ours));
            assert!(!verify_in(&mut buffer, "another", &ours));
        }
        let small = Params::new(8, 1, 1, None).unwrap();
        let small = Argon2::from(small).hash_password(b"x").unwrap().to_string();
        assert!(verify_in(&mut buffer, "x", &small));
        let large = Params::new(MEMORY_KIB + 1, 1, 1, None).unwrap();
        let large = Argon2::from(large).hash_password(b"x").unwrap().to_string();
        assert!(!verify_in(&mut buffer, "x", &large));
        assert!(buffer.0.capacity() * Block::SIZE > 32 << 20);
    }

    #[test]
    fn a_hash_contains_its_cost_and_a_random_salt() {
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
    fn composed_and_decomposed_letters_match_and_hashes_of_earlier_versions_still_verify() {
        let (composed, decomposed) = ("caf\u{e9} au lait", "cafe\u{301} au lait");
        for (set, typed) in [(composed, decomposed), (decomposed, composed)] {
            let hash = hash(set);
            assert!(verify(typed, &hash) && verify(set, &hash));
            assert!(!is_outdated(typed, &hash) && !is_outdated(set, &hash));
        }
        let earlier = Argon2::default().hash_password(decomposed.as_bytes());
        let earlier = earlier.unwrap();
        let earlier = earlier.to_string();
        assert!(verify(decomposed, &earlier) && is_outdated(decomposed, &earlier));
        assert!(!verify("cafe au lait", &earlier));
    }
}
