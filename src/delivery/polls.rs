//! Long polls that wait on a worker.
//!
//! A poll is a row of a table, as a viewer is: its socket and the head of its answer. Polls from the same
//! cursor with the same filter form a group, whose answer is encoded once. The frames of the hub's stream say
//! which groups are due; a pass over these asks the hub for their frames and writes the answers. After its
//! answer a socket stays in its row, without buffers, until the next request arrives, and then returns to HTTP.

mod answer;
mod answering;
mod cache;
mod groups;
mod row;
mod rows;
mod tail;
#[cfg(test)]
pub mod tests;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::time::Instant;

use mio::event::Event;
use mio::{Interest, Registry, Token};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

pub use self::answer::{PollKey, hello};
pub use self::cache::PollCache;
use self::groups::PollGroups;
use self::row::{PollRow, PollState, WaitingPoll};
use self::rows::PollRows;
use super::slots::ViewerSlot;
use super::stream_position::StreamPosition;
use super::{ViewerSocket as _, WorkerContext};
use crate::limits::ClientAddress;
use crate::model::{Cursor, Timestamp};
use crate::serve::DeferredConnection;
use crate::wire::Frame;

/// Added to a row for its token in the event loop. Viewers have the tokens below.
const FIRST_TOKEN: usize = usize::MAX / 2;

/// A poll on its way to a worker.
pub struct PendingPoll {
    /// The socket, and the head of the answer.
    pub deferred: DeferredConnection,
    /// The properties on which its answer depends.
    pub key: PollKey,
    /// There is no frame for the poll up to here.
    pub at: Cursor,
    /// When the poll is answered in any case.
    pub deadline: Instant,
    /// When the engine stopped responding, as known when the poll began.
    pub stale_since: Option<Timestamp>,
    /// Where the poll comes from.
    pub visitor: ClientAddress,
    /// Held for as long as the poll waits.
    pub slot: ViewerSlot,
}

/// The polls of one worker.
pub struct Polls {
    context: WorkerContext,
    registry: Registry,
    rows: PollRows,
    groups: PollGroups,
    /// Groups for which there may be a frame.
    due: BTreeSet<u64>,
    deadlines: BTreeSet<(Instant, usize)>,
    stream: Receiver<Frame>,
    position: StreamPosition,
    next_pass: Instant,
    is_stopping: bool,
}

impl Polls {
    /// Creates the table of a worker that waits on `registry`.
    pub fn new(context: WorkerContext, registry: Registry) -> Self {
        Polls {
            stream: context.hub.subscribe(),
            position: StreamPosition {
                stale_since: context.hub.stale_since(),
                ..StreamPosition::newest(&context.hub)
            },
            context,
            registry,
            rows: PollRows::default(),
            groups: PollGroups::default(),
            due: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            next_pass: Instant::now(),
            is_stopping: false,
        }
    }

    /// Drops all polls, and continues at the hub's present position.
    pub fn clear(&mut self) {
        (self.rows, self.groups) = (PollRows::default(), PollGroups::default());
        self.due.clear();
        self.deadlines.clear();
        self.restart();
    }

    fn restart(&mut self) {
        let hub = &self.context.hub;
        // Subscribes before it asks the hub, whose answers are then newer than any lost frame.
        self.stream = hub.subscribe();
        self.position = StreamPosition {
            stale_since: self.position.stale_since,
            ..StreamPosition::newest(hub)
        };
    }

    /// Returns true if `token` is of a poll.
    pub fn has_token(token: Token) -> bool {
        (FIRST_TOKEN..usize::MAX).contains(&token.0)
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns when `run` has to be called next.
    pub fn next_wake(&self) -> Option<Instant> {
        let deadline = self.deadlines.first().map(|(deadline, _)| *deadline);
        let pass = (!self.due.is_empty()).then_some(self.next_pass);
        deadline.into_iter().chain(pass).min()
    }

    /// Adds a poll. It is answered in the next pass if there are frames for it already.
    pub fn register(&mut self, pending: PendingPoll) {
        let row = pending.deferred.connection.stream.number();
        let is_outdated =
            pending.at.epoch != self.position.at.epoch || pending.at.rev < self.position.at.rev;
        let is_told = pending.stale_since == self.position.stale_since;
        let deadline = if is_told {
            pending.deadline
        } else {
            Instant::now()
        };
        let DeferredConnection {
            mut connection,
            head,
            timer,
            http,
        } = pending.deferred;
        let (token, socket) = (Token(FIRST_TOKEN + row), &mut connection.stream);
        if (self.registry)
            .register(socket, token, Interest::READABLE)
            .is_err()
        {
            return;
        }
        let group = self.groups.insert(row, pending.key, pending.at);
        if is_outdated {
            self.due.insert(group);
        }
        let waiting = WaitingPoll {
            group,
            visitor: pending.visitor,
            slot: pending.slot,
            timer,
        };
        self.rows
            .insert(PollRow::new(connection, head, http, waiting, deadline));
        self.deadlines.insert((deadline, row));
        if self.is_stopping {
            self.close(row);
        }
    }

    /// Reacts to an event of a socket.
    pub fn on_event(&mut self, event: &Event) {
        let row = event.token().0 - FIRST_TOKEN;
        if event.is_writable() {
            self.write_rest(row);
        }
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            self.check_input(row);
        }
    }

    /// Finds out if a client sent its next request, or disconnected. A request is not read here.
    fn check_input(&mut self, row: usize) {
        let Some(poll) = self.rows.get_mut(row) else {
            return;
        };
        let is_idle = matches!(poll.state, PollState::Idle);
        match poll.peek() {
            Ok(true) if is_idle => self.resume(row),
            Ok(true) => poll.has_unread = true,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(false) if poll.has_next_request() => {}
            Ok(false) | Err(_) => self.remove(row),
        }
    }

