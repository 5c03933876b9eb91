//! One viewer: a socket, where it is, and what its socket did not take yet.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::net::TcpStream;

use super::Newcomer;
use crate::auth::SocketPrincipal;
use crate::hub::Filter;
use crate::limits::{ClientAddress, TokenBucket};
use crate::live::handoff::Admission;
use crate::live::places::Place;
use crate::live::reader::Reader;
use crate::model::Rev;
use crate::wire::{Encoding, SnapshotForm};

/// How long the other side may take to close, after it was told to.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What a viewer's bytes go through.
pub trait Socket: Read + Write {
    /// Tells the other side that nothing more comes.
    ///
    /// # Errors
    /// When the other side is gone.
    fn end_writing(&self) -> io::Result<()>;
}

impl Socket for TcpStream {
    fn end_writing(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

/// A row of the table. Dropping it closes the connection and gives its places back.
pub struct Viewer<S = TcpStream> {
    socket: S,
    encoding: Encoding,
    filter: Filter,
    /// The form in which it receives snapshots.
    pub form: SnapshotForm,
    /// It was given everything it wants up to here.
    pub at: Rev,
    /// What the socket did not take. Nothing else is written before this is empty.
    unsent: Bytes,
    /// Whether something came while `unsent` was not empty.
    pub has_missed: bool,
    pub sent_at: Instant,
    /// Whether a heartbeat is to follow what was sent last.
    pub is_followed_up: bool,
    /// When it is asked to come back over a new connection.
    pub renew_at: Instant,
    /// Since when the socket takes nothing.
    stalled_since: Option<Instant>,
    /// Until when it may close by itself.
    closing_until: Option<Instant>,
    /// What it began to say. Absent between messages.
    pub reader: Option<Box<Reader>>,
    /// Whether its socket may have more to read than was read.
    pub has_unread: bool,
    /// Whether a command of it is being carried out; the next is read after the answer.
    pub is_asking: bool,
    /// Messages that were no commands.
    pub strikes: u8,
    /// Who its commands are from.
    pub speaker: SocketPrincipal,
    /// Tells it from others that had the same row.
    pub number: u64,
    /// Limits the frames that the viewer may send.
    pub message_bucket: TokenBucket,
    pub visitor: ClientAddress,
    _place: Place,
    _admission: Admission,
}

/// How a write or a read went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    Alive,
    Gone,
}

impl<S: Socket> Viewer<S> {
    pub fn new(newcomer: Newcomer<S>, number: u64, now: Instant, renew_at: Instant) -> Self {
        let connection = newcomer.connection;
        Viewer {
            socket: connection.stream,
            encoding: newcomer.encoding,
            filter: newcomer.filter,
            form: newcomer.form,
            at: newcomer.at.rev,
            unsent: Bytes::new(),
            has_missed: false,
            sent_at: now,
            // What it was given before it came here is followed up too.
            is_followed_up: newcomer.encoding.is_sse(),
            renew_at,
            stalled_since: None,
            closing_until: None,
            reader: None,
            has_unread: false,
            is_asking: false,
            strikes: 0,
            speaker: newcomer.speaker,
            number,
            message_bucket: TokenBucket::full(now),
            visitor: newcomer.visitor,
            _place: newcomer.place,
            _admission: connection.admission,
        }
    }

    /// Takes in what it said, in messages of up to `message_bytes`; what that means is for the
    /// conversation.
    pub fn hear(&mut self, bytes: &[u8], message_bytes: usize, now: Instant) {
        let reader = self
            .reader
            .get_or_insert_with(|| Box::new(Reader::new(now, message_bytes)));
        reader.push(bytes);
    }

    pub fn socket(&mut self) -> &mut S {
        &mut self.socket
    }

    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether what comes now has to wait.
    pub fn is_stalled(&self) -> bool {
        !self.unsent.is_empty()
    }

    pub fn is_closing(&self) -> bool {
        self.closing_until.is_some()
    }

    /// Whether its time is over: for a socket that takes nothing, or a close that is not answered.
    pub fn is_overdue(&self, now: Instant, times: Times) -> Option<Overdue> {
        if self.closing_until.is_some_and(|until| until <= now) {
            return Some(Overdue::Close);
        }
        let since = self.reader.as_ref().map(|reader| reader.since());
        if since.is_some_and(|since| now.duration_since(since) >= times.message) && !self.is_asking
        {
            return Some(Overdue::Word);
        }
        let since = self.stalled_since?;
        (now.duration_since(since) >= times.write).then_some(Overdue::Write)
    }

    /// Sends what matters to people, and is to arrive before anything comes after it.
    pub fn send_event(&mut self, bytes: Bytes, now: Instant) -> Outcome {
        self.is_followed_up |= self.encoding.is_sse();
        self.send(bytes, now)
    }

    /// Writes `bytes` behind what waits; what the socket does not take waits from then on.
    pub fn send(&mut self, bytes: Bytes, now: Instant) -> Outcome {
        if bytes.is_empty() {
            return Outcome::Alive;
        }
        self.sent_at = now;
        if self.unsent.is_empty() {
            self.unsent = bytes;
            return self.flush(now);
        }
        self.unsent = [&self.unsent[..], &bytes[..]].concat().into();
        Outcome::Alive
    }

    /// Writes what waits, as far as the socket takes it.
    pub fn flush(&mut self, now: Instant) -> Outcome {
        while !self.unsent.is_empty() {
            match self.socket.write(&self.unsent) {
                Ok(0) => return Outcome::Gone,
                Ok(taken) => {
                    self.stalled_since = None;
                    // Not advanced to an empty slice, which would keep the whole batch alive.
                    self.unsent = match taken == self.unsent.len() {
                        true => Bytes::new(),
                        false => self.unsent.slice(taken..),
                    };
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.stalled_since.get_or_insert(now);
                    return Outcome::Alive;
                }
                Err(_) => return Outcome::Gone,
            }
        }
        if self.is_closing() {
            // Fails when the other side is gone already, which the next read tells.
            let _ = self.socket.end_writing();
        }
        Outcome::Alive
    }

    /// Sends the last bytes, and gives the other side a moment to close.
    pub fn close(&mut self, last: Bytes, now: Instant) -> Outcome {
        self.reader = None;
        self.closing_until = Some(now + CLOSE_TIMEOUT);
        self.send(last, now)
    }

    /// Reads once. `None` when there is nothing more for now, 0 at the end of the stream or when
    /// the connection is broken.
    pub fn read(&mut self, buffer: &mut [u8]) -> Option<usize> {
        loop {
            match self.socket.read(buffer) {
                Ok(count) => return Some(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(_) => return Some(0),
            }
        }
    }
}

/// How long a viewer may take.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// To take a byte.
    pub write: Duration,
    /// From the first byte of a message to its last. What was said so far is held until then.
    pub message: Duration,
}

/// Why a viewer's time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    Write,
    /// A message that was begun and is not finished.
    Word,
    Close,
}
