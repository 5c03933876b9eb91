//! The viewers of one worker, in the order of their sockets, and indexed by topic.

use std::collections::{BTreeSet, HashMap};

use mio::net::TcpStream;

use super::viewer::{SendOutcome, Viewer, ViewerSocket};
use crate::hub::{Topic, TopicFilter};

/// Rows in one block. A worker owns whole blocks, so that it walks neighbouring entries of the
/// operating system's table of files, eight of which share a cache line.
pub const BLOCK_ROWS: usize = 64;

/// A table of viewers. The row of a viewer is the number of its socket, and its token in the event
/// loop. Rows are reused.
pub struct Viewers<S = TcpStream> {
    blocks: Vec<RowBlock<S>>,
    count: usize,
    by_topic: HashMap<Topic, BTreeSet<usize>>,
}

/// Neighbouring rows. A pass reads them in order.
struct RowBlock<S> {
    /// `None` if no row is taken.
    rows: Option<Box<[Option<Viewer<S>>; BLOCK_ROWS]>>,
    /// The rows that are taken, a bit each.
    taken: u64,
    /// The taken rows that subscribed to all topics, a bit each.
    unfiltered: u64,
}

impl<S> Default for RowBlock<S> {
    fn default() -> Self {
        RowBlock {
            rows: None,
            taken: 0,
            unfiltered: 0,
        }
    }
}

impl<S> Default for Viewers<S> {
    fn default() -> Self {
        Viewers {
            blocks: Vec::new(),
            count: 0,
            by_topic: HashMap::new(),
        }
    }
}

impl<S: ViewerSocket> Viewers<S> {
    /// Inserts a viewer and returns its row.
    pub fn insert(&mut self, viewer: Viewer<S>) -> usize {
        let row = viewer.row();
        let (index, place) = (row / BLOCK_ROWS, row % BLOCK_ROWS);
        if self.blocks.len() <= index {
            self.blocks.resize_with(index + 1, RowBlock::default);
        }
        let block = &mut self.blocks[index];
        block.taken |= 1 << place;
        match viewer.filter() {
            TopicFilter::All => block.unfiltered |= 1 << place,
            TopicFilter::Only(topics) => {
                for topic in topics.iter() {
                    self.by_topic.entry(*topic).or_default().insert(row);
                }
            }
        }
        let rows = block
            .rows
            .get_or_insert_with(|| Box::new([const { None }; BLOCK_ROWS]));
        rows[place] = Some(viewer);
        self.count += 1;
        row
    }

    /// Removes a viewer, which closes its connection.
    pub fn remove(&mut self, row: usize) {
        drop(self.take(row));
    }

    /// Removes a viewer without closing its connection.
    pub fn take(&mut self, row: usize) -> Option<Viewer<S>> {
        let block = self.blocks.get_mut(row / BLOCK_ROWS)?;
        let place = row % BLOCK_ROWS;
        let viewer = block.rows.as_mut()?[place].take()?;
        block.taken &= !(1 << place);
        block.unfiltered &= !(1 << place);
        if block.taken == 0 {
            block.rows = None;
        }
        if let TopicFilter::Only(topics) = viewer.filter() {
            for topic in topics.iter() {
                if let Some(rows) = self.by_topic.get_mut(topic) {
                    rows.remove(&row);
                    if rows.is_empty() {
                        self.by_topic.remove(topic);
                    }
                }
            }
        }
        self.count -= 1;
        if self.count == 0 {
            // Returns the memory of a crowd that has left.
            *self = Viewers::default();
        }
        Some(viewer)
    }

    /// Removes the viewer if its connection is broken.
    pub fn settle(&mut self, row: usize, outcome: SendOutcome) {
        if outcome == SendOutcome::Broken {
            self.remove(row);
        }
    }

    /// Returns the viewer in `row`.
    pub fn get_mut(&mut self, row: usize) -> Option<&mut Viewer<S>> {
        let block = self.blocks.get_mut(row / BLOCK_ROWS)?;
        block.rows.as_mut()?[row % BLOCK_ROWS].as_mut()
    }

    /// Returns the number of viewers.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns true if there are no viewers.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns all rows in order.
    pub fn rows(&self) -> Vec<usize> {
        let blocks = self.blocks.iter().enumerate();
        blocks
            .flat_map(|(index, block)| bits(block.taken).map(move |bit| index * BLOCK_ROWS + bit))
            .collect()
    }

    /// Iterates over all viewers with their rows.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut Viewer<S>)> {
        let rows = self
            .blocks
            .iter_mut()
            .filter_map(|block| block.rows.as_mut());
        let viewers = rows.flat_map(|rows| rows.iter_mut().flatten());
        viewers.map(|viewer| (viewer.row(), viewer))
    }

    /// Calls `visit` for every viewer that subscribed to all topics.
    pub fn for_each_unfiltered(&mut self, mut visit: impl FnMut(usize, &mut Viewer<S>)) {
        for (index, block) in self.blocks.iter_mut().enumerate() {
            let Some(rows) = &mut block.rows else {
                continue;
            };
            for place in bits(block.unfiltered) {
                if let Some(viewer) = &mut rows[place] {
                    visit(index * BLOCK_ROWS + place, viewer);
                }
            }
        }
    }

    /// Returns the rows that subscribed to `topic`, without those that subscribed to all topics.
    pub fn subscribers(&self, topic: Topic) -> impl Iterator<Item = usize> {
        self.by_topic.get(&topic).into_iter().flatten().copied()
    }
}

/// Returns the positions of the bits that are set, in order.
fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then_some(word.trailing_zeros() as usize)?;
        word &= word - 1;
        Some(bit)
    })
}
