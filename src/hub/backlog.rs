//! The newest changes, already encoded, for viewers who come back after a moment.

use std::collections::VecDeque;

use crate::model::Rev;
use crate::wire::Frame;

/// Frames kept in memory, at about half a kilobyte each. Covers a reconnect, a page load and a
/// restart; what is older comes from the store's log.
pub const BACKLOG_LIMIT: usize = 4096;

/// A window over the newest frames, without a hole.
pub struct Backlog {
    frames: VecDeque<Frame>,
    /// The rev before the oldest frame: from here on, every change is in `frames`.
    floor: Rev,
}

impl Backlog {
    /// An empty window that starts after `floor`.
    pub fn new(floor: Rev) -> Self {
        Backlog {
            frames: VecDeque::new(),
            floor,
        }
    }

    /// Appends the frame of the next rev, and drops the oldest when the window is full.
    pub fn push(&mut self, frame: Frame) {
        if self.frames.len() == BACKLOG_LIMIT
            && let Some(oldest) = self.frames.pop_front()
        {
            self.floor = oldest.rev();
        }
        self.frames.push_back(frame);
    }

    /// Every frame after `rev`, oldest first; `None` when some of them are no longer here.
    pub fn after(&self, rev: Rev) -> Option<impl Iterator<Item = &Frame>> {
        if rev < self.floor {
            return None;
        }
        let start = self.frames.partition_point(|frame| frame.rev() <= rev);
        Some(self.frames.range(start..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::change;
    use crate::model::{ChangeKind, Epoch};

    fn frame(rev: u64) -> Frame {
        Frame::from_change(Epoch::new(1), &change(rev, 1, ChangeKind::Gone(None)))
    }

    #[test]
    fn the_window_says_so_when_it_no_longer_reaches_back_far_enough() {
        let mut backlog = Backlog::new(Rev::new(10));
        let newest = 10 + BACKLOG_LIMIT as u64 + 5;
        for rev in 11..=newest {
            backlog.push(frame(rev));
        }
        assert!(backlog.after(Rev::new(14)).is_none());
        let revs: Vec<u64> = backlog
            .after(Rev::new(15))
            .unwrap()
            .map(|frame| frame.rev().get())
            .collect();
        assert_eq!(revs, (16..=newest).collect::<Vec<_>>());
        assert_eq!(backlog.after(Rev::new(newest)).unwrap().count(), 0);
    }

    #[test]
    fn an_empty_window_serves_exactly_its_floor() {
        let backlog = Backlog::new(Rev::new(10));
        assert_eq!(backlog.after(Rev::new(10)).unwrap().count(), 0);
        assert!(backlog.after(Rev::new(9)).is_none());
    }
}
