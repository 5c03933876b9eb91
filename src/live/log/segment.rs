//! A part of the log: the changes after a cursor.

use std::sync::Arc;

use crate::hub::{Chain, Hub, TopicFilter};
use crate::model::{Cursor, Rev};
use crate::wire::{Frame, FrameKind};

/// A full segment ends at a multiple of this rev, so that readers that came with different cursors continue
/// from the same one.
const ALIGNMENT: u64 = 256;

/// A full segment has at least this many changes. A reader of few pets would otherwise get many segments with
/// hardly anything in them.
const FULL: usize = 128;

/// The changes after a cursor, as far as one answer has them.
pub struct Segment {
    /// The cursor of a reader that has received them.
    pub cursor: Cursor,
    /// True if later changes do not belong to it: it stays the same as long as no pet becomes private.
    pub is_full: bool,
    frames: Vec<Frame>,
    chain: Chain,
}

impl Segment {
    /// Reads the changes of `filter` after `since`. Returns `None` if the node cannot continue from `since`: it is
    /// of another epoch, too old, or of the future.
    pub async fn read(hub: &Arc<Hub>, filter: &TopicFilter, since: Cursor) -> Option<Self> {
        let mut catch_up = hub.catch_up(filter.clone(), Some(since));
        let chain = catch_up.chain();
        let mut frames: Vec<Frame> = Vec::new();
        while !catch_up.starts_over() {
            let chunk = catch_up.next().await;
            let first = chunk.frames.first();
            if first.is_some_and(|frame| frame.kind() == FrameKind::Snapshot) {
                return None;
            }
            frames.extend(chunk.frames);
            let announced = hub.cursor().rev;
            let end = end_of_full(&frames).filter(|end| *end <= chunk.reaches.min(announced));
            let at = |rev| Cursor { rev, ..since };
            if let Some(end) = end {
                frames.truncate(frames.partition_point(|frame| frame.rev() <= end));
            } else if !chunk.is_whole {
                continue;
            }
            // A reader learns of no change of a private pet, not even by its number.
            let named = Some(chunk.reaches).filter(|reaches| *reaches <= announced);
            let last = frames.last().map_or(since.rev, Frame::rev);
            return Some(Segment {
                cursor: at(end.or(named).unwrap_or(last)),
                is_full: end.is_some(),
                frames,
                chain,
            });
        }
        None
    }

    /// Returns true if there are no changes.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Returns the messages as JSON, separated by commas.
    pub fn messages(mut self) -> String {
        let frames = self.frames.iter();
        let messages: Vec<_> = frames.map(|frame| self.chain.link_json(frame)).collect();
        messages.join(",")
    }
}

/// Returns the last rev of the full segment that begins with `frames`, or `None` if they are too few. It depends
/// only on what was committed.
fn end_of_full(frames: &[Frame]) -> Option<Rev> {
    let last = frames.get(FULL - 1)?.rev().get();
    Some(Rev::new(last.next_multiple_of(ALIGNMENT)))
}
