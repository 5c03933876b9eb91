//! The newest frames of each pet: what a viewer who slept is given instead of everything.
//!
//! Conflation by pet. However long a viewer sleeps, at most one status and one record of each pet
//! wait for it, and they wait here, once for everyone, not with the viewer.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::topic_filter::TopicFilter;
use crate::model::Rev;
use crate::wire::{Frame, FrameKind, Topic};

/// Removed pets that are remembered. A viewer who slept through more removals gets a snapshot.
const GONE_LIMIT: usize = 1024;

/// The newest frames of each pet since some rev.
pub struct Newest {
    /// Viewers who were given everything up to here, or later, can be served.
    floor: Rev,
    frames: BTreeMap<Rev, Frame>,
    kept: HashMap<Topic, Kept>,
    gone: VecDeque<(Rev, Topic)>,
}

/// Which frames of a pet are kept.
#[derive(Default)]
struct Kept {
    /// The last `pet` or `gone`.
    record: Option<Rev>,
    /// The last `status` after it.
    status: Option<Rev>,
}

impl Newest {
    pub fn new(floor: Rev) -> Self {
        Newest {
            floor,
            frames: BTreeMap::new(),
            kept: HashMap::new(),
            gone: VecDeque::new(),
        }
    }

    /// Takes the frame of the next rev, and forgets what it makes old.
    pub fn push(&mut self, frame: Frame) {
        let Some(topic) = frame.topic() else {
            return;
        };
        let rev = frame.rev();
        let kept = self.kept.entry(topic).or_default();
        let old = match frame.kind() {
            FrameKind::Status => [kept.status.replace(rev), None],
            FrameKind::Pet | FrameKind::Gone | FrameKind::Snapshot => {
                [kept.status.take(), kept.record.replace(rev)]
            }
        };
        for rev in old.into_iter().flatten() {
            self.frames.remove(&rev);
        }
        if frame.kind() == FrameKind::Gone {
            self.remember_gone(rev, topic);
        }
        self.frames.insert(rev, frame);
    }

    /// The newest frames after `rev`, in the order of their revs, up to about `limit_bytes` of
    /// JSON, and whether that is all; `None` when some that matter are forgotten.
    pub fn after(
        &self,
        rev: Rev,
        filter: &TopicFilter,
        limit_bytes: usize,
    ) -> Option<(Vec<Frame>, bool)> {
        if rev < self.floor {
            return None;
        }
        let (mut given, mut bytes) = (Vec::new(), 0);
        for frame in self.wanted(rev, filter) {
            if bytes >= limit_bytes {
                return Some((given, false));
            }
            bytes += frame.json().len();
            given.push(frame.clone());
        }
        Some((given, true))
    }

    /// The newest frames after `rev`. For some pets, only those are looked at.
    fn wanted<'a>(
        &'a self,
        rev: Rev,
        filter: &TopicFilter,
    ) -> Box<dyn Iterator<Item = &'a Frame> + 'a> {
        let TopicFilter::Only(topics) = filter else {
            return Box::new(self.frames.range(rev.next()..).map(|(_, frame)| frame));
        };
        let kept = topics.iter().filter_map(|topic| self.kept.get(topic));
        let revs = kept.flat_map(|kept| [kept.record, kept.status]).flatten();
        let mut revs: Vec<Rev> = revs.filter(|kept| *kept > rev).collect();
        revs.sort_unstable();
        Box::new(revs.into_iter().filter_map(|rev| self.frames.get(&rev)))
    }

    fn remember_gone(&mut self, rev: Rev, topic: Topic) {
        self.gone.push_back((rev, topic));
        if self.gone.len() > GONE_LIMIT
            && let Some((rev, topic)) = self.gone.pop_front()
        {
            self.frames.remove(&rev);
            self.kept.remove(&topic);
            self.floor = rev;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::change;
    use crate::model::{ChangeKind, Epoch, PetId, Status};

    fn frame(rev: u64, pet: u64, kind: ChangeKind) -> Frame {
        Frame::from_change(Epoch::new(1), &change(rev, pet, kind))
    }

    fn revs(newest: &Newest, after: u64, filter: &TopicFilter) -> Vec<u64> {
        let (frames, is_whole) = newest.after(Rev::new(after), filter, usize::MAX).unwrap();
        assert!(is_whole);
        frames.iter().map(|frame| frame.rev().get()).collect()
    }

    #[test]
    fn at_most_one_status_of_each_pet_waits() {
        let mut newest = Newest::new(Rev::ZERO);
        for rev in 1..=1000 {
            let status = ChangeKind::Status(Status::Eating);
            newest.push(frame(rev, rev % 3, status));
        }
        assert_eq!(newest.frames.len(), 3);
        assert_eq!(revs(&newest, 0, &TopicFilter::All), [998, 999, 1000]);
        assert_eq!(revs(&newest, 999, &TopicFilter::All), [1000]);
        let only = TopicFilter::new([PetId::new(2).into()]).unwrap();
        assert_eq!(revs(&newest, 0, &only), [998]);
        let (some, is_whole) = newest.after(Rev::ZERO, &TopicFilter::All, 1).unwrap();
        assert!(
            some.len() == 1 && !is_whole,
            "the oldest first, and more to come"
        );
    }

    #[test]
    fn a_removal_makes_everything_before_it_old_and_is_forgotten_in_time() {
        let mut newest = Newest::new(Rev::ZERO);
        newest.push(frame(1, 7, ChangeKind::Status(Status::Eating)));
        newest.push(frame(2, 7, ChangeKind::Gone(None)));
        assert_eq!(revs(&newest, 0, &TopicFilter::All), [2]);
        for rev in 3..3 + GONE_LIMIT as u64 {
            newest.push(frame(rev, rev + 100, ChangeKind::Gone(None)));
        }
        assert!(newest.after(Rev::new(1), &TopicFilter::All, 1).is_none());
        assert_eq!(revs(&newest, 2, &TopicFilter::All).len(), GONE_LIMIT);
        assert_eq!(newest.kept.len(), GONE_LIMIT);
    }
}
