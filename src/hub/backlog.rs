//! The newest changes, encoded, for viewers that reconnect.

use std::collections::VecDeque;

use crate::model::Rev;
use crate::wire::{Frame, Topic};

/// Frames kept in memory, at about half a kilobyte each. Enough for a reconnect, a page load and a
/// restart. Older changes are read from the store's log.
pub const BACKLOG_LIMIT: usize = 4096;

/// The newest frames, without those of pets that became private later.
pub struct Backlog {
    frames: VecDeque<Frame>,
    /// The rev before the oldest frame: from here on, every change is in `frames`.
    floor: Rev,
}

impl Backlog {
    /// Creates an empty backlog that starts after `floor`.
    pub fn new(floor: Rev) -> Self {
        Backlog {
            frames: VecDeque::new(),
            floor,
        }
    }

    /// Appends the frame of the next rev, and drops the oldest if the backlog is full.
    pub fn push(&mut self, frame: Frame) {
        if self.frames.len() == BACKLOG_LIMIT
            && let Some(oldest) = self.frames.pop_front()
        {
            self.floor = oldest.rev();
        }
        self.frames.push_back(frame);
    }

    /// Removes the frames of a topic, about which nothing older than the next frame is to be sent.
    pub fn remove_topic(&mut self, topic: Topic) {
        self.frames.retain(|frame| frame.topic() != Some(topic));
    }

    /// Returns every frame after `rev`, oldest first; `None` if some of them were dropped for newer ones.
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
    use crate::wire::Predecessors;

    fn frame(rev: u64) -> Frame {
        {
            let before = Predecessors::both(Rev::new(rev - 1));
            Frame::from_change(
                Epoch::new(1),
                &change(rev, 1, ChangeKind::Gone(None)),
                before,
            )
        }
    }

    #[test]
    fn a_backlog_that_dropped_a_wanted_frame_returns_none() {
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
    fn an_empty_backlog_serves_exactly_its_floor() {
        let backlog = Backlog::new(Rev::new(10));
        assert_eq!(backlog.after(Rev::new(10)).unwrap().count(), 0);
        assert!(backlog.after(Rev::new(9)).is_none());
    }
}
