//! Long polls that wait on a worker.
//!
//! A poll is a row of a table, as a viewer is: its socket and the head of its answer. Polls from the same
//! cursor with the same filter form a group, whose answer is encoded once. The frames of the hub's stream say
//! which groups are due; a pass over these asks the hub for their frames and writes the answers. After its
//! answer a socket stays in its row, without buffers, until the next request arrives. If that is the same poll from
//! another cursor, it waits in its row again; else the socket returns to HTTP.

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
use std::sync::Arc;
use std::time::Instant;

use mio::event::Event;
use mio::{Interest, Registry, Token};
use tokio::sync::broadcast::Receiver;

pub use self::answer::{PollKey, hello};
pub use self::cache::PollCache;
use self::groups::PollGroups;
pub use self::row::RepeatableRequest;
use self::row::{PollRow, PollState, WaitingPoll};
use self::rows::PollRows;
use super::slots::{Transport, ViewerSlot};
use super::stream_position::StreamPosition;
use super::team::Team;
use super::{ViewerSocket as _, WorkerContext};
use crate::limits::ClientAddress;
use crate::model::{Cursor, Timestamp};
use crate::serve::DeferredConnection;
use crate::wire::Frame;

/// Added to a row for its token in the event loop. Viewers have the tokens below.
const FIRST_TOKEN: usize = usize::MAX / 2;

/// Size of the buffer for a request that may repeat the one before.
const READ_BYTES: usize = 4 * 1024;

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
    /// The request, if it can be recognised when it is repeated.
    pub request: Option<RepeatableRequest>,
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
    team: Arc<Team>,
    /// Position of the worker in the team.
    index: usize,
    registry: Registry,
    rows: PollRows,
    groups: PollGroups,
    /// Groups for which there may be a frame.
    due: BTreeSet<u64>,
    deadlines: BTreeSet<(Instant, usize)>,
    stream: Receiver<Frame>,
    position: StreamPosition,
    next_pass: Instant,
    /// Sockets that returned to HTTP since the last pass.
    http_requests: u32,
    /// Receives the next request of a socket.
    buffer: Box<[u8]>,
    is_stopping: bool,
}

impl Polls {
    /// Creates the table of the worker at `index` of the team, which waits on `registry`.
    pub fn new(context: WorkerContext, registry: Registry, team: Arc<Team>, index: usize) -> Self {
        Polls {
            stream: context.hub.subscribe(),
            position: StreamPosition {
                stale_since: context.hub.stale_since(),
                ..StreamPosition::newest(&context.hub)
            },
            context,
            team,
            index,
            registry,
            rows: PollRows::default(),
            groups: PollGroups::default(),
            due: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            next_pass: Instant::now(),
            http_requests: 0,
            buffer: vec![0; READ_BYTES].into(),
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
    pub fn register(&mut self, mut pending: PendingPoll) {
        let socket = &mut pending.deferred.connection.stream;
        let row = socket.number();
        let (token, interest) = (Token(FIRST_TOKEN + row), Interest::READABLE);
        if self.registry.register(socket, token, interest).is_err() {
            return;
        }
        let is_told = pending.stale_since == self.position.stale_since;
        let deadline = if is_told {
            pending.deadline
        } else {
            Instant::now()
        };
        let group = self.join(row, pending.key.clone(), pending.at);
        self.rows.insert(PollRow::new(pending, group, deadline));
        self.deadlines.insert((deadline, row));
        if self.is_stopping {
            self.close(row);
        }
    }

    /// Adds a poll to its group, which is due if frames after `at` were received already.
    fn join(&mut self, row: usize, key: PollKey, at: Cursor) -> (u64, Arc<PollKey>) {
        let newest = self.position.at;
        let (id, key) = self.groups.insert(row, key, at);
        if at.epoch != newest.epoch || at.rev < newest.rev {
            self.due.insert(id);
        }
        (id, key)
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

    /// Finds out if a client sent its next request, or disconnected.
    fn check_input(&mut self, row: usize) {
        let Some(poll) = self.rows.get_mut(row) else {
            return;
        };
        if matches!(poll.state, PollState::Idle) {
            return self.read_request(row);
        }
        match poll.peek() {
            Ok(true) => poll.has_unread = true,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(false) if poll.has_next_request() => {}
            Ok(false) | Err(_) => self.remove(row),
        }
    }

    /// Reads the next request of a row. The poll waits again if this repeats the one before, else the socket
    /// returns to HTTP.
    fn read_request(&mut self, row: usize) {
        let poll = &mut self.rows[row];
        match poll.read(&mut self.buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => self.remove(row),
            Ok(count) => {
                if self.repeat(row, count).is_none() {
                    self.rows[row].read_ahead = self.buffer[..count].to_vec();
                    self.resume(row);
                }
            }
        }
    }

    /// Waits again if the request in the buffer repeats that of the row. Returns `None` if it does not, or if
    /// it has to pass HTTP: the server is full or stops, the cursor is not of this node's memory, or another
    /// worker serves the socket now.
    fn repeat(&mut self, row: usize, count: usize) -> Option<()> {
        let poll = &self.rows[row];
        let request = poll.request.as_ref()?;
        let start = request.repeated_from(&self.buffer[..count])?;
        if !self.context.hub.has_frames_after(start) || !self.owns(row) {
            return None;
        }
        let slots = &self.context.slots;
        let slot = slots.try_admit(Transport::Poll, poll.visitor)?;
        let (now, wait) = (Instant::now(), request.wait);
        let key = PollKey {
            start,
            ..(*poll.key).clone()
        };
        let group = self.join(row, key, start);
        self.rows[row].restart(group, slot, now);
        self.set_deadline(row, now + wait);
        Some(())
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

    /// Hands the polls that wait over to the workers that serve their sockets. A socket whose poll is answered stays
    /// until its next request.
    pub fn hand_over(&mut self) {
        self.receive();
        for row in self.waiting_rows() {
            if self.owns(row) {
                continue;
            }
            let socket = &mut self.rows[row].socket;
            if self.registry.deregister(socket).is_err() {
                continue;
            }
            let at = self.nothing_until(row);
            let (poll, stale_since) = (self.take(row), self.position.stale_since);
            let pending = poll
                .zip(at)
                .and_then(|(poll, at)| poll.into_pending(at, stale_since));
            if let Some(pending) = pending {
                self.team.register_poll(pending);
            }
        }
    }

    fn owns(&self, row: usize) -> bool {
        self.team.owner(row) == self.index
    }

    /// Returns the cursor up to which there is no frame for a poll that waits.
    fn nothing_until(&mut self, row: usize) -> Option<Cursor> {
        let PollState::Waiting(WaitingPoll { group: id, .. }) = self.rows[row].state else {
            return None;
        };
        // All frames of the stream were received, and none was for this group unless it is due.
        if !self.due.contains(&id) {
            return Some(self.position.at);
        }
        self.groups.get_mut(id).map(|group| group.at)
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
            self.http_requests = self.http_requests.saturating_add(1);
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
