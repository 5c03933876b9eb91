//! The event loop of one worker.

use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::event::Event;
use mio::{Events, Interest, Token};
use prometheus::local::LocalHistogram;
use tokio::sync::broadcast::Receiver;

use super::close_reason::CloseReason;
use super::inbound::Inbound;
use super::pacing::Pacing;
use super::polls::Polls;
use super::stream_position::StreamPosition;
use super::team::{Team, hand_over, release_others, share_long_passes, take_over};
use super::timers::{Heartbeats, Timers, keep_alive};
use super::viewer::{SendOutcome, Viewer};
use super::viewers::Viewers;
use super::{Inbox, Mailbox, PendingViewer, WorkerContext, WorkerMessage};
use crate::model::{Cursor, Timestamp};
use crate::wire::Frame;

/// The token of the mailbox's waker. Rows count from 0.
pub const WAKE: Token = Token(usize::MAX);

/// Socket events that are taken from the operating system in one call.
const EVENTS: usize = 1024;

/// A worker: a table of viewers, and everything needed to serve them.
pub struct Worker {
    pub(super) context: WorkerContext,
    /// Position in the team.
    pub(super) index: usize,
    pub(super) team: Arc<Team>,
    /// Number of serving workers for which this one has handed over what it does not own.
    pub(super) serving: usize,
    pub(super) inbox: Inbox,
    mailbox: Arc<Mailbox>,
    pub(super) stream: Receiver<Frame>,
    pub(super) position: StreamPosition,
    pub(super) viewers: Viewers,
    pub(super) polls: Polls,
    pub(super) inbound: Inbound,
    pub(super) timers: Timers,
    pacing: Pacing,
    /// Collects the ages of one pass.
    pub(super) change_age: LocalHistogram,
    next_viewer_id: u64,
    /// Passes in a row that were long.
    pub(super) long_passes: u32,
    /// Number of viewers when more workers began to serve.
    pub(super) crowd: usize,
    pub(super) is_stopping: bool,
    end_deadline: Option<Instant>,
}

impl Worker {
    /// Creates the worker at `index` of the team.
    ///
    /// # Errors
    /// When the operating system gives no descriptor.
    pub fn new(
        index: usize,
        inbox: Inbox,
        context: WorkerContext,
        team: Arc<Team>,
    ) -> io::Result<Self> {
        let now = Instant::now();
        let mailbox = Arc::clone(&team.mailboxes()[index]);
        let registry = inbox.poll.registry().try_clone()?;
        Ok(Worker {
            polls: Polls::new(context.clone(), registry, Arc::clone(&team), index),
            stream: context.hub.subscribe(),
            position: StreamPosition::newest(&context.hub),
            viewers: Viewers::default(),
            inbound: Inbound::new(context.clone(), Arc::clone(&mailbox)),
            timers: Timers::new(context.limits, now),
            pacing: Pacing::new(context.limits.pace, now),
            change_age: context.hub.metrics().change_age.local(),
            // No other worker has ids from here on.
            next_viewer_id: (index as u64) << 48,
            long_passes: 0,
            crowd: 0,
            is_stopping: false,
            end_deadline: None,
            serving: team.serving(),
            index,
            team,
            inbox,
            mailbox,
            context,
        })
    }

    /// Runs until it is told to end and has no viewers.
    ///
    /// A panic disconnects this worker's viewers, which reconnect with their cursors, and affects
    /// nothing else. Exiting the process would also abort requests and the other workers.
    pub fn run(mut self) {
        // `restart` replaces everything that the panic may have left inconsistent.
        while catch_unwind(AssertUnwindSafe(|| self.serve())).is_err() {
            self.restart();
        }
    }

    /// Disconnects all viewers, and restarts at the hub's present position.
    fn restart(&mut self) {
        let count = self.count();
        tracing::error!(
            viewers = count,
            "a delivery worker panicked; its viewers were disconnected"
        );
        let dropped = &self.context.hub.metrics().dropped;
        dropped.with_label_values(&["fault"]).inc_by(count as u64);
        let (hub, now) = (&self.context.hub, Instant::now());
        self.viewers = Viewers::default();
        self.polls.clear();
        self.stream = hub.subscribe();
        self.position = StreamPosition {
            stale_since: hub.stale_since(),
            ..StreamPosition::newest(hub)
        };
        self.timers = Timers::new(self.context.limits, now);
        self.pacing = Pacing::new(self.context.limits.pace, now);
        self.inbound.clear();
    }

