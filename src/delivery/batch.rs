//! Merges the frames of one pass into one run of bytes per encoding.

use bytes::{Bytes, BytesMut};

use crate::hub::Chain;
use crate::model::Rev;
use crate::wire::{Encoding, Frame};

/// Frames in the order of their revs, and their merged bytes in each encoding that a viewer needed.
pub struct FrameBatch {
    frames: Vec<Frame>,
    merged: [Option<MergedFrames>; Encoding::ALL.len()],
}

struct MergedFrames {
    bytes: Bytes,
    /// Where each frame ends.
    ends: Vec<usize>,
}

impl FrameBatch {
    /// Creates a batch, or returns `None` if there are no frames.
    pub fn new(frames: Vec<Frame>) -> Option<Self> {
        let merged = [None, None, None];
        (!frames.is_empty()).then_some(FrameBatch { frames, merged })
    }

    /// Returns the frames.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// Returns the rev of the last frame.
    pub fn last_rev(&self) -> Rev {
        self.frames.last().map_or(Rev::ZERO, Frame::rev)
    }

    /// Returns the frames after `at`.
    pub fn frames_after(&self, at: Rev) -> &[Frame] {
        let skipped = self.frames.partition_point(|frame| frame.rev() <= at);
        &self.frames[skipped..]
    }

    /// Returns the bytes of all frames after `at`, which all viewers of all topics share.
    pub fn after(&mut self, at: Rev, encoding: Encoding) -> Bytes {
        let skipped = self.frames.len() - self.frames_after(at).len();
        let merged = self.merged[encoding.index()]
            .get_or_insert_with(|| MergedFrames::new(&self.frames, encoding));
        if skipped == 0 {
            merged.bytes.clone()
        } else {
            merged.bytes.slice(merged.ends[skipped - 1]..)
        }
    }
}

impl MergedFrames {
    fn new(frames: &[Frame], encoding: Encoding) -> Self {
        if let [frame] = frames {
            let bytes = frame.bytes(encoding).clone();
            let ends = vec![bytes.len()];
            return MergedFrames { bytes, ends };
        }
        let mut bytes = BytesMut::new();
        let mut ends = Vec::with_capacity(frames.len());
        for frame in frames {
            bytes.extend_from_slice(frame.bytes(encoding));
            ends.push(bytes.len());
        }
        let bytes = bytes.freeze();
        MergedFrames { bytes, ends }
    }
}

/// Concatenates the frames for the viewer of `chain`.
pub fn concatenate<'a>(
    frames: impl IntoIterator<Item = &'a Frame>,
    encoding: Encoding,
    chain: &mut Chain,
) -> Bytes {
    let mut frames = frames.into_iter();
    let Some(first) = frames.next() else {
        return Bytes::new();
    };
    let first = chain.link(first, encoding);
    let mut rest = frames.peekable();
    if rest.peek().is_none() {
        return first;
    }
    let mut bytes = BytesMut::from(&first[..]);
    for frame in rest {
        bytes.extend_from_slice(&chain.link(frame, encoding));
    }
    bytes.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::TopicFilter;
    use crate::model::example::change;
    use crate::model::{ChangeKind, Epoch};
    use crate::wire::Predecessors;

    fn frames(revs: std::ops::RangeInclusive<u64>) -> Vec<Frame> {
        let frame = |rev| {
            let before = Predecessors::both(Rev::new(rev - 1));
            Frame::from_change(
                Epoch::new(1),
                &change(rev, 1, ChangeKind::Gone(None)),
                before,
            )
        };
        revs.map(frame).collect()
    }

    #[test]
    fn viewers_at_different_revs_share_the_same_bytes() {
        let frames = frames(8..=12);
        let mut batch = FrameBatch::new(frames.clone()).unwrap();
        for encoding in Encoding::ALL {
            let all = batch.after(Rev::new(7), encoding);
            for at in 0..=12_u64 {
                let skipped = usize::try_from(at.saturating_sub(7)).unwrap();
                let mut chain = Chain::new(TopicFilter::All, Rev::new(at.max(7)));
                let expected = concatenate(&frames[skipped.min(5)..], encoding, &mut chain);
                let bytes = batch.after(Rev::new(at), encoding);
                assert_eq!(bytes, expected);
                let offset = all.len() - bytes.len();
                assert!(bytes.is_empty() || bytes.as_ptr() == all[offset..].as_ptr());
            }
        }
        assert_eq!(batch.last_rev(), Rev::new(12));
    }
}
