//! How one viewer is brought from where it is to the present.
//!
//! Chunk by chunk: a snapshot when its cursor cannot be served, else every change after it, from
//! the store's log as far as that is needed and then from memory. Each chunk is read when the
//! viewer takes it and starts where the one before ended, so nothing is held for a viewer, nothing
//! arrives twice, and time never runs backwards.

use std::pin::pin;
use std::sync::Arc;

use super::{Hub, REPLAY_LIMIT, TopicFilter, state};
use crate::model::{Change, Cursor, Rev};
use crate::store::StoreError;
use crate::wire::{Frame, SnapshotForm};

/// Changes read from the store's log at once. Their frames are made for this viewer alone.
const LOG_CHUNK: usize = 256;

/// Frames given from memory at once, where everyone shares them; so also the messages of one poll's
/// answer at most.
const MEMORY_CHUNK: usize = 1000;

/// One step of a catch-up: frames to give in this order, and where the viewer is then.
pub struct Chunk {
    pub frames: Vec<Frame>,
    pub reaches: Rev,
    /// Whether this is the present; else more follows after `reaches`.
    pub is_whole: bool,
}

/// The catch-up of one viewer.
pub struct CatchUp {
    hub: Arc<Hub>,
    filter: TopicFilter,
    start: Cursor,
    /// The viewer was given everything it wants up to here.
    at: Cursor,
    form: SnapshotForm,
    /// Given first, to one whose cursor cannot be served.
    snapshot: Option<state::Snapshot>,
}

impl Chunk {
    pub(super) fn of_snapshot(cursor: Cursor, frames: Vec<Frame>) -> Self {
        Chunk {
            reaches: cursor.rev,
            frames,
            is_whole: true,
        }
    }
}

impl CatchUp {
    pub(super) fn new(hub: Arc<Hub>, filter: TopicFilter, since: Option<Cursor>) -> Self {
        let (start, snapshot) = match hub.servable(since) {
            Some(cursor) => (cursor, None),
            None => {
                let snapshot = hub.state().snapshot(&filter);
                (snapshot.cursor(), Some(snapshot))
            }
        };
        CatchUp {
            hub,
            filter,
            start,
            at: start,
            form: SnapshotForm::default(),
            snapshot,
        }
    }

    /// Sends snapshots in `form`.
    pub fn in_form(self, form: SnapshotForm) -> Self {
        CatchUp { form, ..self }
    }

    /// The cursor that the viewer starts from: its own, or that of the snapshot it gets.
    pub fn start(&self) -> Cursor {
        self.start
    }

    /// Where the viewer is with the chunks given so far.
    pub fn reaches(&self) -> Cursor {
        self.at
    }

    /// The next chunk; one without frames when there is nothing more. Waits only for the store's
    /// log, and for a large snapshot to be encoded. Cancel safe.
    pub async fn next(&mut self) -> Chunk {
        if let Some(chunk) = self.next_now() {
            return chunk;
        }
        if self.snapshot.is_some() {
            return self.read_snapshot().await;
        }
        let chunk = self.read_log().await;
        // Read before another history began, it would be shown as a part of that.
        match chunk.filter(|_| self.hub.epoch() == self.at.epoch) {
            Some(chunk) => {
                self.at.rev = chunk.reaches;
                chunk
            }
            None => {
                self.begin();
                self.read_snapshot().await
            }
        }
    }

    /// Starts over with a snapshot.
    fn begin(&mut self) {
        let snapshot = self.hub.state().snapshot(&self.filter);
        self.at = snapshot.cursor();
        self.snapshot = Some(snapshot);
    }

    /// The chunk of `snapshot`, or one without frames if there is none.
    async fn read_snapshot(&mut self) -> Chunk {
        let frames = match &self.snapshot {
            Some(snapshot) => self.hub.frames_of(snapshot, self.form).await,
            None => Vec::new(),
        };
        self.snapshot = None;
        Chunk::of_snapshot(self.at, frames)
    }

    /// Everything new as far as it fits into a chunk, as soon as there is something. Waits for that
    /// until `patience` is over, and gives a chunk without frames then; what has to be read from
    /// the store's log is read whatever the patience. Cancel safe.
    pub async fn news(&mut self, patience: impl Future) -> Chunk {
        // Registered before it is looked: a change that comes after the look then rings. The other
        // order would lose one that comes in between.
        let waiter = self.hub.waiters.register(&self.filter);
        let mut patience = pin!(patience);
        let mut is_over = false;
        loop {
            let news = self.next_filled().await;
            if is_over || !news.frames.is_empty() {
                return news;
            }
            // What it was given already may ring too: a change is there before anyone is woken.
            tokio::select! {
                () = waiter.woken() => {}
                _ = &mut patience => is_over = true,
            }
        }
    }

    /// The next chunk that holds something for this viewer, or else the last.
    async fn next_filled(&mut self) -> Chunk {
        loop {
            let chunk = self.next().await;
            if chunk.is_whole || !chunk.frames.is_empty() {
                return chunk;
            }
        }
    }

    /// The next chunk if it is in memory; else it has to come from the store's log, or be encoded.
    pub fn next_now(&mut self) -> Option<Chunk> {
        if self.snapshot.is_none() && self.hub.epoch() != self.at.epoch {
            self.begin();
        }
        if let Some(snapshot) = &self.snapshot {
            let frames = snapshot.frames_now(self.form)?;
            self.snapshot = None;
            return Some(Chunk::of_snapshot(self.at, frames));
        }
        let state = self.hub.state();
        if state.epoch() != self.at.epoch {
            return None;
        }
        let chunk = state.replay(&self.filter, self.at.rev, MEMORY_CHUNK)?;
        self.at.rev = chunk.reaches;
        Some(chunk)
    }

    /// The chunk of the store's log that follows; `None` when the log cannot be read or no longer
    /// has it, or when the viewer takes chunks so slowly that it is too far behind by now.
    async fn read_log(&self) -> Option<Chunk> {
        let hub = &self.hub;
        if hub.newest().0.since(self.at.rev) > REPLAY_LIMIT {
            return None;
        }
        let _turn = hub.replays.acquire().await.ok()?;
        let (engine, after) = (Arc::clone(&hub.engine), self.at.rev);
        let read = tokio::task::spawn_blocking(move || engine.tail(after, LOG_CHUNK));
        let changes = read.await.ok()?;
        let changes = changes
            .inspect_err(|error| match error {
                StoreError::Forgotten => {}
                _ => tracing::error!(%error, "the log could not be read for a replay"),
            })
            .ok()?;
        self.chunk_of(&changes)
    }

    /// `None` when there are none, which the board knows better.
    fn chunk_of(&self, changes: &[Change]) -> Option<Chunk> {
        let last = changes.last()?;
        let wanted = changes
            .iter()
            .filter(|change| self.filter.contains(change.pet.into()));
        let frames = wanted.map(|change| Frame::from_change(self.at.epoch, change));
        Some(Chunk {
            frames: frames.collect(),
            reaches: last.rev,
            is_whole: false,
        })
    }
}
