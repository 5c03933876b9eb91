//! The socket of an HTTP connection, with timeouts and a memory reservation.
//!
//! It fails if the client takes no byte, or sends no request, for too long. When the HTTP connection
//! is gone, it passes the bare socket to the route that asked for it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::answer_early;
use super::connection::AcceptedConnection;
use super::handoff::{Connection, ConnectionPermit, Handoff};
use super::held_input::HeldInput;
use super::read_timeout::{ConnectionPhase, ReadTimedOut, ReadTimeout};
use crate::limits::{CONNECTION_BYTES, MemoryExhausted, MemoryReservation, Timeouts};
use crate::metrics::Metrics;

/// Body of the 408 for a head that did not arrive in time. A connection that sent no byte is closed
/// without a response.
const HEAD_TIMED_OUT: &str = "The request head took too long to arrive.";

/// Body of the 503 for a head that the memory of all requests has no room for.
const MEMORY_EXHAUSTED: &str = "Too many unfinished requests. Try again.";

/// Header that hyper's own responses lack: it refuses a head that cannot be parsed (400) or is too
/// large (431) before any route sees it.
const CROSS_ORIGIN: &[u8] = b"Access-Control-Allow-Origin: *\r\n";

/// Bytes of one read. hyper doubles its buffer (8 KiB at first), up to the limit of a head, whenever
/// a read fills it, and never shrinks it.
const READ_BYTES: usize = 4 * 1024;

/// Bytes of a head that fit into the buffers that `CONNECTION_BYTES` counts.
const HEAD_INCLUDED_BYTES: usize = 8 * 1024;

/// The socket that hyper reads from and writes to. The write timeout runs only while bytes wait to be
/// written, so an idle connection has no timer.
pub struct HttpSocket {
    /// `None` after the drop.
    inner: Option<(TcpStream, ConnectionPermit)>,
    handoff: Handoff,
    write_timeout: Duration,
    /// Set while the socket is full.
    write_deadline: Option<Pin<Box<Sleep>>>,
    /// True if all bytes that hyper wants to write are written. A socket in the middle of a message
    /// cannot be handed over.
    is_flushed: bool,
    /// The phase in which the last flush was.
    flushed_phase: u32,
    read_timeout: ReadTimeout,
    phase: ConnectionPhase,
    memory: MemoryReservation,
    /// The phase in which `head_bytes` were read.
    head_phase: u32,
    head_bytes: usize,
    input: HeldInput,
    metrics: Metrics,
}

impl HttpSocket {
    /// Wraps the socket of an accepted connection.
    pub fn new(
        accepted: AcceptedConnection,
        handoff: Handoff,
        phase: ConnectionPhase,
        timeouts: Timeouts,
        metrics: Metrics,
    ) -> Self {
        HttpSocket {
            inner: Some((accepted.stream, accepted.permit)),
            handoff,
            write_timeout: timeouts.write,
            write_deadline: None,
            is_flushed: true,
            flushed_phase: 0,
            read_timeout: ReadTimeout::new(timeouts, phase.clone()),
            phase,
            memory: accepted.memory,
            head_phase: 0,
            head_bytes: 0,
            input: HeldInput::new(accepted.read_ahead),
            metrics,
        }
    }

    /// Reads bytes of the present request into `buffer`. Returns how many: 0 at the end of the connection.
    fn poll_input(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let phase = self.phase.number();
        let holds = self.phase.holds_input(phase);
        if holds && !self.input.is_empty() {
            return Poll::Pending;
        }
        let mut count = self.input.take(buffer);
        if count == 0 {
            let mut part = ReadBuf::new(buffer);
            ready!(self.stream().poll_read(context, &mut part))?;
            count = part.filled().len();
        }
        if holds && count > 0 {
            self.input.hold(&buffer[..count]);
            return Poll::Pending;
        }
        if ConnectionPhase::is_reading(phase) {
            count = self.input.hold_after_head(phase, &buffer[..count]);
        }
        Poll::Ready(Ok(count))
    }

    /// Reserves memory for the bytes of a head, which hyper keeps until the request is answered. The
    /// bytes of a body are reserved by whoever reads it.
    fn reserve_head(&mut self, count: usize) -> Result<(), MemoryExhausted> {
        let phase = self.phase.number();
        if !ConnectionPhase::is_reading(phase) {
            return Ok(());
        }
        if phase != self.head_phase {
            self.head_phase = phase;
            self.head_bytes = 0;
        }
        self.head_bytes += count;
        let beyond = self.head_bytes.saturating_sub(HEAD_INCLUDED_BYTES);
        self.memory.resize(CONNECTION_BYTES + beyond)
    }

    fn stream(&mut self) -> Pin<&mut TcpStream> {
        let inner = self.inner.as_mut();
        Pin::new(&mut inner.expect("the stream is there until this is dropped").0)
    }

