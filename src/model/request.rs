//! The identity of a request that may arrive twice.

use super::{from_hex, to_hex};

/// The identity of a request, recorded with its change, by which a retry of the request is
/// recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestKey {
    pub id: RequestId,
    /// A digest of what the request asked for.
    pub fingerprint: [u8; 8],
}

/// A digest of the principal and the key that the request came with.
pub type RequestId = [u8; 16];

impl RequestKey {
    /// The key in hex digits, as records and messages hold it.
    pub fn to_text(self) -> String {
        format!("{}{}", to_hex(&self.id), to_hex(&self.fingerprint))
    }

    /// Reads what `to_text` wrote.
    pub fn from_text(text: &str) -> Option<Self> {
        let (id, fingerprint) = text.split_at_checked(32)?;
        Some(RequestKey {
            id: from_hex(id)?,
            fingerprint: from_hex(fingerprint)?,
        })
    }
}
