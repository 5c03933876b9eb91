//! The polls that wait, grouped by the answer that they get.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::answer::PollKey;
use crate::hub::TopicFilter;
use crate::model::Cursor;
use crate::wire::Topic;

/// Polls with the same key.
pub struct PollGroup {
    /// The properties on which their answer depends.
    pub key: Arc<PollKey>,
    /// There is no frame for them between their start and this cursor.
    pub at: Cursor,
    /// The rows of the polls.
    pub rows: BTreeSet<usize>,
}

/// All groups of one worker, indexed by key and topic.
#[derive(Default)]
pub struct PollGroups {
    groups: HashMap<u64, PollGroup>,
    next_id: u64,
    by_key: HashMap<Arc<PollKey>, u64>,
    unfiltered: BTreeSet<u64>,
    by_topic: HashMap<Topic, BTreeSet<u64>>,
}

impl PollGroups {
    /// Adds a poll that has received everything up to `at`. Returns the id and the key of its group.
    pub fn insert(&mut self, row: usize, key: PollKey, at: Cursor) -> (u64, Arc<PollKey>) {
        if let Some(id) = self.by_key.get(&key) {
            let group = self.groups.get_mut(id).expect("the id of a group");
            group.rows.insert(row);
            // Frames up to the earlier of both are only read once more.
            if at.rev < group.at.rev {
                group.at = at;
            }
            return (*id, Arc::clone(&group.key));
        }
        let (id, key) = (self.next_id, Arc::new(key));
        self.next_id += 1;
        self.by_key.insert(Arc::clone(&key), id);
        match &key.filter {
            TopicFilter::All => drop(self.unfiltered.insert(id)),
            TopicFilter::Only(topics) => {
                for topic in topics.iter() {
                    self.by_topic.entry(*topic).or_default().insert(id);
                }
            }
        }
        let group = PollGroup {
            key: Arc::clone(&key),
            at,
            rows: BTreeSet::from([row]),
        };
        self.groups.insert(id, group);
        (id, key)
    }

    /// Removes a poll from its group.
    pub fn remove_row(&mut self, id: u64, row: usize) {
        if let Some(group) = self.groups.get_mut(&id)
            && group.rows.remove(&row)
            && group.rows.is_empty()
        {
            self.take(id);
        }
    }

    /// Removes a group.
    pub fn take(&mut self, id: u64) -> Option<PollGroup> {
        let group = self.groups.remove(&id)?;
        self.by_key.remove(&group.key);
        match &group.key.filter {
            TopicFilter::All => drop(self.unfiltered.remove(&id)),
            TopicFilter::Only(topics) => {
                for topic in topics.iter() {
                    if let Some(ids) = self.by_topic.get_mut(topic) {
                        ids.remove(&id);
                        if ids.is_empty() {
                            self.by_topic.remove(topic);
                        }
                    }
                }
            }
        }
        Some(group)
    }

    /// Returns a group.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut PollGroup> {
        self.groups.get_mut(&id)
    }

    /// Returns all groups.
    pub fn ids(&self) -> Vec<u64> {
        self.groups.keys().copied().collect()
    }

    /// Returns the groups that get a frame of `topic`; all for a frame without topic.
    pub fn subscribers(&self, topic: Option<Topic>) -> Vec<u64> {
        let Some(topic) = topic else {
            return self.ids();
        };
        let filtered = self.by_topic.get(&topic).into_iter().flatten();
        self.unfiltered.iter().chain(filtered).copied().collect()
    }
}
