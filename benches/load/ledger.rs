//! Every change that anybody received, by rev: what each viewer's deliveries are held against.

use std::collections::HashMap;

use crate::client::message::{pet_of, since_of};

/// How far ahead of the newest a rev may be before it is taken for rubbish.
const LEAP_LIMIT: u64 = 10_000_000;

/// One change, as whoever received it first received it.
pub struct Change {
    pub pet: u64,
    /// When it was committed, in microseconds since the Unix epoch.
    pub since: i64,
    text: Box<[u8]>,
}

/// Changes from `floor` on.
#[derive(Default)]
pub struct Ledger {
    floor: u64,
    changes: Vec<Option<Change>>,
}

impl Ledger {
    /// A ledger of the changes after `floor`.
    pub fn after(floor: u64) -> Self {
        Ledger {
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

    /// Enters the change of `rev`, or compares it with what others received; gives its time.
    ///
    /// # Errors
    /// A message without pet or time, or one that differs from what others got under this rev.
    pub fn enter(&mut self, rev: u64, json: &[u8]) -> Result<i64, String> {
        if let Some(change) = self.get(rev) {
            return match *change.text == *json {
                true => Ok(change.since),
                false => Err(format!("rev {rev} came in two versions: {}", shown(json))),
            };
        }
        let wrong = || format!("a change that cannot be read: {}", shown(json));
        let index = rev.checked_sub(self.floor + 1).ok_or_else(wrong)?;
        if index > self.changes.len() as u64 + LEAP_LIMIT {
            return Err(wrong());
        }
        let index = usize::try_from(index).map_err(|_| wrong())?;
        let change = Change {
            pet: pet_of(json).ok_or_else(wrong)?,
            since: since_of(json).ok_or_else(wrong)?,
            text: json.into(),
        };
        let since = change.since;
        if self.changes.len() <= index {
            self.changes.resize_with(index + 1, || None);
        }
        self.changes[index] = Some(change);
        Ok(since)
    }

    /// The revs of each pet up to `end`, rising.
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

fn shown(json: &[u8]) -> String {
    String::from_utf8_lossy(&json[..json.len().min(200)]).into_owned()
}
