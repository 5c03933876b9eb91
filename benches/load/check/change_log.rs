//! Every change that any viewer received, by rev.

use std::collections::HashMap;

use crate::client::message::{pet_of, since_of};

/// A rev that is further ahead of the newest than this is invalid.
const MAX_LEAP: u64 = 10_000_000;

/// A change, as the first viewer received it.
pub struct Change {
    pub pet: u64,
    /// Time of its commit, in microseconds since the Unix epoch.
    pub since: i64,
    text: Box<[u8]>,
}

/// The changes after `floor`.
#[derive(Default)]
pub struct ChangeLog {
    floor: u64,
    changes: Vec<Option<Change>>,
}

impl ChangeLog {
    /// Creates a log of the changes after `floor`.
    pub fn new(floor: u64) -> Self {
        ChangeLog {
            floor,
            changes: Vec::new(),
        }
    }

    pub fn newest(&self) -> u64 {
        self.floor + self.changes.len() as u64
    }

    pub fn get(&self, rev: u64) -> Option<&Change> {
        let index = rev.checked_sub(self.floor + 1)?;
        self.changes.get(usize::try_from(index).ok()?)?.as_ref()
    }

    /// Adds the change of `rev`, or compares it with what other viewers received. Returns its time.
    ///
    /// # Errors
    /// For a message without pet or time, or one that differs from what others received for this rev.
    pub fn add(&mut self, rev: u64, json: &[u8]) -> Result<i64, String> {
        if let Some(change) = self.get(rev) {
            return if *change.text == *without_after(json) {
                Ok(change.since)
            } else {
                Err(format!("rev {rev} came in two versions: {}", excerpt(json)))
            };
        }
        let invalid = || format!("invalid change: {}", excerpt(json));
        let index = rev.checked_sub(self.floor + 1).ok_or_else(invalid)?;
        if index > self.changes.len() as u64 + MAX_LEAP {
            return Err(invalid());
        }
        let index = usize::try_from(index).map_err(|_| invalid())?;
        let change = Change {
            pet: pet_of(json).ok_or_else(invalid)?,
            since: since_of(json).ok_or_else(invalid)?,
            text: without_after(json).into(),
        };
        let since = change.since;
        if self.changes.len() <= index {
            self.changes.resize_with(index + 1, || None);
        }
        self.changes[index] = Some(change);
        Ok(since)
    }

    /// Returns the revs of each pet up to `end`, in ascending order.
    pub fn by_pet(&self, end: u64) -> HashMap<u64, Vec<u64>> {
        let mut revs: HashMap<u64, Vec<u64>> = HashMap::new();
        for rev in self.floor + 1..=end.min(self.newest()) {
            if let Some(change) = self.get(rev) {
                revs.entry(change.pet).or_default().push(rev);
            }
        }
        revs
    }
}

/// Returns a change without its last field, which depends on the viewer.
fn without_after(json: &[u8]) -> &[u8] {
    let end = memchr::memmem::rfind(json, b",\"after\":");
    &json[..end.unwrap_or(json.len())]
}

fn excerpt(json: &[u8]) -> String {
    String::from_utf8_lossy(&json[..json.len().min(200)]).into_owned()
}