    fn serve(&mut self) {
        let mut events = Events::with_capacity(EVENTS);
        while !self.has_ended() {
            let timeout = self.timeout();
            match self.inbox.poll.poll(&mut events, Some(timeout)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => {
                    tracing::error!(%error, "a delivery worker cannot wait for events and ends");
                    return;
                }
                _ => {}
            }
            // Cleared before anything is read, so that whatever comes later wakes again.
            let was_woken = self.mailbox.is_woken.swap(false, Ordering::AcqRel);
            // Before the messages, which may reuse rows that these events are about.
            for event in &events {
                self.on_socket_event(event);
            }
            if was_woken {
                // Before the messages: a worker that did not serve was not woken by earlier events.
                self.on_engine_event(Instant::now());
            }
            self.read_messages();
            if self.serving != self.team.serving() {
                hand_over(self);
            }
            self.inbound
                .resume_unread(&mut self.viewers, &self.position);
            let now = Instant::now();
            let is_due = !self.stream.is_empty() && self.pacing.wait(now).is_zero();
            if is_due {
                let changes = self.stream.len();
                self.pass(now);
                self.pacing.record_pass(changes, now, Instant::now());
            }
            if self.polls.run(Instant::now()) || is_due {
                share_long_passes(self, now.elapsed());
            }
            self.run_timers(now);
        }
    }

    fn has_ended(&self) -> bool {
        self.end_deadline
            .is_some_and(|deadline| self.count() == 0 || deadline <= Instant::now())
    }

    /// Returns the number of sockets.
    pub(super) fn count(&self) -> usize {
        self.viewers.count() + self.polls.len()
    }

    /// Returns how long to wait for events.
    fn timeout(&self) -> Duration {
        if self.inbound.has_unread() {
            return Duration::ZERO;
        }
        let now = Instant::now();
        let timer = self.timers.next();
        let timer = self.polls.next_wake().map_or(timer, |at| at.min(timer));
        let until_timer = timer.saturating_duration_since(now);
        if self.stream.is_empty() {
            until_timer
        } else {
            until_timer.min(self.pacing.wait(now))
        }
    }

    pub(super) fn read_messages(&mut self) {
        while let Ok(message) = self.inbox.messages.try_recv() {
            match message {
                WorkerMessage::Register(viewer) => self.register(*viewer),
                WorkerMessage::RegisterPoll(poll) => self.polls.register(*poll),
                WorkerMessage::Reply {
                    row,
                    viewer_id,
                    frame,
                } => self.send_reply(row, viewer_id, frame),
                WorkerMessage::HandOver(handed) => take_over(self, handed),
                WorkerMessage::CloseAll => {
                    self.is_stopping = true;
                    self.polls.close_all();
                    for row in self.viewers.rows() {
                        self.close(row, CloseReason::Stopping);
                    }
                }
                WorkerMessage::End { deadline } => self.end_deadline = Some(deadline),
                #[cfg(test)]
                WorkerMessage::Panic => panic!("a panic, on purpose"),
            }
        }
    }

    /// Adds a viewer, and sends the frames that were published since its position.
    pub(super) fn register(&mut self, mut pending: PendingViewer) {
        self.next_viewer_id += 1;
        let now = Instant::now();
        let (is_current, encoding) = (pending.at.epoch == self.position.at.epoch, pending.encoding);
        let received = std::mem::take(&mut pending.received);
        let renew_at = self.timers.renew_at(now);
        let mut viewer = Viewer::new(pending, self.next_viewer_id, now, renew_at);
        if !received.is_empty() {
            viewer.feed(&received, self.context.limits.message_bytes, now);
        }
        let Ok(row) = self.insert(viewer, now) else {
            return;
        };
        if !is_current {
            return self.close(row, CloseReason::NewEpoch);
        }
        self.catch_up(row);
        if let Some(viewer) = self.viewers.get_mut(row)
            && let Some(since) = self.position.stale_since.or_else(|| {
                let (epoch, rev) = (self.position.at.epoch, viewer.at);
                let is_behind = self.context.hub.is_behind(Cursor { epoch, rev });
                is_behind.then(Timestamp::now)
            })
        {
            let after = Cursor {
                rev: viewer.chain.last(),
                ..self.position.at
            };
            let stale = keep_alive(after, after, Some(since));
            let outcome = viewer.send(encoding.encode(&stale), now);
            self.viewers.settle(row, outcome);
        }
        if self.is_stopping {
            self.close(row, CloseReason::Stopping);
        }
    }

