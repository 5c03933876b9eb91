//! One viewer: its socket, its position, and the bytes that its socket did not take yet.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
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
    /// Returns a small number that no other open socket has.
    fn number(&self) -> usize;

    /// Shuts down the writing half.
    ///
    /// # Errors
    /// When the connection is closed already.
    fn shutdown_write(&self) -> io::Result<()>;
}

impl ViewerSocket for TcpStream {
    fn number(&self) -> usize {
        usize::try_from(self.as_raw_fd()).expect("an open socket has a number from 0")
    }

    fn shutdown_write(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

/// A row of the table of viewers: what a pass reads, in one cache line. Dropping it closes the
/// connection and returns its permits.
pub struct Viewer<S = TcpStream> {
    socket: S,
    encoding: Encoding,
    /// Set if bytes wait for the socket. Nothing else is written before them.
    is_stalled: bool,
    /// Set while the connection is being closed.
    is_closing: bool,
    /// Set if a frame was skipped because the socket was full.
    pub needs_resync: bool,
    /// Set if the last event has to be followed by a heartbeat.
    pub needs_follow_up: bool,
    /// When bytes were last sent.
    sent_at: RowTime,
    /// The viewer has received every frame it subscribed to up to this rev.
    pub at: Rev,
    /// The topics that the viewer subscribed to, and the last frame that it was sent.
    pub chain: Chain,
    /// The rest, which a pass does not read.
    pub details: Box<ViewerDetails>,
}

/// In a debug build, mio remembers with each socket where it is registered.
#[cfg(not(debug_assertions))]
const _: () = assert!(size_of::<Option<Viewer>>() <= 64, "a row is a cache line");

/// The rest of a viewer.
pub struct ViewerDetails {
    /// The form in which the viewer receives snapshots.
    pub form: SnapshotForm,
    /// Bytes that the socket did not take.
    unsent: Bytes,
    /// The longest time between two messages to the viewer.
    heartbeat_ms: u32,
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

/// A time in the size of a row: milliseconds since the program started, from 0 again after 49 days.
#[derive(Clone, Copy)]
struct RowTime(u32);

impl RowTime {
    fn new(now: Instant) -> Self {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        let ms = now.saturating_duration_since(*START).as_millis();
        #[expect(clippy::cast_possible_truncation, reason = "from 0 again")]
        RowTime(ms as u32)
    }

    /// Returns the time since then, which is less than 24 days.
    fn elapsed(self, now: Instant) -> Duration {
        let ms = RowTime::new(now).0.wrapping_sub(self.0);
        // Later than `now`, which another message of the same turn may be.
        let is_later = ms > u32::MAX / 2;
        Duration::from_millis(if is_later { 0 } else { ms.into() })
    }
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
            is_stalled: false,
            is_closing: false,
            needs_resync: false,
            // For the events that it received before it was registered.
            needs_follow_up: pending.encoding.is_sse(),
            sent_at: RowTime::new(now),
            at: pending.at.rev,
            chain: pending.chain,
            details: Box::new(ViewerDetails {
                form: pending.form,
                unsent: Bytes::new(),
                heartbeat_ms: row_ms(pending.heartbeat),
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
            }),
        }
    }

    /// Returns the row of the viewer in its table.
    pub fn row(&self) -> usize {
        self.socket.number()
    }

    /// Passes received bytes to the decoder, which keeps messages of up to `message_bytes`.
    pub fn feed(&mut self, bytes: &[u8], message_bytes: usize, now: Instant) {
        let decoder = &mut self.details.decoder;
        let decoder =
            decoder.get_or_insert_with(|| Box::new(FrameDecoder::new(now, message_bytes)));
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
        Duration::from_millis(self.details.heartbeat_ms.into())
    }

    /// Changes the longest time between two messages to the viewer.
    pub fn set_heartbeat(&mut self, heartbeat: Duration) {
        self.details.heartbeat_ms = row_ms(heartbeat);
    }

    /// Returns true if the socket is full.
    pub fn is_stalled(&self) -> bool {
        self.is_stalled
    }

    /// Returns true if the connection is being closed.
    pub fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// Returns the time since bytes were last sent.
    pub fn quiet_for(&self, now: Instant) -> Duration {
        self.sent_at.elapsed(now)
    }

    /// Returns the timeout that has expired, if any.
    pub fn timed_out(&self, now: Instant, limits: &DeliveryLimits) -> Option<ViewerTimeout> {
        let details = &self.details;
        if details
            .close_deadline
            .is_some_and(|deadline| deadline <= now)
        {
            return Some(ViewerTimeout::Close);
        }
        let since = details.decoder.as_ref().map(|decoder| decoder.since());
        if since.is_some_and(|since| now.duration_since(since) >= limits.message_timeout)
            && !details.awaits_reply
        {
            return Some(ViewerTimeout::Message);
        }
        let since = details.stalled_since?;
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
        self.sent_at = RowTime::new(now);
        if !self.is_stalled {
            return self.write(bytes, now);
        }
        let unsent = &mut self.details.unsent;
        *unsent = [&unsent[..], &bytes[..]].concat().into();
        SendOutcome::Open
    }

    /// Writes the waiting bytes, as far as the socket takes them.
    pub fn flush(&mut self, now: Instant) -> SendOutcome {
        let unsent = std::mem::take(&mut self.details.unsent);
        self.write(unsent, now)
    }

    /// Writes `bytes`, and keeps those that the socket does not take.
    fn write(&mut self, mut bytes: Bytes, now: Instant) -> SendOutcome {
        while !bytes.is_empty() {
            match self.socket.write(&bytes) {
                Ok(0) => return SendOutcome::Broken,
                Ok(written) => {
                    if self.is_stalled {
                        self.details.stalled_since = None;
                    }
                    bytes.advance(written);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.is_stalled = true;
                    self.details.unsent = bytes;
                    self.details.stalled_since.get_or_insert(now);
                    return SendOutcome::Open;
                }
                Err(_) => return SendOutcome::Broken,
            }
        }
        self.is_stalled = false;
        if self.is_closing {
            // Fails if the connection is closed already, which the next read reports.
            let _ = self.socket.shutdown_write();
        }
        SendOutcome::Open
    }

    /// Sends the last bytes, and waits up to `CLOSE_TIMEOUT` for the other side to close.
    pub fn close(&mut self, last: Bytes, now: Instant) -> SendOutcome {
        self.is_closing = true;
        self.details.decoder = None;
        self.details.close_deadline = Some(now + CLOSE_TIMEOUT);
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
