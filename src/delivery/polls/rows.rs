//! The table of polls, in the order of their sockets.

use std::ops::{Index, IndexMut};

use super::super::ViewerSocket as _;
use super::row::PollRow;

/// A table of polls. The row of a poll is the number of its socket. Rows are reused.
#[derive(Default)]
pub struct PollRows {
    rows: Vec<Option<Box<PollRow>>>,
    count: usize,
}

impl PollRows {
    /// Inserts a poll. Its row must be free.
    pub fn insert(&mut self, poll: PollRow) {
        let row = poll.socket.number();
        if self.rows.len() <= row {
            self.rows.resize_with(row + 1, || None);
        }
        self.rows[row] = Some(Box::new(poll));
        self.count += 1;
    }

    /// Removes a poll.
    pub fn take(&mut self, row: usize) -> Option<Box<PollRow>> {
        let poll = self.rows.get_mut(row)?.take()?;
        self.count -= 1;
        Some(poll)
    }

    /// Returns the poll in `row`.
    pub fn get_mut(&mut self, row: usize) -> Option<&mut PollRow> {
        self.rows.get_mut(row)?.as_deref_mut()
    }

    /// Returns the number of polls.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Iterates over all polls with their rows.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &PollRow)> {
        let rows = self.rows.iter().enumerate();
        rows.filter_map(|(row, poll)| Some((row, poll.as_deref()?)))
    }
}

/// Panics if the row is free.
impl Index<usize> for PollRows {
    type Output = PollRow;

    fn index(&self, row: usize) -> &PollRow {
        self.rows[row].as_ref().expect("the row is taken")
    }
}

impl IndexMut<usize> for PollRows {
    fn index_mut(&mut self, row: usize) -> &mut PollRow {
        self.rows[row].as_mut().expect("the row is taken")
    }
}
