//! What the hub knows at one rev: the board, the backlog and the snapshots encoded so far.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use super::backlog::{BACKLOG_LIMIT, Backlog};
use super::catch_up::Chunk;
use super::newest::Newest;
use super::requests::{KEPT_FOR, Requests};
use super::topic_filter::TopicFilter;
use crate::model::{Change, Cursor, Epoch, Pet, PetId, Rev, Timestamp};
use crate::store::{self, Engine, StoreError};
use crate::wire::{Frame, SnapshotForm};

/// Encoded snapshots kept for one rev. Above it they are encoded per viewer, which is slower and
/// still right: a bound on memory against someone who asks for every combination of pets.
const SNAPSHOTS_KEPT: usize = 1024;

/// A snapshot of up to this many pets is encoded in less than a millisecond.
const QUICK_PETS: usize = 1000;

/// Changes read back from the log at the start, at most, to index the keys of their requests.
const REQUESTS_READ: u64 = 100_000;
const READ_AT_ONCE: u64 = 5_000;

/// Behind the hub's lock; nothing here waits.
pub struct State {
    epoch: Epoch,
    /// Of the last change.
    rev: Rev,
    next_pet: PetId,
    /// Times that the engine dropped changes of this epoch before they were shown: no viewer can
    /// continue over such a gap without a snapshot.
    gaps: u64,
    pets: BTreeMap<PetId, BoardEntry>,
    backlog: Backlog,
    newest: Newest,
    requests: Requests,
    /// Of the current rev; emptied with every change.
    snapshots: HashMap<TopicFilter, Snapshot>,
}

/// A pet on the board, with the revs that preconditions of commands are compared with.
#[derive(Clone, Debug)]
pub struct BoardEntry {
    pub pet: Arc<Pet>,
    /// The last change of any kind.
    pub changed: Rev,
    /// The last change that set or confirmed the status. After a restart it may be unknown: then it is
    /// `Rev::ZERO` if the last change of the pet is in the backlog, and `changed` otherwise.
    pub status_set: Rev,
}

/// A snapshot that is encoded when somebody first wants it.
#[derive(Clone)]
pub struct Snapshot {
    epoch: Epoch,
    rev: Rev,
    pets: Arc<[Arc<Pet>]>,
    whole: Arc<OnceLock<Frame>>,
    parts: Arc<OnceLock<Vec<Frame>>>,
}

impl Snapshot {
    /// The frame, encoded once however many ask at the same moment.
    pub fn encode(&self) -> Frame {
        let pets = self.pets.iter().map(|pet| &**pet);
        let encode = || Frame::from_snapshot(self.epoch, self.rev, pets);
        self.whole.get_or_init(encode).clone()
    }

    pub fn pets(&self) -> Arc<[Arc<Pet>]> {
        Arc::clone(&self.pets)
    }

    /// The frames, unless they have to be encoded first and that takes long.
    pub fn frames_now(&self, form: SnapshotForm) -> Option<Vec<Frame>> {
        let is_encoded = match form {
            SnapshotForm::Whole => self.whole.get().is_some(),
            SnapshotForm::Parts => self.parts.get().is_some(),
        };
        (is_encoded || self.pets.len() <= QUICK_PETS).then(|| self.frames(form))
    }

    /// The cursor of a viewer that has this snapshot.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            epoch: self.epoch,
            rev: self.rev,
        }
    }

    /// The frames for viewers that take snapshots in `form`, encoded once per form.
    pub fn frames(&self, form: SnapshotForm) -> Vec<Frame> {
        let pets = self.pets.iter().map(|pet| &**pet);
        let encode = || Frame::from_snapshot_in_parts(self.epoch, self.rev, pets);
        match form {
            SnapshotForm::Whole => vec![self.encode()],
            SnapshotForm::Parts => self.parts.get_or_init(encode).clone(),
        }
    }
}

impl State {
    /// The state of `engine`, with the newest changes of its log in the backlog, so that viewers
    /// who come back after a restart are served from memory.
    pub fn load(engine: &dyn Engine) -> Result<Self, StoreError> {
        let (epoch, snapshot) = (engine.epoch(), engine.snapshot()?);
        let recent = engine.recent(snapshot.rev, BACKLOG_LIMIT)?;
        let mut backlog = Backlog::new(recent.after);
        for change in &recent.changes {
            backlog.push(Frame::from_change(epoch, change));
        }
        let mut state = State::of(epoch, snapshot);
        state.backlog = backlog;
        state.find_status_changes(&recent);
        state.find_requests(engine)?;
        Ok(state)
    }

    /// A state that remembers nothing of how it came about.
    pub fn of(epoch: Epoch, snapshot: store::Snapshot) -> Self {
        let pets = snapshot.pets.into_iter();
        State {
            epoch,
            rev: snapshot.rev,
            next_pet: snapshot.next_pet,
            gaps: 0,
            pets: pets.zip(snapshot.revs).map(BoardEntry::load).collect(),
            backlog: Backlog::new(snapshot.rev),
            newest: Newest::new(snapshot.rev),
            requests: Requests::default(),
            snapshots: HashMap::new(),
        }
    }

