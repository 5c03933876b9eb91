//! The version of the activities, by which an open page notices that an admin has edited them.

use std::fmt;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::Activities;

/// Digest of all activities, so it is the same on every node. Written as 8 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ActivitiesVersion(u32);

impl ActivitiesVersion {
    /// Computes the version of `activities`; `None` if there are none.
    pub fn new(activities: &Activities) -> Option<Self> {
        let json = serde_json::to_vec(activities).expect("activities are text");
        let digest = Sha256::digest(json);
        let first = digest.first_chunk().expect("a SHA-256 has 32 bytes");
        (!activities.is_empty()).then_some(ActivitiesVersion(u32::from_be_bytes(*first)))
    }
}

impl fmt::Display for ActivitiesVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08x}", self.0)
    }
}

impl Serialize for ActivitiesVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
