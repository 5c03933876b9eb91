//! The viewers of one worker, indexed by topic.

use std::collections::{BTreeSet, HashMap};

use mio::net::TcpStream;
use slab::Slab;

use super::viewer::{SendOutcome, Viewer, ViewerSocket};
use crate::hub::{Topic, TopicFilter};

/// A table of viewers. The row of a viewer is its token in the event loop. Rows are reused.
pub struct Viewers<S = TcpStream> {
    viewers: Slab<Viewer<S>>,
    /// Rows that subscribed to all topics. Ordered, so that a pass reads memory in one direction.
    unfiltered: BTreeSet<usize>,
    by_topic: HashMap<Topic, BTreeSet<usize>>,
}

impl<S> Default for Viewers<S> {
    fn default() -> Self {
        Viewers {
            viewers: Slab::new(),
            unfiltered: BTreeSet::new(),
            by_topic: HashMap::new(),
        }
    }
}

impl<S: ViewerSocket> Viewers<S> {
    /// Returns the row of the viewer that is inserted next.
    pub fn next_row(&self) -> usize {
        self.viewers.vacant_key()
    }

    /// Inserts a viewer and returns its row.
    pub fn insert(&mut self, viewer: Viewer<S>) -> usize {
        let filter = viewer.filter().clone();
        let row = self.viewers.insert(viewer);
        match filter {
            TopicFilter::All => {
                self.unfiltered.insert(row);
            }
            TopicFilter::Only(topics) => {
                for topic in topics.iter() {
                    self.by_topic.entry(*topic).or_default().insert(row);
                }
            }
        }
        row
    }

    /// Removes a viewer, which closes its connection.
    pub fn remove(&mut self, row: usize) {
        let Some(viewer) = self.viewers.try_remove(row) else {
            return;
        };
        match viewer.filter() {
            TopicFilter::All => {
                self.unfiltered.remove(&row);
            }
            TopicFilter::Only(topics) => {
                for topic in topics.iter() {
                    if let Some(rows) = self.by_topic.get_mut(topic) {
                        rows.remove(&row);
                        if rows.is_empty() {
                            self.by_topic.remove(topic);
                        }
                    }
                }
            }
        }
        if self.viewers.is_empty() {
            // Returns the memory of a crowd that has left.
            *self = Viewers::default();
        }
    }

    /// Removes the viewer if its connection is broken.
    pub fn settle(&mut self, row: usize, outcome: SendOutcome) {
        if outcome == SendOutcome::Broken {
            self.remove(row);
        }
    }

    /// Returns the viewer in `row`.
    pub fn get_mut(&mut self, row: usize) -> Option<&mut Viewer<S>> {
        self.viewers.get_mut(row)
    }

    /// Returns true if there are no viewers.
    pub fn is_empty(&self) -> bool {
        self.viewers.is_empty()
    }

    /// Returns all rows in order.
    pub fn rows(&self) -> Vec<usize> {
        self.viewers.iter().map(|(row, _)| row).collect()
    }

    /// Iterates over all viewers with their rows.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut Viewer<S>)> {
        self.viewers.iter_mut()
    }

    /// Calls `visit` for every viewer that subscribed to all topics.
    pub fn for_each_unfiltered(&mut self, mut visit: impl FnMut(usize, &mut Viewer<S>)) {
        for row in &self.unfiltered {
            visit(*row, &mut self.viewers[*row]);
        }
    }

    /// Returns the rows that subscribed to `topic`, without those that subscribed to all topics.
    pub fn subscribers(&self, topic: Topic) -> impl Iterator<Item = usize> {
        self.by_topic.get(&topic).into_iter().flatten().copied()
    }
}
