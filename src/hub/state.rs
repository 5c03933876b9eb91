//! The state of the hub at one rev: the board, the backlog, and the snapshots encoded so far.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::RESYNC_BYTES;
use super::backlog::{BACKLOG_LIMIT, Backlog};
use super::board::{BoardEntry, BoardSnapshot};
use super::catch_up::{Chunk, MEMORY_CHUNK};
use super::conflation::ConflatedFrames;
use super::kept_states::KeptStates;
use super::photo_index::PhotoIndex;
use super::request_index::{KEPT_FOR, RequestIndex};
use super::topic_filter::TopicFilter;
use crate::model::{Audience, Change, ChangeKind, Cursor, Epoch, Pet, PetId, Rev, Timestamp};
use crate::store::{self, Engine, StoreError};
use crate::wire::{Frame, Predecessors};

/// Encoded snapshots kept for one rev. Further ones are encoded per viewer, which is only slower:
/// otherwise a client could fill the memory by asking for many combinations of pets.
const SNAPSHOTS_KEPT: usize = 1024;

/// Changes read back from the log at the start, at most, to index the keys of their requests.
const REQUESTS_READ: u64 = 100_000;
/// Changes of one such read.
const READ_CHUNK: u64 = 5_000;

/// Guarded by the hub's lock. Nothing here blocks.
pub struct HubState {
    /// Cursor of the last change.
    cursor: Cursor,
    /// Rev of the last change that visitors learned of.
    announced: Rev,
    next_pet: PetId,
    /// Times that the engine dropped changes of this epoch before they were published. No viewer can
    /// continue over such a gap without a snapshot.
    gaps: u64,
    /// Pets on the board and in the trash.
    pets: BTreeMap<PetId, BoardEntry>,
    photos: PhotoIndex,
    backlog: Backlog,
    conflated: ConflatedFrames,
    requests: RequestIndex,
    /// Snapshots for visitors; cleared with every change that they learn of.
    snapshots: HashMap<TopicFilter, BoardSnapshot>,
    kept: KeptStates,
}

impl HubState {
    /// Loads the state of `engine`, with the newest changes of its log in the backlog, so that viewers
    /// that reconnect after a restart are served from memory.
    pub fn load(engine: &dyn Engine) -> Result<Self, StoreError> {
        let (epoch, snapshot) = (engine.epoch(), engine.snapshot()?);
        let recent = engine.recent(snapshot.rev, BACKLOG_LIMIT)?;
        let mut state = HubState::without_history(epoch, snapshot);
        state.backlog = Backlog::new(recent.after);
        let (mut in_store, mut by_pet) = (recent.after, HashMap::new());
        for change in &recent.changes {
            if !change.visibility.is_announced() {
                continue;
            }
            // Who is served from the backlog has received everything up to its start.
            let in_topic = by_pet.insert(change.pet, change.rev);
            let before = Predecessors {
                in_store,
                in_topic: in_topic.unwrap_or(recent.after),
            };
            let frame = Frame::from_change(epoch, change, before);
            state.push_to_backlog(change, frame);
            in_store = change.rev;
        }
        state.announced = in_store;
        for entry in state
            .pets
            .values_mut()
            .filter(|entry| !entry.pet.is_public())
        {
            entry.announced = by_pet.get(&entry.pet.id).copied().unwrap_or_default();
        }
        state.load_status_revs(&recent);
        state.load_requests(engine)?;
        Ok(state)
    }

    fn without_history(epoch: Epoch, snapshot: store::Snapshot) -> Self {
        let mut photos = PhotoIndex::default();
        for pet in &snapshot.pets {
            photos.add(pet);
        }
        let pets = snapshot.pets.into_iter();
        HubState {
            cursor: Cursor {
                epoch,
                rev: snapshot.rev,
            },
            announced: snapshot.rev,
            next_pet: snapshot.next_pet,
            gaps: 0,
            photos,
            pets: pets.zip(snapshot.revs).map(BoardEntry::load).collect(),
            backlog: Backlog::new(snapshot.rev),
            conflated: ConflatedFrames::new(snapshot.rev),
            requests: RequestIndex::default(),
            snapshots: HashMap::new(),
            kept: KeptStates::default(),
        }
    }

