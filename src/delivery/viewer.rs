//! One viewer: its socket, its position, and the bytes that its socket did not take yet.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::net::TcpStream;

use super::decoder::FrameDecoder;
use super::inbound::MessageHandler;
use super::slots::ViewerSlot;
use super::{DeliveryLimits, PendingViewer};
use crate::hub::{Chain, TopicFilter};
use crate::limits::{ClientAddress, TokenBucket};
use crate::model::Rev;
use crate::serve::ConnectionPermit;
use crate::wire::{Encoding, SnapshotForm};

/// How long the other side may take to close the connection after the server did.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A non-blocking socket.
pub trait ViewerSocket: Read + Write {
    /// Shuts down the writing half.
    ///
    /// # Errors
    /// When the connection is closed already.
    fn shutdown_write(&self) -> io::Result<()>;
}

impl ViewerSocket for TcpStream {
    fn shutdown_write(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

/// A row of the table of viewers. Dropping it closes the connection and returns its permits.
pub struct Viewer<S = TcpStream> {
    socket: S,
    encoding: Encoding,
    /// The topics that the viewer subscribed to, and the last frame that it was sent.
    pub chain: Chain,
    /// The form in which the viewer receives snapshots.
    pub form: SnapshotForm,
    /// The viewer has received every frame it subscribed to up to this rev.
    pub at: Rev,
    /// Bytes that the socket did not take. Nothing else is written before this is empty.
    unsent: Bytes,
    /// Set if a frame was skipped because `unsent` was not empty.
    pub needs_resync: bool,
    /// When bytes were last sent.
    pub sent_at: Instant,
    /// The longest time between two messages to the viewer.
    heartbeat_ms: u32,
    /// Set if the last event has to be followed by a heartbeat.
    pub needs_follow_up: bool,
    /// When the viewer is asked to reconnect.
    pub renew_at: Instant,
    /// Set while the socket takes no bytes.
    stalled_since: Option<Instant>,
    /// Set while the connection is being closed.
    close_deadline: Option<Instant>,
    /// The unfinished message. `None` between messages.
    pub decoder: Option<Box<FrameDecoder>>,
    /// Set if the socket may have more bytes to read.
    pub has_unread: bool,
    /// Set while a `Reply::Later` is in flight. The next message is handled after it.
    pub awaits_reply: bool,
    /// Handles messages of the viewer.
    pub handler: Option<Box<dyn MessageHandler>>,
    /// Distinguishes viewers that had the same row.
    pub id: u64,
    /// Limits the frames that the viewer may send.
    pub message_bucket: TokenBucket,
    /// Where the viewer comes from.
    pub visitor: ClientAddress,
    _slot: ViewerSlot,
    _permit: ConnectionPermit,
}

/// State of a socket after a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum SendOutcome {
    /// The socket took the bytes, or will be tried again.
    Open,
    /// The connection is broken, and the viewer has to be removed.
    Broken,
}

impl<S: ViewerSocket> Viewer<S> {
    /// Creates the viewer with the given id, which is asked to reconnect at `renew_at`.
    pub fn new(pending: PendingViewer<S>, id: u64, now: Instant, renew_at: Instant) -> Self {
        let connection = pending.connection;
        Viewer {
            socket: connection.stream,
            encoding: pending.encoding,
            chain: pending.chain,
            form: pending.form,
            at: pending.at.rev,
            unsent: Bytes::new(),
            needs_resync: false,
            sent_at: now,
            heartbeat_ms: row_ms(pending.heartbeat),
            // For the events that it received before it was registered.
            needs_follow_up: pending.encoding.is_sse(),
            renew_at,
            stalled_since: None,
            close_deadline: None,
            decoder: None,
            has_unread: false,
            awaits_reply: false,
            handler: pending.handler,
            id,
            message_bucket: TokenBucket::full(now),
            visitor: pending.visitor,
            _slot: pending.slot,
            _permit: connection.permit,
        }
    }

    /// Passes received bytes to the decoder, which keeps messages of up to `message_bytes`.
    pub fn feed(&mut self, bytes: &[u8], message_bytes: usize, now: Instant) {
        let decoder = self
            .decoder
            .get_or_insert_with(|| Box::new(FrameDecoder::new(now, message_bytes)));
        decoder.push(bytes);
    }