    /// Returns true if `bytes` is a whole response that hyper gives by itself: it is the first write
    /// since the last flush, and the service got no request since then.
    fn is_refusal(&self, bytes: &[u8]) -> bool {
        let phase = self.phase.number();
        self.is_flushed
            && ConnectionPhase::is_reading(phase)
            && phase == self.flushed_phase
            && bytes.starts_with(b"HTTP/1.1 4")
            && bytes.ends_with(b"\r\n\r\n")
    }

    /// Writes such a response with `CROSS_ORIGIN`. The connection ends after it, so the write fails
    /// if the socket does not take all of it.
    fn write_refusal(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let (head, end) = bytes.split_at(bytes.len() - b"\r\n".len());
        let response = [head, CROSS_ORIGIN, end].concat();
        match ready!(self.stream().poll_write(context, &response)) {
            Ok(written) if written < response.len() => {
                Poll::Ready(Err(io::ErrorKind::WriteZero.into()))
            }
            written => Poll::Ready(written.map(|_| bytes.len())),
        }
    }

    /// Writes `head` in a special way if it needs one: a refusal of hyper, or the head of a 101.
    fn poll_write_special(
        &mut self,
        context: &mut Context<'_>,
        head: &[u8],
        is_alone: bool,
    ) -> Option<Poll<io::Result<usize>>> {
        let is_refusal = is_alone && self.is_refusal(head);
        self.is_flushed = false;
        if is_refusal {
            Some(self.write_refusal(context, head))
        } else if self.phase.take_switch() {
            let head = in_conventional_case(head);
            Some(self.stream().poll_write(context, &head))
        } else {
            None
        }
    }

    /// Returns the result of a write, or fails with `TimedOut` if it waits for too long.
    fn with_write_timeout<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_deadline = None;
            return written;
        }
        let timeout = self.write_timeout;
        let deadline = self
            .write_deadline
            .get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(deadline.as_mut().poll(context));
        self.write_deadline = None;
        let dropped = &self.metrics.dropped;
        dropped.with_label_values(&["write-timeout"]).inc();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Returns the head of a 101 with header names in the case of the standards, such as
/// `Sec-WebSocket-Accept`, and of the same length. hyper writes them in lower case, which is valid, but
/// some WebSocket clients do not accept it.
fn in_conventional_case(head: &[u8]) -> Vec<u8> {
    let mut head = head.to_vec();
    // The status line has no name.
    let (mut is_name, mut is_first) = (false, false);
    for index in 0..head.len() {
        match head[index] {
            b'\n' => (is_name, is_first) = (true, true),
            b':' => is_name = false,
            b'-' => is_first = true,
            letter if is_name => {
                if is_first || head[..index].ends_with(b"Sec-Web") {
                    head[index] = letter.to_ascii_uppercase();
                }
                is_first = false;
            }
            _ => {}
        }
    }
    head
}

impl Drop for HttpSocket {
    fn drop(&mut self) {
        let Some((stream, permit)) = self.inner.take() else {
            return;
        };
        // Fails only when the runtime is gone.
        if self.is_flushed
            && let Ok(stream) = stream.into_std()
        {
            let stream = mio::net::TcpStream::from_std(stream);
            self.handoff.release(Connection {
                stream,
                permit,
                last_head: self.input.take_head(),
                read_ahead: self.input.take_all(),
            });
        }
    }
}

impl AsyncRead for HttpSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wanted = buffer.remaining().min(READ_BYTES);
        let read = self.poll_input(context, buffer.initialize_unfilled_to(wanted));
        let count = match read {
            Poll::Ready(Ok(count)) => count,
            _ => 0,
        };
        buffer.advance(count);
        if count > 0 {
            self.read_timeout.bytes_arrived();
        }
        if self.reserve_head(count).is_err() {
            self.metrics.refused.with_label_values(&["buffers"]).inc();
            if self.is_flushed {
                let (status, retry) = ("503 Service Unavailable", "Retry-After: 5\r\n");
                answer_early(&self.stream(), status, retry, MEMORY_EXHAUSTED);
            }
            return Poll::Ready(Err(io::ErrorKind::OutOfMemory.into()));
        }
        if read.is_ready() {
            return read.map_ok(drop);
        }
        if ready!(self.read_timeout.poll(context)) == ReadTimedOut::Head && self.is_flushed {
            answer_early(&self.stream(), "408 Request Timeout", "", HEAD_TIMED_OUT);
        }
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for HttpSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = match self.poll_write_special(context, bytes, true) {
            Some(written) => written,
            None => self.stream().poll_write(context, bytes),
        };
        self.with_write_timeout(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut filled = slices.iter().filter(|slice| !slice.is_empty());
        let head: &[u8] = filled.next().map_or(&[], |slice| slice);
        let is_alone = filled.next().is_none();
        let written = match self.poll_write_special(context, head, is_alone) {
            Some(written) => written,
            None => self.stream().poll_write_vectored(context, slices),
        };
        self.with_write_timeout(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// hyper flushes when all of its own bytes are written; the socket can be handed over then.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.stream().poll_flush(context);
        if flushed.is_ready() {
            self.is_flushed = true;
            self.flushed_phase = self.phase.number();
            self.handoff.notify_flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }
}