    /// Reads the requests of the last day from the log of `engine`.
    fn load_requests(&mut self, engine: &dyn Engine) -> Result<(), StoreError> {
        let now = Timestamp::now();
        let (mut before, mut read) = (self.cursor.rev.next(), 0);
        let mut found = Vec::new();
        while read < REQUESTS_READ && before > Rev::ZERO.next() {
            let after = Rev::new(before.get().saturating_sub(READ_CHUNK + 1));
            let changes = engine.changes_between(after, before)?;
            let Some(oldest) = changes.first() else { break };
            let is_old = now.since(oldest.at) >= KEPT_FOR;
            let newest_first = changes.into_iter().rev();
            found.extend(newest_first.filter(|change| change.request.is_some()));
            if is_old {
                break;
            }
            read += READ_CHUNK;
            before = after.next();
        }
        for change in found.iter().rev() {
            self.requests.push(change);
        }
        Ok(())
    }

    /// Finds the change in `recent` that set each pet's status, if that was not its last change.
    fn load_status_revs(&mut self, recent: &store::Recent) {
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
    /// keys of earlier requests are kept.
    pub fn replace(&mut self, epoch: Epoch, snapshot: store::Snapshot) {
        let mut state = HubState::without_history(epoch, snapshot);
        state.gaps = self.gaps;
        if epoch == self.cursor.epoch {
            state.gaps += 1;
            state.requests = std::mem::take(&mut self.requests);
        }
        *self = state;
    }

    /// Returns the keys of requests that were carried out.
    pub fn requests(&self) -> &RequestIndex {
        &self.requests
    }

    /// Returns the number of gaps.
    pub fn gaps(&self) -> u64 {
        self.gaps
    }

    /// Returns the cursor of the last change.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Returns the cursor at which visitors have everything: that of the last change that they learned of.
    pub fn public_cursor(&self) -> Cursor {
        Cursor {
            rev: self.announced,
            ..self.cursor
        }
    }

    /// Returns the id of the next pet.
    pub fn next_pet(&self) -> PetId {
        self.next_pet
    }

    /// Returns the photos that visitors may load.
    pub fn photos(&self) -> &PhotoIndex {
        &self.photos
    }

    /// Returns a pet that `audience` may know of.
    pub fn entry(&self, id: PetId, audience: Audience) -> Option<&BoardEntry> {
        let entry = self.pets.get(&id);
        entry.filter(|entry| entry.is_for(audience))
    }

    /// Returns a pet on the board or in the trash.
    pub fn stored(&self, id: PetId) -> Option<&BoardEntry> {
        self.pets.get(&id)
    }

    /// Returns every pet that `audience` may know of.
    pub fn pets_for(&self, audience: Audience) -> Arc<[Arc<Pet>]> {
        let entries = self.pets.values();
        let entries = entries.filter(|entry| entry.is_for(audience));
        entries.map(|entry| Arc::clone(&entry.pet)).collect()
    }

    /// Returns the pets in the trash.
    pub fn trash(&self) -> Vec<Arc<Pet>> {
        let pets = self.pets.values().map(|entry| &entry.pet);
        pets.filter(|pet| pet.is_in_trash()).cloned().collect()
    }

    /// Returns true if all frames after `at` are in memory.
    pub fn is_in_backlog(&self, at: Cursor) -> bool {
        at.epoch == self.cursor.epoch && self.backlog.after(at.rev).is_some()
    }

    /// Returns the first `limit` frames after `since`, if they are in memory.
    pub fn replay(&self, filter: &TopicFilter, since: Rev, limit: usize) -> Option<Chunk> {
        let frames = self.backlog.after(since)?;
        let mut filtered =
            frames.filter(|frame| frame.topic().is_none_or(|topic| filter.contains(topic)));
        let first = filtered.by_ref().take(limit).cloned().collect();
        let is_whole = filtered.next().is_none();
        Some(self.chunk(since, first, is_whole))
    }

    /// Returns the newest frames per topic after `since`, up to about `limit_bytes` of JSON; `None` if
    /// some of them are no longer known.
    pub fn conflated(&self, filter: &TopicFilter, since: Rev, limit_bytes: usize) -> Option<Chunk> {
        let (frames, is_whole) = self.conflated.after(since, filter, limit_bytes)?;
        Some(self.chunk(since, frames, is_whole))
    }

    /// Returns the frames after `at` for a poll: all if they are in memory, else the newest per topic. `None`
    /// means a snapshot.
    pub fn advance(&self, filter: &TopicFilter, at: Cursor) -> Option<Chunk> {
        if at.epoch != self.cursor.epoch {
            return None;
        }
        let all = self.replay(filter, at.rev, MEMORY_CHUNK);
        all.or_else(|| self.conflated(filter, at.rev, RESYNC_BYTES))
    }

    fn chunk(&self, since: Rev, frames: Vec<Frame>, is_whole: bool) -> Chunk {
        let last = frames.last().map_or(since, Frame::rev);
        Chunk {
            // A viewer that comes from another node may be ahead of this one.
            reaches: if is_whole {
                self.announced.max(since)
            } else {
                last
            },
            frames,
            is_whole,
        }
    }

    /// Returns the changes that visitors learned of before the next change, which is one of `pet`.
    pub fn predecessors(&self, pet: PetId) -> Predecessors {
        Predecessors {
            in_store: self.announced,
            in_topic: self
                .pets
                .get(&pet)
                .map_or(Rev::ZERO, |entry| entry.announced),
        }
    }

    /// Applies a change, of which `frame` is the encoding; `None` for one that visitors do not learn of.
    pub fn apply(&mut self, change: &Change, frame: Option<Frame>) {
        debug_assert!(change.rev > self.cursor.rev, "changes arrive in order");
        let before = self.pets.remove(&change.pet);
        // A status leaves the photos as they are.
        if let ChangeKind::Pet(_) | ChangeKind::Gone(_) = &change.kind {
            if let Some(before) = &before {
                self.photos.remove(&before.pet);
            }
            if let ChangeKind::Pet(after) = &change.kind {
                self.photos.add(after);
            }
        }
        if let Some(after) = BoardEntry::after(change, before) {
            self.pets.insert(change.pet, after);
        }
        self.next_pet = self.next_pet.max(change.pet.next());
        self.cursor.rev = change.rev;
        self.requests.push(change);
        if let Some(frame) = frame {
            self.announced = change.rev;
            self.conflated.push(frame.clone());
            self.push_to_backlog(change, frame);
            self.snapshots.clear();
        }
    }

    /// Appends a frame. One by which a pet becomes private replaces all earlier frames of the pet.
    fn push_to_backlog(&mut self, change: &Change, frame: Frame) {
        if !change.visibility.is_public() {
            self.kept.clear();
            self.backlog.remove_topic(change.pet.into());
        }
        self.backlog.push(frame);
    }

    /// Returns a recent snapshot for visitors with `filter`, and keeps it.
    pub fn keep_snapshot(&mut self, filter: &TopicFilter) -> BoardSnapshot {
        if let Some(kept) = self.kept.recent(filter, self.announced) {
            return kept;
        }
        let snapshot = self.snapshot(filter);
        self.kept.push(filter.clone(), snapshot.clone());
        snapshot
    }

    /// Returns the snapshot for visitors with `filter` at `cursor`, if it is kept or of this rev.
    pub fn kept_snapshot(&mut self, filter: &TopicFilter, cursor: Cursor) -> Option<BoardSnapshot> {
        if cursor == self.public_cursor() {
            return Some(self.snapshot(filter));
        }
        self.kept.get(filter, cursor)
    }

    /// Returns the snapshot for visitors with `filter` at this rev.
    pub fn snapshot(&mut self, filter: &TopicFilter) -> BoardSnapshot {
        if let Some(snapshot) = self.snapshots.get(filter) {
            return snapshot.clone();
        }
        let pets: Arc<[Arc<Pet>]> = match filter {
            TopicFilter::All => self.pets_for(Audience::Public),
            TopicFilter::Only(topics) => {
                let pets = topics.iter().map(|topic| topic.pet());
                let entries = pets.filter_map(|pet| self.entry(pet, Audience::Public));
                entries.map(|entry| Arc::clone(&entry.pet)).collect()
            }
        };
        let snapshot = BoardSnapshot::new(self.public_cursor(), pets);
        if self.snapshots.len() < SNAPSHOTS_KEPT {
            self.snapshots.insert(filter.clone(), snapshot.clone());
        }
        snapshot
    }
}
