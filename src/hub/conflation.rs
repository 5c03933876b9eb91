//! The newest frames per topic, for viewers that fell behind.
//!
//! Conflation: however long a viewer sleeps, at most one status and one record of each topic wait for
//! it, and they wait here, once for all viewers.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::topic_filter::TopicFilter;
use crate::model::Rev;
use crate::wire::{Frame, FrameKind, Topic};

/// Removed topics that are kept. A viewer that slept through more removals gets a snapshot.
const GONE_LIMIT: usize = 1024;

/// The newest frames per topic since some rev.
pub struct ConflatedFrames {
    /// Viewers that have received everything up to here can be served.
    floor: Rev,
    frames: BTreeMap<Rev, Frame>,
    by_topic: HashMap<Topic, TopicRevs>,
    gone: VecDeque<(Rev, Topic)>,
}

/// The revs of a topic's newest frames.
#[derive(Default)]
struct TopicRevs {
    /// The last `pet` or `gone`.
    record: Option<Rev>,
    /// The last `status` after it.
    status: Option<Rev>,
}

impl ConflatedFrames {
    /// Starts without frames after `floor`.
    pub fn new(floor: Rev) -> Self {
        ConflatedFrames {
            floor,
            frames: BTreeMap::new(),
            by_topic: HashMap::new(),
            gone: VecDeque::new(),
        }
    }

    /// Adds the frame of the next rev, and removes those that it makes obsolete.
    pub fn push(&mut self, frame: Frame) {
        let Some(topic) = frame.topic() else { return };
        let rev = frame.rev();
        let revs = self.by_topic.entry(topic).or_default();
        let obsolete = match frame.kind() {
            FrameKind::Status => [revs.status.replace(rev), None],
            FrameKind::Pet | FrameKind::Gone | FrameKind::Snapshot => {
                [revs.status.take(), revs.record.replace(rev)]
            }
        };
        for rev in obsolete.into_iter().flatten() {
            self.frames.remove(&rev);
        }
        if frame.kind() == FrameKind::Gone {
            self.push_gone(rev, topic);
        }
        self.frames.insert(rev, frame);
    }

    /// Returns the newest frames after `rev`, in the order of their revs, up to about `limit_bytes` of
    /// JSON, and true if these are all. Returns `None` if some of them are no longer known.
    pub fn after(
        &self,
        rev: Rev,
        filter: &TopicFilter,
        limit_bytes: usize,
    ) -> Option<(Vec<Frame>, bool)> {
        if rev < self.floor {
            return None;
        }
        let (mut frames, mut bytes) = (Vec::new(), 0);
        for frame in self.filtered(rev, filter) {
            if bytes >= limit_bytes {
                return Some((frames, false));
            }
            bytes += frame.json().len();
            frames.push(frame.clone());
        }
        Some((frames, true))
    }

    /// Returns the frames after `rev` that `filter` contains. Looks only at the topics of the filter.
    fn filtered<'a>(
        &'a self,
        rev: Rev,
        filter: &TopicFilter,
    ) -> Box<dyn Iterator<Item = &'a Frame> + 'a> {
        let TopicFilter::Only(topics) = filter else {
            return Box::new(self.frames.range(rev.next()..).map(|(_, frame)| frame));
        };
        let known = topics.iter().filter_map(|topic| self.by_topic.get(topic));
        let revs = known.flat_map(|revs| [revs.record, revs.status]).flatten();
        let mut revs: Vec<Rev> = revs.filter(|newest| *newest > rev).collect();
        revs.sort_unstable();
        Box::new(revs.into_iter().filter_map(|rev| self.frames.get(&rev)))
    }

    fn push_gone(&mut self, rev: Rev, topic: Topic) {
        self.gone.push_back((rev, topic));
        if self.gone.len() > GONE_LIMIT
            && let Some((rev, topic)) = self.gone.pop_front()
        {
            // A pet that was private may be back.
            let is_last = |revs: &TopicRevs| revs.record == Some(rev);
            if self.by_topic.get(&topic).is_some_and(is_last) {
                self.frames.remove(&rev);
                self.by_topic.remove(&topic);
            }
            self.floor = rev;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::change;
    use crate::model::{ChangeKind, Epoch, PetId, Status};
    use crate::wire::Predecessors;

    fn frame(rev: u64, pet: u64, kind: ChangeKind) -> Frame {
        {
            let before = Predecessors::both(Rev::new(rev - 1));
            Frame::from_change(Epoch::new(1), &change(rev, pet, kind), before)
        }
    }

    fn revs(conflated: &ConflatedFrames, after: u64, filter: &TopicFilter) -> Vec<u64> {
        let (frames, is_whole) = conflated
            .after(Rev::new(after), filter, usize::MAX)
            .unwrap();
        assert!(is_whole);
        frames.iter().map(|frame| frame.rev().get()).collect()
    }

    #[test]
    fn at_most_one_status_per_topic_waits() {
        let mut conflated = ConflatedFrames::new(Rev::ZERO);
        for rev in 1..=1000 {
            let status = ChangeKind::Status(Status::Eating);
            conflated.push(frame(rev, rev % 3, status));
        }
        assert_eq!(conflated.frames.len(), 3);
        assert_eq!(revs(&conflated, 0, &TopicFilter::All), [998, 999, 1000]);
        assert_eq!(revs(&conflated, 999, &TopicFilter::All), [1000]);
        let only = TopicFilter::new([PetId::new(2).into()]).unwrap();
        assert_eq!(revs(&conflated, 0, &only), [998]);
        let (some, is_whole) = conflated.after(Rev::ZERO, &TopicFilter::All, 1).unwrap();
        assert!(
            some.len() == 1 && !is_whole,
            "the oldest first, and more to come"
        );
    }

    #[test]
    fn a_removal_replaces_earlier_frames_and_is_dropped_after_many_others() {
        let mut conflated = ConflatedFrames::new(Rev::ZERO);
        conflated.push(frame(1, 7, ChangeKind::Status(Status::Eating)));
        conflated.push(frame(2, 7, ChangeKind::Gone(None)));
        assert_eq!(revs(&conflated, 0, &TopicFilter::All), [2]);
        for rev in 3..3 + GONE_LIMIT as u64 {
            conflated.push(frame(rev, rev + 100, ChangeKind::Gone(None)));
        }
        assert!(conflated.after(Rev::new(1), &TopicFilter::All, 1).is_none());
        assert_eq!(revs(&conflated, 2, &TopicFilter::All).len(), GONE_LIMIT);
        assert_eq!(conflated.by_topic.len(), GONE_LIMIT);
    }

    /// A pet that was private and is public again: the removal of its last frames came with the 1024th
    /// `gone` after its own.
    #[test]
    fn a_pet_that_is_back_stays_when_its_gone_is_dropped() {
        let mut conflated = ConflatedFrames::new(Rev::ZERO);
        conflated.push(frame(1, 7, ChangeKind::Gone(None)));
        let back = ChangeKind::Pet(std::sync::Arc::new(crate::model::example::pet(7)));
        conflated.push(frame(2, 7, back));
        for rev in 3..3 + GONE_LIMIT as u64 {
            conflated.push(frame(rev, rev + 100, ChangeKind::Gone(None)));
        }
        let only = TopicFilter::new([PetId::new(7).into()]).unwrap();
        assert_eq!(revs(&conflated, 1, &only), [2]);
    }
}
