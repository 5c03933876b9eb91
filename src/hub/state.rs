//! What the hub knows at one rev: the board, the backlog and the snapshots encoded so far.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use super::backlog::{BACKLOG_LIMIT, Backlog};
use super::catch_up::Chunk;
use super::filter::Filter;
use super::newest::Newest;
use crate::model::{Change, Epoch, Pet, PetId, Rev};
use crate::store::{Engine, StoreError};
use crate::wire::Frame;

/// Encoded snapshots kept for one rev. Above it they are encoded per viewer, which is slower and
/// still right: a bound on memory against someone who asks for every combination of pets.
const SNAPSHOTS_KEPT: usize = 1024;

/// Behind the hub's lock; nothing here waits.
pub struct State {
    rev: Rev,
    next_pet: PetId,
    pets: BTreeMap<PetId, Arc<Pet>>,
    backlog: Backlog,
    newest: Newest,
    /// Of the current rev; emptied with every change.
    snapshots: HashMap<Filter, Snapshot>,
}

/// A snapshot that is encoded when somebody first wants it.
#[derive(Clone)]
pub struct Snapshot {
    rev: Rev,
    pets: Arc<[Arc<Pet>]>,
    frame: Arc<OnceLock<Frame>>,
}

impl Snapshot {
    /// The frame, encoded once however many ask at the same moment.
    pub fn encode(&self, epoch: Epoch) -> Frame {
        let pets = self.pets.iter().map(|pet| &**pet);
        let encode = || Frame::of_snapshot(epoch, self.rev, pets);
        self.frame.get_or_init(encode).clone()
    }
}

impl State {
    /// The state of `engine`, with the newest changes of its log in the backlog, so that viewers
    /// who come back after a restart are served from memory.
    pub fn load(engine: &dyn Engine) -> Result<Self, StoreError> {
        let snapshot = engine.snapshot()?;
        let reach = Rev::new(snapshot.rev.get().saturating_sub(BACKLOG_LIMIT as u64));
        let tail = engine.tail(reach, BACKLOG_LIMIT)?;
        let is_whole = tail.first().is_some_and(|first| first.rev == reach.next());
        let mut backlog = Backlog::new(if is_whole { reach } else { snapshot.rev });
        if is_whole {
            for change in &tail {
                backlog.push(Frame::of_change(engine.epoch(), change));
            }
        }
        let pets = snapshot.pets.into_iter();
        Ok(State {
            rev: snapshot.rev,
            next_pet: snapshot.next_pet,
            pets: pets.map(|pet| (pet.id, Arc::new(pet))).collect(),
            backlog,
            newest: Newest::new(snapshot.rev),
            snapshots: HashMap::new(),
        })
    }

    pub fn rev(&self) -> Rev {
        self.rev
    }

    /// The id that the next pet gets.
    pub fn next_pet(&self) -> PetId {
        self.next_pet
    }

    pub fn pets(&self) -> &BTreeMap<PetId, Arc<Pet>> {
        &self.pets
    }

    /// The first `limit` changes after `since`, if they are in memory.
    pub fn replay(&self, filter: &Filter, since: Rev, limit: usize) -> Option<Chunk> {
        let frames = self.backlog.after(since)?;
        let mut wanted = frames.filter(|frame| frame.pet().is_none_or(|pet| filter.wants(pet)));
        let given = wanted.by_ref().take(limit).cloned().collect();
        let is_whole = wanted.next().is_none();
        Some(self.chunk(since, given, is_whole))
    }

    /// The newest status of each pet since `since`, up to about `limit_bytes` of JSON; `None` when
    /// some that matter are forgotten.
    pub fn newest_after(&self, filter: &Filter, since: Rev, limit_bytes: usize) -> Option<Chunk> {
        let (frames, is_whole) = self.newest.after(since, filter, limit_bytes)?;
        Some(self.chunk(since, frames, is_whole))
    }

    fn chunk(&self, since: Rev, frames: Vec<Frame>, is_whole: bool) -> Chunk {
        let last = frames.last().map_or(since, Frame::rev);
        Chunk {
            reaches: if is_whole { self.rev } else { last },
            frames,
            is_whole,
        }
    }

    /// Moves on by one change, of which `frame` is the encoding.
    pub fn apply(&mut self, change: &Change, frame: Frame) {
        debug_assert_eq!(
            change.rev,
            self.rev.next(),
            "changes are published in order"
        );
        let before = self.pets.remove(&change.pet);
        if let Some(after) = change.leaves(before) {
            self.pets.insert(change.pet, after);
        }
        self.next_pet = self.next_pet.max(change.pet.next());
        self.rev = change.rev;
        self.newest.push(frame.clone());
        self.backlog.push(frame);
        self.snapshots.clear();
    }

    /// The snapshot for `filter` at this rev.
    pub fn snapshot(&mut self, filter: &Filter) -> Snapshot {
        if let Some(snapshot) = self.snapshots.get(filter) {
            return snapshot.clone();
        }
        let pets: Vec<&Arc<Pet>> = match filter {
            Filter::All => self.pets.values().collect(),
            Filter::Pets(ids) => ids.iter().filter_map(|id| self.pets.get(id)).collect(),
        };
        let snapshot = Snapshot {
            rev: self.rev,
            pets: pets.into_iter().cloned().collect(),
            frame: Arc::default(),
        };
        if self.snapshots.len() < SNAPSHOTS_KEPT {
            self.snapshots.insert(filter.clone(), snapshot.clone());
        }
        snapshot
    }
}
