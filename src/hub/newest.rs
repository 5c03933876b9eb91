//! The newest frames of each pet: what a viewer who slept is given instead of everything.
//!
//! Conflation by pet. However long a viewer sleeps, at most one status and one record of each pet
//! wait for it, and they wait here, once for everyone, not with the viewer.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::filter::Filter;
use crate::model::{PetId, Rev};
use crate::wire::{Frame, FrameKind};

/// Removed pets that are remembered. A viewer who slept through more removals gets a snapshot.
const GONE_LIMIT: usize = 1024;

/// The newest frames of each pet since some rev.
pub struct Newest {
    /// Viewers who were given everything up to here, or later, can be served.
    floor: Rev,
    frames: BTreeMap<Rev, Frame>,
    kept: HashMap<PetId, Kept>,
    gone: VecDeque<(Rev, PetId)>,
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
        let Some(pet) = frame.pet() else { return };
        let rev = frame.rev();
        let kept = self.kept.entry(pet).or_default();
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
            self.remember_gone(rev, pet);
        }
        self.frames.insert(rev, frame);
    }

    /// The newest frames after `rev`, in the order of their revs; `None` when some that matter
    /// are forgotten.
    pub fn after<'a>(
        &'a self,
        rev: Rev,
        filter: &'a Filter,
    ) -> Option<impl Iterator<Item = &'a Frame>> {
        let frames = (rev >= self.floor).then(|| self.frames.range(rev.next()..))?;
        let frames = frames.map(|(_, frame)| frame);
        Some(frames.filter(|frame| frame.pet().is_some_and(|pet| filter.wants(pet))))
    }

    fn remember_gone(&mut self, rev: Rev, pet: PetId) {
        self.gone.push_back((rev, pet));
        if self.gone.len() > GONE_LIMIT
            && let Some((rev, pet)) = self.gone.pop_front()
        {
            self.frames.remove(&rev);
            self.kept.remove(&pet);
            self.floor = rev;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{By, Change, ChangeKind, Epoch, Moment, Status};

    fn frame(rev: u64, pet: u64, kind: ChangeKind) -> Frame {
        let change = Change {
            rev: Rev::new(rev),
            at: Moment::from_micros(0),
            by: By::Api,
            pet: PetId::new(pet),
            kind,
        };
        Frame::of_change(Epoch::new(1), &change)
    }

    fn revs(newest: &Newest, after: u64, filter: &Filter) -> Vec<u64> {
        let frames = newest.after(Rev::new(after), filter).unwrap();
        frames.map(|frame| frame.rev().get()).collect()
    }

    #[test]
    fn at_most_one_status_of_each_pet_waits() {
        let mut newest = Newest::new(Rev::ZERO);
        for rev in 1..=1000 {
            let status = ChangeKind::Status(Status::Eating);
            newest.push(frame(rev, rev % 3, status));
        }
        assert_eq!(newest.frames.len(), 3);
        assert_eq!(revs(&newest, 0, &Filter::All), [998, 999, 1000]);
        assert_eq!(revs(&newest, 999, &Filter::All), [1000]);
        let only = Filter::of(vec![PetId::new(2)]).unwrap();
        assert_eq!(revs(&newest, 0, &only), [998]);
    }

    #[test]
    fn a_removal_makes_everything_before_it_old_and_is_forgotten_in_time() {
        let mut newest = Newest::new(Rev::ZERO);
        newest.push(frame(1, 7, ChangeKind::Status(Status::Eating)));
        newest.push(frame(2, 7, ChangeKind::Gone));
        assert_eq!(revs(&newest, 0, &Filter::All), [2]);
        for rev in 3..3 + GONE_LIMIT as u64 {
            newest.push(frame(rev, rev + 100, ChangeKind::Gone));
        }
        assert!(newest.after(Rev::new(1), &Filter::All).is_none());
        assert_eq!(revs(&newest, 2, &Filter::All).len(), GONE_LIMIT);
        assert_eq!(newest.kept.len(), GONE_LIMIT);
    }
}
