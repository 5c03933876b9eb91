//! Brings one viewer from its cursor to the present.
//!
//! Chunk by chunk: a snapshot if its cursor cannot be served, else every change after it, from the
//! store's log as far as that is needed and then from memory. A chunk is read when the viewer takes it,
//! and starts where the one before ended. So nothing is held for a viewer, nothing arrives twice, and
//! revs only increase.

use std::pin::pin;
use std::sync::Arc;

use super::board::BoardSnapshot;
use super::replay::Replay;
use super::{Chain, Hub, REPLAY_LIMIT, TopicFilter};
use crate::model::{Cursor, Rev};
use crate::store::StoreError;
use crate::wire::{Frame, Predecessors, SnapshotForm};

/// Changes of one read of the store's log. Their frames are encoded for this viewer alone.
const LOG_CHUNK: usize = 256;

/// Frames of one chunk from memory, which all viewers share. Also the most messages in the response to
/// a poll.
pub const MEMORY_CHUNK: usize = 1000;

/// A step of a catch-up.
pub struct Chunk {
    /// Frames to send, in this order.
    pub frames: Vec<Frame>,
    /// The viewer's rev after them.
    pub reaches: Rev,
    /// True if the viewer is in the present then. Otherwise more chunks follow.
    pub is_whole: bool,
}

/// The catch-up of one viewer.
pub struct CatchUp {
    hub: Arc<Hub>,
    filter: TopicFilter,
    start: Cursor,
    /// The viewer has everything that it subscribed to up to here.
    at: Cursor,
    form: SnapshotForm,
    /// Sent first, if the viewer's cursor cannot be served.
    snapshot: Option<BoardSnapshot>,
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
        let (start, snapshot) = if let Some(cursor) = hub.servable(since) {
            (cursor, None)
        } else {
            let snapshot = hub.snapshot(&filter);
            (snapshot.cursor(), Some(snapshot))
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

    /// Returns the chain of the viewer before the first chunk.
    pub fn chain(&self) -> Chain {
        Chain::new(self.filter.clone(), self.start.rev)
    }

    /// Returns true if the viewer's cursor cannot be served, so that the next chunk is a snapshot.
    pub fn starts_over(&self) -> bool {
        self.snapshot.is_some()
    }

    /// Sends snapshots in `form`.
    pub fn in_form(self, form: SnapshotForm) -> Self {
        CatchUp { form, ..self }
    }

    /// Returns the cursor that the viewer starts from: its own, or that of its snapshot.
    pub fn start(&self) -> Cursor {
        self.start
    }

    /// Returns the viewer's cursor after the chunks so far.
    pub fn reaches(&self) -> Cursor {
        self.at
    }

    /// Returns true if the next chunk is in memory and no snapshot.
    pub fn is_in_memory(&self) -> bool {
        self.snapshot.is_none() && self.hub.state().is_in_backlog(self.at)
    }

    /// Returns the next chunk, without frames if there are none. Waits only for the store's log, and for
    /// a large snapshot to be encoded. Cancel safe.
    pub async fn next(&mut self) -> Chunk {
        if let Some(chunk) = self.next_now() {
            return chunk;
        }
        if self.snapshot.is_some() {
            return self.read_snapshot().await;
        }
        let chunk = self.read_log().await;
        // If another epoch began during the read, the chunk must not be taken for a part of it.
        if let Some(chunk) = chunk.filter(|_| self.hub.epoch() == self.at.epoch) {
            self.at.rev = chunk.reaches;
            chunk
        } else {
            self.restart();
            self.read_snapshot().await
        }
    }

    /// Starts over with a snapshot.
    fn restart(&mut self) {
        let snapshot = self.hub.snapshot(&self.filter);
        self.at = snapshot.cursor();
        self.snapshot = Some(snapshot);
    }

    /// Returns the chunk of `snapshot`, or one without frames if there is none.
    async fn read_snapshot(&mut self) -> Chunk {
        let frames = match &self.snapshot {
            Some(snapshot) => self.hub.encode_snapshot(snapshot, self.form).await,
            None => Vec::new(),
        };
        self.snapshot = None;
        Chunk::of_snapshot(self.at, frames)
    }

    /// Returns the next chunk with frames, as soon as there is one. Returns a chunk without frames when
    /// `limit` completes first; a read of the store's log is not interrupted. Cancel safe.
    pub async fn next_within(&mut self, limit: impl Future) -> Chunk {
        // Registered before the first look: otherwise a change in between would be missed.
        let waiter = self.hub.waiters.register(&self.filter);
        let mut limit = pin!(limit);
        let mut is_over = false;
        loop {
            let chunk = self.next_filled().await;
            if is_over || !chunk.frames.is_empty() {
                return chunk;
            }
            // May be woken for a change that was sent already, because a change is on the board before
            // its waiters are woken.
            tokio::select! {
                () = waiter.woken() => {}
                _ = &mut limit => is_over = true,
            }
        }
    }

    /// Returns the next chunk that has frames for this viewer, or else the last. Cancel safe.
    pub async fn next_filled(&mut self) -> Chunk {
        loop {
            let chunk = self.next().await;
            if chunk.is_whole || !chunk.frames.is_empty() {
                return chunk;
            }
        }
    }

    /// Returns the next chunk if it is in memory and encoded.
    pub fn next_now(&mut self) -> Option<Chunk> {
        if self.snapshot.is_none() && self.hub.epoch() != self.at.epoch {
            self.restart();
        }
        if let Some(snapshot) = &self.snapshot {
            let frames = snapshot.frames_now(self.form)?;
            self.snapshot = None;
            return Some(Chunk::of_snapshot(self.at, frames));
        }
        let state = self.hub.state();
        if state.cursor().epoch != self.at.epoch {
            return None;
        }
        let chunk = state.replay(&self.filter, self.at.rev, MEMORY_CHUNK)?;
        self.at.rev = chunk.reaches;
        Some(chunk)
    }

    /// Reads the next chunk from the store's log. Returns `None` if the log cannot be read, if it no
    /// longer contains the change, or if the viewer is too slow and thus too far behind by now.
    async fn read_log(&self) -> Option<Chunk> {
        let hub = &self.hub;
        if hub.newest().0.since(self.at.rev) > REPLAY_LIMIT {
            return None;
        }
        let _permit = hub.replays.acquire().await.ok()?;
        let (reader, after) = (Arc::clone(hub), self.at.rev);
        let read = tokio::task::spawn_blocking(move || Replay::read(&reader, after, LOG_CHUNK));
        let replay = read.await.ok()?;
        let replay = replay
            .inspect_err(|error| {
                if error != &StoreError::Trimmed {
                    tracing::error!(%error, "the store's log could not be read for a replay");
                }
            })
            .ok()?;
        let revs = replay.changes.iter().map(|change| change.rev);
        let linked = std::iter::once(after).chain(revs).zip(&replay.changes);
        let filtered = linked.filter(|(_, change)| self.filter.contains(change.pet.into()));
        let frames = filtered.map(|(before, change)| {
            Frame::from_change(self.at.epoch, change, Predecessors::both(before))
        });
        Some(Chunk {
            frames: frames.collect(),
            reaches: replay.reaches?,
            is_whole: false,
        })
    }
}