    /// Reacts to a change of the engine: another epoch, a gap in the history, or that it stops or starts
    /// responding.
    pub fn on_engine_event(&mut self, now: Instant) {
        let hub = &self.context.hub;
        if hub.epoch() != self.position.at.epoch || hub.gaps() != self.position.gaps {
            self.restart();
            self.due.extend(self.groups.ids());
        }
        let stale_since = self.context.hub.stale_since();
        if stale_since != self.position.stale_since {
            self.position.stale_since = stale_since;
            for row in self.waiting_rows() {
                self.answer_row(row, now);
            }
        }
    }

    /// Removes the polls that wait on sockets of other workers. A socket whose poll is answered stays until its
    /// next request.
    pub fn hand_over(&mut self, is_owned: impl Fn(usize) -> bool) -> Vec<PendingPoll> {
        self.receive();
        let stale_since = self.position.stale_since;
        let mut handed = Vec::new();
        for row in self.waiting_rows() {
            let poll = &mut self.rows[row];
            if is_owned(poll.socket.number()) || self.registry.deregister(&mut poll.socket).is_err()
            {
                continue;
            }
            let Some((key, at)) = self.group_of(row) else {
                continue;
            };
            let poll = self.take(row);
            handed.extend(poll.and_then(|poll| poll.into_pending(key, at, stale_since)));
        }
        handed
    }

    /// Returns the key of a poll that waits, and the cursor up to which there is no frame for it.
    fn group_of(&mut self, row: usize) -> Option<(PollKey, Cursor)> {
        let PollState::Waiting(WaitingPoll { group: id, .. }) = self.rows[row].state else {
            return None;
        };
        let group = self.groups.get_mut(id)?;
        // All frames of the stream were received, and none was for this group unless it is due.
        let is_due = self.due.contains(&id);
        let at = if is_due { group.at } else { self.position.at };
        Some((group.key.clone(), at))
    }

    /// Answers the polls for which there are frames, if a pass may start, and those whose time is over. Returns
    /// true if there was a pass.
    pub fn run(&mut self, now: Instant) -> bool {
        self.receive();
        let starts = self.next_pass <= now && !self.due.is_empty();
        if starts {
            self.pass(now);
        }
        while let Some((deadline, row)) = self.deadlines.first().copied()
            && deadline <= now
        {
            self.expire(row, now);
        }
        starts
    }

    /// Takes the new frames of the stream, and marks the groups that subscribed to them.
    fn receive(&mut self) {
        let before = self.position.at;
        loop {
            match self.stream.try_recv() {
                Ok(frame) => {
                    self.mark(before, self.groups.subscribers(frame.topic()));
                    self.position.at.rev = self.position.at.rev.max(frame.rev());
                }
                Err(TryRecvError::Lagged(_)) => self.mark(before, self.groups.ids()),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    /// Marks groups as due. All frames up to `before` were received, and none was for them.
    fn mark(&mut self, before: Cursor, groups: Vec<u64>) {
        for id in groups {
            if self.due.insert(id)
                && let Some(group) = self.groups.get_mut(id)
                && group.at.epoch == before.epoch
            {
                group.at.rev = group.at.rev.max(before.rev);
            }
        }
    }

    /// Ends the state of a row whose time is over.
    fn expire(&mut self, row: usize, now: Instant) {
        match self.rows[row].state {
            PollState::Waiting(_) => self.answer_row(row, now),
            PollState::Idle => self.remove(row),
            PollState::Writing { .. } => {
                let dropped = &self.context.hub.metrics().dropped;
                dropped.with_label_values(&["write-timeout"]).inc();
                self.remove(row);
            }
        }
    }

    fn set_deadline(&mut self, row: usize, deadline: Instant) {
        let poll = &mut self.rows[row];
        self.deadlines.remove(&(poll.deadline, row));
        self.deadlines.insert((deadline, row));
        poll.deadline = deadline;
    }

    fn take(&mut self, row: usize) -> Option<Box<PollRow>> {
        let poll = self.rows.take(row)?;
        self.deadlines.remove(&(poll.deadline, row));
        if let PollState::Waiting(waiting) = &poll.state {
            self.groups.remove_row(waiting.group, row);
        }
        if self.rows.len() == 0 {
            // Returns the memory of a crowd that has left.
            (self.rows, self.groups) = (PollRows::default(), PollGroups::default());
            self.due.clear();
        }
        Some(poll)
    }

    /// Removes a poll, which closes its connection.
    fn remove(&mut self, row: usize) {
        self.take(row);
    }

    /// Returns a socket to HTTP.
    fn resume(&mut self, row: usize) {
        let Some(mut poll) = self.take(row) else {
            return;
        };
        if self.registry.deregister(&mut poll.socket).is_ok() {
            poll.resume();
        }
    }

    fn waiting_rows(&self) -> Vec<usize> {
        let waiting = |poll: &PollRow| matches!(poll.state, PollState::Waiting(_));
        let rows = self.rows.iter();
        rows.filter(|(_, poll)| waiting(poll))
            .map(|(row, _)| row)
            .collect()
    }

    /// Sends `bye` to every poll that waits, and closes all connections.
    pub fn close_all(&mut self) {
        self.is_stopping = true;
        let rows: Vec<usize> = self.rows.iter().map(|(row, _)| row).collect();
        for row in rows {
            self.close(row);
        }
    }
}