    /// Reads the requests of the last day back from the log of `engine`.
    fn find_requests(&mut self, engine: &dyn Engine) -> Result<(), StoreError> {
        let now = Timestamp::now();
        let (mut before, mut read) = (self.rev.next(), 0);
        let mut found = Vec::new();
        while read < REQUESTS_READ && before > Rev::ZERO.next() {
            let after = Rev::new(before.get().saturating_sub(READ_AT_ONCE + 1));
            let changes = engine.changes_between(after, before)?;
            let Some(oldest) = changes.first() else { break };
            let is_old = now.since(oldest.at) >= KEPT_FOR;
            let keyed = changes.into_iter().rev();
            found.extend(keyed.filter(|change| change.request.is_some()));
            if is_old {
                break;
            }
            read += READ_AT_ONCE;
            before = after.next();
        }
        found
            .iter()
            .rev()
            .for_each(|change| self.requests.push(change));
        Ok(())
    }

    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Finds the change in `recent` that set each pet's status, if that was not its last change.
    fn find_status_changes(&mut self, recent: &store::Recent) {
        for entry in self.pets.values_mut() {
            if entry.changed > recent.after {
                entry.status_set = Rev::ZERO;
            }
        }
        for change in &recent.changes {
            if let Some(entry) = self.pets.get_mut(&change.pet)
                && change.status().is_some()
            {
                entry.status_set = change.rev;
            }
        }
    }

    /// Replaces everything by `snapshot`. In the same epoch this is a gap: it is counted, and the
    /// keys of requests from before it are kept.
    pub fn replace(&mut self, epoch: Epoch, snapshot: store::Snapshot) {
        let mut state = State::of(epoch, snapshot);
        state.gaps = self.gaps;
        if epoch == self.epoch {
            state.gaps += 1;
            state.requests = std::mem::take(&mut self.requests);
        }
        *self = state;
    }

    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub fn gaps(&self) -> u64 {
        self.gaps
    }

    /// Where the last change is.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            epoch: self.epoch,
            rev: self.rev,
        }
    }

    pub fn rev(&self) -> Rev {
        self.rev
    }

    /// The id that the next pet gets.
    pub fn next_pet(&self) -> PetId {
        self.next_pet
    }

    pub fn pets(&self) -> &BTreeMap<PetId, BoardEntry> {
        &self.pets
    }

    /// The first `limit` changes after `since`, if they are in memory.
    pub fn replay(&self, filter: &TopicFilter, since: Rev, limit: usize) -> Option<Chunk> {
        let frames = self.backlog.after(since)?;
        let mut wanted =
            frames.filter(|frame| frame.topic().is_none_or(|topic| filter.contains(topic)));
        let given = wanted.by_ref().take(limit).cloned().collect();
        let is_whole = wanted.next().is_none();
        Some(self.chunk(since, given, is_whole))
    }

    /// The newest status of each pet since `since`, up to about `limit_bytes` of JSON; `None` when
    /// some that matter are forgotten.
    pub fn newest_after(
        &self,
        filter: &TopicFilter,
        since: Rev,
        limit_bytes: usize,
    ) -> Option<Chunk> {
        let (frames, is_whole) = self.newest.after(since, filter, limit_bytes)?;
        Some(self.chunk(since, frames, is_whole))
    }

    fn chunk(&self, since: Rev, frames: Vec<Frame>, is_whole: bool) -> Chunk {
        let last = frames.last().map_or(since, Frame::rev);
        Chunk {
            // A viewer who comes from another node may be ahead of this one.
            reaches: if is_whole { self.rev.max(since) } else { last },
            frames,
            is_whole,
        }
    }

    /// Moves on by one change, of which `frame` is the encoding.
    pub fn apply(&mut self, change: &Change, frame: Frame) {
        debug_assert!(change.rev > self.rev, "changes are published in order");
        let before = self.pets.remove(&change.pet);
        if let Some(after) = BoardEntry::after(change, before) {
            self.pets.insert(change.pet, after);
        }
        self.next_pet = self.next_pet.max(change.pet.next());
        self.rev = change.rev;
        self.newest.push(frame.clone());
        self.requests.push(change);
        self.backlog.push(frame);
        self.snapshots.clear();
    }

    /// The snapshot for `filter` at this rev.
    pub fn snapshot(&mut self, filter: &TopicFilter) -> Snapshot {
        if let Some(snapshot) = self.snapshots.get(filter) {
            return snapshot.clone();
        }
        let pets: Vec<&Arc<Pet>> = match filter {
            TopicFilter::All => self.pets.values().map(|entry| &entry.pet).collect(),
            TopicFilter::Only(topics) => {
                let entries = topics
                    .iter()
                    .filter_map(|topic| self.pets.get(&topic.pet()));
                entries.map(|entry| &entry.pet).collect()
            }
        };
        let snapshot = Snapshot {
            epoch: self.epoch,
            rev: self.rev,
            pets: pets.into_iter().cloned().collect(),
            whole: Arc::default(),
            parts: Arc::default(),
        };
        if self.snapshots.len() < SNAPSHOTS_KEPT {
            self.snapshots.insert(filter.clone(), snapshot.clone());
        }
        snapshot
    }
}

impl BoardEntry {
    fn load((pet, changed): (Pet, Rev)) -> (PetId, Self) {
        let entry = BoardEntry {
            changed,
            status_set: changed,
            pet: Arc::new(pet),
        };
        (entry.pet.id, entry)
    }

    /// The entry after `change`; `None` if the pet is gone.
    fn after(change: &Change, before: Option<BoardEntry>) -> Option<Self> {
        let (before, was_set) = before.map(|entry| (entry.pet, entry.status_set)).unzip();
        let did = before.as_deref().map(|pet| (pet.status, pet.since));
        let pet = change.apply_to(before)?;
        let is_set = change.status().is_some() || did != Some((pet.status, pet.since));
        Some(BoardEntry {
            changed: change.rev,
            status_set: if is_set { change.rev } else { was_set? },
            pet,
        })
    }
}