    /// Returns the socket, to register it for events.
    pub fn socket(&mut self) -> &mut S {
        &mut self.socket
    }

    /// Returns how frames are encoded for the viewer.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Returns the topics that the viewer subscribed to.
    pub fn filter(&self) -> &TopicFilter {
        self.chain.filter()
    }

    /// Returns the longest time between two messages to the viewer.
    pub fn heartbeat(&self) -> Duration {
        Duration::from_millis(self.heartbeat_ms.into())
    }

    /// Changes the longest time between two messages to the viewer.
    pub fn set_heartbeat(&mut self, heartbeat: Duration) {
        self.heartbeat_ms = row_ms(heartbeat);
    }

    /// Returns true if the socket is full.
    pub fn is_stalled(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Returns true if the connection is being closed.
    pub fn is_closing(&self) -> bool {
        self.close_deadline.is_some()
    }

    /// Returns the timeout that has expired, if any.
    pub fn timed_out(&self, now: Instant, limits: &DeliveryLimits) -> Option<ViewerTimeout> {
        if self.close_deadline.is_some_and(|deadline| deadline <= now) {
            return Some(ViewerTimeout::Close);
        }
        let since = self.decoder.as_ref().map(|decoder| decoder.since());
        if since.is_some_and(|since| now.duration_since(since) >= limits.message_timeout)
            && !self.awaits_reply
        {
            return Some(ViewerTimeout::Message);
        }
        let since = self.stalled_since?;
        (now.duration_since(since) >= limits.write_timeout).then_some(ViewerTimeout::Write)
    }

    /// Sends an event, which a heartbeat has to follow if nothing else does.
    pub fn send_event(&mut self, bytes: Bytes, now: Instant) -> SendOutcome {
        self.needs_follow_up |= self.encoding.is_sse();
        self.send(bytes, now)
    }

    /// Writes `bytes` after those that wait. Bytes that the socket does not take wait.
    pub fn send(&mut self, bytes: Bytes, now: Instant) -> SendOutcome {
        if bytes.is_empty() {
            return SendOutcome::Open;
        }
        self.sent_at = now;
        if self.unsent.is_empty() {
            self.unsent = bytes;
            return self.flush(now);
        }
        self.unsent = [&self.unsent[..], &bytes[..]].concat().into();
        SendOutcome::Open
    }

    /// Writes the waiting bytes, as far as the socket takes them.
    pub fn flush(&mut self, now: Instant) -> SendOutcome {
        while !self.unsent.is_empty() {
            match self.socket.write(&self.unsent) {
                Ok(0) => return SendOutcome::Broken,
                Ok(written) => {
                    self.stalled_since = None;
                    // Not advanced to an empty slice, which would keep the whole batch in memory.
                    self.unsent = if written == self.unsent.len() {
                        Bytes::new()
                    } else {
                        self.unsent.slice(written..)
                    };
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.stalled_since.get_or_insert(now);
                    return SendOutcome::Open;
                }
                Err(_) => return SendOutcome::Broken,
            }
        }
        if self.is_closing() {
            // Fails if the connection is closed already, which the next read reports.
            let _ = self.socket.shutdown_write();
        }
        SendOutcome::Open
    }

    /// Sends the last bytes, and waits up to `CLOSE_TIMEOUT` for the other side to close.
    pub fn close(&mut self, last: Bytes, now: Instant) -> SendOutcome {
        self.decoder = None;
        self.close_deadline = Some(now + CLOSE_TIMEOUT);
        self.send(last, now)
    }

    /// Reads once. Returns `None` if there is nothing to read now, and 0 if the connection is closed
    /// or broken.
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

/// Returns milliseconds in the size of a row. A day has 86 million.
fn row_ms(interval: Duration) -> u32 {
    u32::try_from(interval.as_millis()).unwrap_or(u32::MAX)
}

/// The timeout for which a viewer is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewerTimeout {
    /// The socket took no byte.
    Write,
    /// A message did not arrive completely.
    Message,
    /// The other side did not close the connection.
    Close,
}

impl ViewerTimeout {
    /// Returns the label in the metrics. A close is not counted.
    pub const fn label(self) -> Option<&'static str> {
        match self {
            ViewerTimeout::Write => Some("write-timeout"),
            ViewerTimeout::Message => Some("protocol"),
            ViewerTimeout::Close => None,
        }
    }
}
