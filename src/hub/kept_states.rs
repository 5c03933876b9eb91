//! Snapshots that readers of the log are led to.
//!
//! A reader without a cursor that can be served is led to a snapshot under an address of its own, which caches
//! keep. Many are led to the same one, also a while after it was made: the log continues from it.

use std::collections::VecDeque;

use super::board::BoardSnapshot;
use super::topic_filter::TopicFilter;
use crate::model::{Cursor, Rev};

/// Snapshots that are kept.
const MAX_STATES: usize = 64;

/// Pets in all of them, at about 300 bytes each, once they are encoded.
const MAX_PETS: usize = 50_000;

/// Changes after which readers are led to a new snapshot. Fewer than one answer of the log has.
const RECENT: u64 = 64;

/// The latest snapshots that readers were led to, oldest first. Dropped when a pet becomes private, because
/// they may have it.
#[derive(Default)]
pub struct KeptStates(VecDeque<(TopicFilter, BoardSnapshot)>);

impl KeptStates {
    /// Keeps a snapshot, and drops the oldest ones if they are too many or too large.
    pub fn push(&mut self, filter: TopicFilter, snapshot: BoardSnapshot) {
        self.0.push_back((filter, snapshot));
        let is_full = |kept: &VecDeque<(TopicFilter, BoardSnapshot)>| {
            let pets: usize = kept.iter().map(|(_, kept)| kept.pets().len()).sum();
            kept.len() > MAX_STATES || (pets > MAX_PETS && kept.len() > 1)
        };
        while is_full(&self.0) {
            self.0.pop_front();
        }
    }

    /// Returns the latest snapshot for `filter`, if it is recent at rev `now`.
    pub fn recent(&self, filter: &TopicFilter, now: Rev) -> Option<BoardSnapshot> {
        let (_, latest) = self.0.iter().rfind(|(of, _)| of == filter)?;
        let is_recent = now.since(latest.cursor().rev) <= RECENT;
        is_recent.then(|| latest.clone())
    }

    /// Returns the snapshot for `filter` at `cursor`.
    pub fn get(&self, filter: &TopicFilter, cursor: Cursor) -> Option<BoardSnapshot> {
        let is_wanted =
            |(of, kept): &&(TopicFilter, BoardSnapshot)| of == filter && kept.cursor() == cursor;
        let (_, kept) = self.0.iter().find(is_wanted)?;
        Some(kept.clone())
    }

    /// Drops all of them.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
