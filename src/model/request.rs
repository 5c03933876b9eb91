//! Identity of a request that may arrive twice.

use data_encoding::HEXLOWER;

/// Identity of a request, recorded with its change, so that a retry of the request is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// Identity of the request.
    pub id: RequestId,
    /// Digest of the command, which tells a retry from another request with the same key.
    pub fingerprint: [u8; 8],
}

/// Digest of the principal and the idempotency key of a request.
pub type RequestId = [u8; 16];

impl RequestKey {
    /// Returns the key in hex digits, as records and messages hold it.
    pub fn to_text(self) -> String {
        HEXLOWER.encode(&self.id) + &HEXLOWER.encode(&self.fingerprint)
    }

    /// Parses the text of `to_text`.
    pub fn from_text(text: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok()?;
        let (id, fingerprint) = bytes.split_first_chunk()?;
        Some(RequestKey {
            id: *id,
            fingerprint: fingerprint.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_as_it_was_written_and_nothing_else_is_one() {
        let key = RequestKey {
            id: *b"0123456789abcdef",
            fingerprint: *b"\0\x9f\xa0\xff1234",
        };
        let text = key.to_text();
        assert_eq!(RequestKey::from_text(&text), Some(key));
        for other in [
            "",
            &text[2..],
            &text[1..],
            &text.to_uppercase(),
            &format!("{text}00"),
        ] {
            assert_eq!(RequestKey::from_text(other), None, "{other}");
        }
    }
}
