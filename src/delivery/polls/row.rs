//! One poll: its socket, and how far its answer is.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::net::TcpStream;

use super::super::slots::ViewerSlot;
use super::{PendingPoll, PollKey};
use crate::limits::ClientAddress;
use crate::metrics::RequestTimer;
use crate::model::{Cursor, Timestamp};
use crate::serve::{Connection, ConnectionPermit, DeferredConnection, ResponseHead, ResumeHttp};

/// A row of the table of polls. Dropping it closes the connection and returns its permits.
pub struct PollRow {
    /// The socket.
    pub socket: TcpStream,
    permit: ConnectionPermit,
    http: Arc<dyn ResumeHttp>,
    head: ResponseHead,
    /// Bytes of the next request that were read.
    pub read_ahead: Vec<u8>,
    /// Where the poll comes from.
    pub visitor: ClientAddress,
    /// Measures the time until the answer.
    pub timer: Option<RequestTimer>,
    /// The properties on which the answer depends, shared by a group. Kept for the next poll.
    pub key: Arc<PollKey>,
    /// The request, if it can be recognised when it is repeated.
    pub request: Option<RepeatableRequest>,
    /// Set if the socket has bytes to read.
    pub has_unread: bool,
    pub state: PollState,
    /// When the state ends.
    pub deadline: Instant,
}

/// The request of a poll, as far as it is needed to recognise it when it is repeated from another cursor.
#[derive(Clone, Copy)]
pub struct RepeatableRequest {
    /// The hash of its head without the cursor.
    pub hash: u64,
    /// Reads a request that consists of its head. Returns the hash of the head, and the cursor.
    pub read: fn(&[u8]) -> Option<(u64, Cursor)>,
    /// How long the client asked to wait.
    pub wait: Duration,
}

impl RepeatableRequest {
    /// Returns the cursor of a request that is this one again, with nothing after it.
    pub fn repeated_from(&self, bytes: &[u8]) -> Option<Cursor> {
        let (hash, cursor) = (self.read)(bytes)?;
        (hash == self.hash).then_some(cursor)
    }
}

/// The states of a poll, in order.
pub enum PollState {
    /// There is no answer yet.
    Waiting(WaitingPoll),
    /// The socket did not take the whole answer.
    Writing {
        /// The bytes that it did not take.
        rest: Bytes,
    },
    /// The answer is written, and the next request has not arrived.
    Idle,
}

/// A poll without an answer.
pub struct WaitingPoll {
    /// The group of the poll.
    pub group: u64,
    /// Held for as long as the poll waits.
    pub slot: ViewerSlot,
}

impl PollRow {
    /// Creates the row of a poll that waits in the group with this id and key.
    pub fn new(pending: PendingPoll, (group, key): (u64, Arc<PollKey>), deadline: Instant) -> Self {
        let deferred = pending.deferred;
        let (connection, slot) = (deferred.connection, pending.slot);
        PollRow {
            socket: connection.stream,
            permit: connection.permit,
            http: deferred.http,
            head: deferred.head,
            read_ahead: connection.read_ahead,
            visitor: pending.visitor,
            timer: deferred.timer,
            key,
            request: pending.request,
            has_unread: false,
            state: PollState::Waiting(WaitingPoll { group, slot }),
            deadline,
        }
    }

    /// Waits again in a group, for the answer to another request with the same head.
    pub fn restart(&mut self, (group, key): (u64, Arc<PollKey>), slot: ViewerSlot, now: Instant) {
        self.head.renew_id();
        if let Some(timer) = &mut self.timer {
            timer.restart(now);
        }
        self.key = key;
        self.state = PollState::Waiting(WaitingPoll { group, slot });
    }

    /// Returns true if the client has sent more than the request that is answered.
    pub fn has_next_request(&self) -> bool {
        self.has_unread || !self.read_ahead.is_empty()
    }

    /// Returns true if the connection ends with the answer.
    pub fn is_last(&self) -> bool {
        self.head.is_last()
    }

    /// Reads once. Returns 0 at the end of the connection.
    ///
    /// # Errors
    /// `WouldBlock` if there is nothing to read now, and the errors of the socket.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.socket).read(buffer)
    }

    /// Returns true if there are bytes to read, and false at the end of the connection.
    ///
    /// # Errors
    /// `WouldBlock` if there is nothing to read now, and the errors of the socket.
    pub fn peek(&self) -> io::Result<bool> {
        self.socket.peek(&mut [0]).map(|count| count > 0)
    }

    /// Writes the head and `tail`. Returns the bytes that the socket did not take.
    ///
    /// # Errors
    /// If the connection is broken.
    pub fn write_answer(&mut self, tail: &Bytes) -> io::Result<Bytes> {
        let (lines, id) = self.head.parts();
        let slices = [lines, id.as_bytes(), tail].map(IoSlice::new);
        let written = write(|| (&self.socket).write_vectored(&slices))?;
        let head_length = lines.len() + id.len();
        Ok(match written.checked_sub(head_length) {
            // Not an empty slice, which would keep the whole answer in memory.
            Some(written) if written == tail.len() => Bytes::new(),
            Some(written) => tail.slice(written..),
            None => {
                let whole = [lines, id.as_bytes(), tail].concat();
                Bytes::from(whole).slice(written..)
            }
        })
    }

    /// Writes the rest of an answer. Returns the bytes that the socket did not take.
    ///
    /// # Errors
    /// If the connection is broken.
    pub fn write_rest(&mut self, mut rest: Bytes) -> io::Result<Bytes> {
        while !rest.is_empty() {
            let written = write(|| (&self.socket).write(&rest))?;
            if written == 0 {
                return Ok(rest);
            }
            rest = rest.slice(written..);
        }
        Ok(Bytes::new())
    }

    /// Returns the connection to HTTP, for the next request.
    pub fn resume(self) {
        self.http.resume(Connection {
            stream: self.socket,
            permit: self.permit,
            read_ahead: self.read_ahead,
            last_head: Vec::new(),
        });
    }

    /// Returns the poll as it was before it was registered, if it waits. There is no frame for it up to `at`.
    pub fn into_pending(self, at: Cursor, stale_since: Option<Timestamp>) -> Option<PendingPoll> {
        let PollState::Waiting(waiting) = self.state else {
            return None;
        };
        Some(PendingPoll {
            deferred: DeferredConnection {
                connection: Connection {
                    stream: self.socket,
                    permit: self.permit,
                    read_ahead: self.read_ahead,
                    last_head: Vec::new(),
                },
                head: self.head,
                timer: self.timer,
                http: self.http,
            },
            key: (*self.key).clone(),
            request: self.request,
            at,
            deadline: self.deadline,
            stale_since,
            visitor: self.visitor,
            slot: waiting.slot,
        })
    }
}

/// Writes once. Returns 0 if the socket is full.
fn write(mut attempt: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match attempt() {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => return Ok(written),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error),
        }
    }
}
