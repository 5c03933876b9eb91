//! One viewer's ordered view of the hub.
//!
//! A feed first catches up (snapshot, backlog, or the store's log in chunks) and then follows its
//! mailbox. Every frame passes one gate: what is not newer than the last one given is dropped, so
//! however the pieces overlap, nothing arrives twice and time never runs backwards.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Hub;
use super::filter::Filter;
use super::mailbox::Taken;
use super::router::Seat;
use crate::model::{Change, Cursor, Rev};
use crate::wire::Frame;

/// Changes read from the store's log at once, for one viewer who takes them.
const REPLAY_CHUNK: usize = 256;

/// One viewer's ordered view of the hub. Dropping it leaves.
pub struct Feed {
    hub: Arc<Hub>,
    filter: Filter,
    seat: Seat,
    /// Where the viewer is: it was given everything up to here.
    at: Rev,
    /// Frames of the catch-up that are not given yet.
    ready: VecDeque<Frame>,
    /// Whether the store's log still has to be read, from `at` or the last frame of `ready` on.
    is_replaying: bool,
    start: Cursor,
}

impl Feed {
    pub(super) fn join(hub: Arc<Hub>, filter: Filter, since: Option<Cursor>) -> Self {
        // Seated before the state is read: a change published in between is then in the mailbox
        // as well as in what is read, and the gate drops it. The other order would lose it.
        let seat = hub.router.seat(filter.clone());
        let mut feed = Feed {
            start: hub.at(Rev::ZERO),
            at: Rev::ZERO,
            ready: VecDeque::new(),
            is_replaying: false,
            filter,
            seat,
            hub,
        };
        feed.catch_up(since);
        feed
    }

    /// The cursor that the viewer starts from: its own, or that of the snapshot it gets.
    pub fn start(&self) -> Cursor {
        self.start
    }

    /// The next frame for this viewer. Waits until there is one; cancel safe.
    pub async fn next(&mut self) -> Frame {
        loop {
            if let Some(frame) = self.next_now() {
                return frame;
            }
            if self.is_replaying {
                self.replay().await;
            } else {
                self.seat.mailbox.filled().await;
            }
        }
    }

    /// The next frame, if there is one without waiting for anything.
    pub fn next_now(&mut self) -> Option<Frame> {
        loop {
            let frame = match self.ready.pop_front() {
                Some(frame) => frame,
                None if self.is_replaying => return None,
                None => match self.seat.mailbox.take() {
                    Taken::Frame(frame) => frame,
                    Taken::Empty => return None,
                    Taken::Behind => {
                        self.hub.metrics.resyncs.inc();
                        self.give_snapshot();
                        continue;
                    }
                },
            };
            if frame.rev() > self.at || frame.pet().is_none() {
                self.at = frame.rev();
                return Some(frame);
            }
        }
    }

    /// Whether the store's log is still being read; what follows is in memory.
    pub fn is_replaying(&self) -> bool {
        self.is_replaying
    }

    /// Where the viewer is, for a heartbeat: also past the changes of pets it does not watch.
    pub fn cursor(&mut self) -> Cursor {
        if self.ready.is_empty()
            && !self.is_replaying
            && let Some(routed) = self.seat.caught_up()
        {
            self.at = self.at.max(routed);
        }
        self.hub.at(self.at)
    }

    fn catch_up(&mut self, since: Option<Cursor>) {
        match self.hub.servable(since) {
            Some(rev) => {
                self.at = rev;
                self.start = self.hub.at(rev);
                self.is_replaying = !self.replay_from_memory(rev);
            }
            None => {
                self.give_snapshot();
                self.start = self.hub.at(self.ready[0].rev());
            }
        }
    }

    fn give_snapshot(&mut self) {
        let frame = self.hub.snapshot(&self.filter);
        self.ready = VecDeque::from([frame]);
        self.is_replaying = false;
    }

    /// Readies everything after `rev` from the backlog; false when it does not reach back so far.
    fn replay_from_memory(&mut self, rev: Rev) -> bool {
        let replay = self.hub.replay(&self.filter, rev);
        let is_here = replay.is_some();
        self.ready
            .extend(replay.into_iter().flat_map(|replay| replay.frames));
        is_here
    }

    /// Readies the next chunk of the store's log, or what the backlog has once it reaches back
    /// far enough. A log that cannot be read, or no longer has these changes, is answered by a
    /// snapshot.
    async fn replay(&mut self) {
        if self.replay_from_memory(self.at) {
            self.is_replaying = false;
            return;
        }
        match self.read_log().await {
            Some(changes) => {
                let reached = changes.last().map_or(self.at, |change| change.rev);
                let wanted = changes
                    .iter()
                    .filter(|change| self.filter.wants(change.pet));
                let frames = wanted.map(|change| Frame::of_change(self.hub.epoch, change));
                self.ready = frames.collect();
                // With a filter, the chunk may hold nothing for this viewer, and it has still
                // been brought as far as the chunk reaches.
                if self.ready.is_empty() {
                    self.at = reached;
                }
            }
            None => self.give_snapshot(),
        }
    }

    /// The chunk of the log that follows `at` without a hole, or nothing.
    async fn read_log(&self) -> Option<Vec<Change>> {
        let _turn = self.hub.replays.acquire().await.ok()?;
        let (engine, after) = (Arc::clone(&self.hub.engine), self.at);
        let read = tokio::task::spawn_blocking(move || engine.tail(after, REPLAY_CHUNK));
        match read.await {
            Ok(Ok(changes)) => {
                let follows = changes.first().map(|first| first.rev) == Some(after.next());
                follows.then_some(changes)
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "the log could not be read for a replay");
                None
            }
            Err(_) => None,
        }
    }
}