    /// Adds a viewer to the table and to the event loop. Returns its row.
    pub(super) fn insert(&mut self, mut viewer: Viewer, now: Instant) -> io::Result<usize> {
        // Edge-triggered, for both directions, for as long as the viewer is connected.
        let interest = Interest::READABLE | Interest::WRITABLE;
        let token = Token(viewer.row());
        let registry = self.inbox.poll.registry();
        registry.register(viewer.socket(), token, interest)?;
        if viewer.needs_follow_up {
            self.timers.schedule_follow_up(now);
        }
        Ok(self.viewers.insert(viewer))
    }

    fn on_socket_event(&mut self, event: &Event) {
        if event.token() == WAKE {
            return;
        }
        if Polls::has_token(event.token()) {
            return self.polls.on_event(event);
        }
        let row = event.token().0;
        if event.is_error() || (event.is_read_closed() && event.is_write_closed()) {
            self.viewers.remove(row);
            return;
        }
        if event.is_writable() {
            self.resume(row);
        }
        if event.is_readable() || event.is_read_closed() {
            self.inbound.read(&mut self.viewers, row, &self.position);
        }
    }

    /// Reacts to a change of the engine. Closes all connections if it has another epoch, resyncs all
    /// viewers after a gap, and sends all of them a heartbeat when the engine stops or starts responding, and when
    /// an admin has edited the rescue's own activities.
    pub(super) fn on_engine_event(&mut self, now: Instant) {
        self.polls.on_engine_event(now);
        let hub = &self.context.hub;
        if hub.epoch() != self.position.at.epoch {
            self.stream = hub.subscribe();
            self.position = StreamPosition {
                stale_since: self.position.stale_since,
                ..StreamPosition::newest(hub)
            };
            for row in self.viewers.rows() {
                self.close(row, CloseReason::NewEpoch);
            }
        } else if hub.gaps() != self.position.gaps {
            self.resync_all();
        }
        let hub = &self.context.hub;
        let told = (self.position.stale_since, self.position.activities);
        let current = (hub.stale_since(), hub.activities());
        if told != current {
            (self.position.stale_since, self.position.activities) = current;
            let mut heartbeats = Heartbeats::new(&self.position, &self.context.hub);
            let sent = self
                .viewers
                .iter_mut()
                .map(|(row, viewer)| (row, heartbeats.send(viewer, now)));
            let broken = sent.filter(|(_, outcome)| *outcome == SendOutcome::Broken);
            for (row, _) in broken.collect::<Vec<_>>() {
                self.viewers.remove(row);
            }
        }
    }

    fn run_timers(&mut self, now: Instant) {
        if now < self.timers.next() {
            return;
        }
        let hub = &self.context.hub;
        let heartbeats = || Heartbeats::new(&self.position, hub);
        self.timers.follow_up(&mut self.viewers, heartbeats(), now);
        let aged = self
            .timers
            .sweep(&mut self.viewers, heartbeats(), hub.metrics(), now);
        for row in aged {
            self.close(row, CloseReason::Renewal);
        }
        release_others(self);
    }

    /// Sends the frame of a `Reply::Later`, unless the viewer has left, and handles its next message.
    fn send_reply(&mut self, row: usize, viewer_id: u64, frame: Bytes) {
        let viewer = self.viewers.get_mut(row);
        let Some(viewer) = viewer.filter(|viewer| viewer.details.id == viewer_id) else {
            // It has left, or was handed over.
            if self.team.owner(row) != self.index {
                let reply = WorkerMessage::Reply {
                    row,
                    viewer_id,
                    frame,
                };
                self.team.send_to_owner(row, reply);
            }
            return;
        };
        if viewer.is_closing() {
            return;
        }
        viewer.details.awaits_reply = false;
        let outcome = viewer.send(frame, Instant::now());
        self.viewers.settle(row, outcome);
        if self.is_stopping {
            self.close(row, CloseReason::Stopping);
        }
        self.inbound.resume(&mut self.viewers, row, &self.position);
    }

    /// Sends `bye` and closes the connection. A viewer that awaits a reply is closed after the reply.
    pub(super) fn close(&mut self, row: usize, reason: CloseReason) {
        let Some(viewer) = self.viewers.get_mut(row) else {
            return;
        };
        if viewer.is_closing() || viewer.details.awaits_reply {
            return;
        }
        let retry_ms = match reason {
            CloseReason::Stopping => self.context.slots.retry_ms(),
            CloseReason::Renewal | CloseReason::NewEpoch => 0,
        };
        let last = reason.encode(viewer.encoding(), retry_ms);
        let outcome = viewer.close(last, Instant::now());
        self.viewers.settle(row, outcome);
    }
}
