//! Every change that anybody in a crowd saw, by rev.

use std::collections::BTreeMap;

#[derive(Default)]
pub struct Ledger {
    changes: BTreeMap<u64, Box<[u8]>>,
}

impl Ledger {
    /// Enters the change of `rev`, or compares it with what others got.
    ///
    /// # Errors
    /// Another message than others got under this rev.
    pub fn enter(&mut self, rev: u64, json: &[u8]) -> Result<(), String> {
        let known = self.changes.entry(rev).or_insert_with(|| json.into());
        match **known == *json {
            true => Ok(()),
            false => Err(format!(
                "{} to one, {} to another",
                String::from_utf8_lossy(known),
                String::from_utf8_lossy(json)
            )),
        }
    }

    /// Every rev and its message, rising.
    pub fn changes(&self) -> Vec<(u64, String)> {
        let changes = self.changes.iter();
        changes
            .map(|(rev, json)| (*rev, String::from_utf8(json.to_vec()).unwrap()))
            .collect()
    }
}
