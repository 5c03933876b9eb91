//! A connection's socket: fails when the other side takes no byte, or sends no request, for too
//! long, and outlives its HTTP connection when a viewer's route wants it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::answer_early;
use super::handoff::{Connection, ConnectionPermit, Handoff};
use super::patience::{Overdue, Patience};
use super::turn::Turn;
use crate::limits::{CONNECTION_BYTES, MemoryExhausted, MemoryReservation};
use crate::metrics::Metrics;

/// The answer to a head that did not arrive in time. A connection that never began one is closed
/// without an answer.
const TOO_SLOW: &str = "The head of the request took too long to come.";

/// The answer to a head that the budget of all requests has no room for.
const NO_ROOM: &str = "Too many unfinished requests. Try again.";

/// The header that hyper's own answers lack: a head that cannot be read (400) or is too large (431) is
/// refused before any route sees it.
const CROSS_ORIGIN: &[u8] = b"Access-Control-Allow-Origin: *\r\n";

/// Bytes of one read by hyper. hyper doubles its buffer (8 KiB at first), up to the limit of a head,
/// whenever a read fills the buffer, and never shrinks it.
const READ_BYTES: usize = 4 * 1024;

/// Bytes of a head that fit into the buffers that `CONNECTION_BYTES` counts.
const HEAD_INCLUDED_BYTES: usize = 8 * 1024;

/// What hyper reads from and writes to. The clock runs only while bytes wait to be taken, so an
/// idle connection costs nothing and is never dropped for being idle.
pub struct Socket {
    /// Taken when this is dropped.
    inner: Option<(TcpStream, ConnectionPermit)>,
    handoff: Handoff,
    timeout: Duration,
    /// Set while the socket is full.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Whether all that hyper wants to write is written. A socket that is given up in the middle
    /// of a message is of no use to anyone.
    is_flushed: bool,
    /// The turn in which that was so. What begins in the same turn answers no request that the
    /// service was given.
    flushed_turn: u32,
    patience: Patience,
    turn: Turn,
    buffered: MemoryReservation,
    /// The turn in which `head_bytes` were read.
    head_turn: u32,
    head_bytes: usize,
    metrics: Metrics,
}

impl Socket {
    pub fn new(
        stream: TcpStream,
        (admission, buffered): (ConnectionPermit, MemoryReservation),
        handoff: Handoff,
        timeout: Duration,
        patience: Patience,
        turn: Turn,
        metrics: Metrics,
    ) -> Self {
        Socket {
            inner: Some((stream, admission)),
            handoff,
            timeout,
            deadline: None,
            is_flushed: true,
            flushed_turn: 0,
            patience,
            turn,
            buffered,
            head_turn: 0,
            head_bytes: 0,
            metrics,
        }
    }

    /// Counts bytes of a head, which hyper keeps until the request is answered. `web::middleware` counts
    /// the bytes of a body.
    fn count_head(&mut self, count: usize) -> Result<(), MemoryExhausted> {
        let turn = self.turn.number();
        if !Turn::is_theirs(turn) {
            return Ok(());
        }
        if turn != self.head_turn {
            self.head_turn = turn;
            self.head_bytes = 0;
        }
        self.head_bytes += count;
        let beyond = self.head_bytes.saturating_sub(HEAD_INCLUDED_BYTES);
        self.buffered.resize(CONNECTION_BYTES + beyond)
    }

    fn stream(&mut self) -> Pin<&mut TcpStream> {
        let inner = self.inner.as_mut();
        Pin::new(&mut inner.expect("the stream is there until this is dropped").0)
    }

    /// Returns true if the write of `bytes` is the whole of an answer that hyper gives by itself.
    fn is_refusal(&self, bytes: &[u8]) -> bool {
        let turn = self.turn.number();
        self.is_flushed
            && Turn::is_theirs(turn)
            && turn == self.flushed_turn
            && bytes.starts_with(b"HTTP/1.1 4")
            && bytes.ends_with(b"\r\n\r\n")
    }

    /// Writes such an answer with `CROSS_ORIGIN`. The connection ends after it, so what does not fit
    /// the socket's buffer at once fails.
    fn write_refusal(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let (head, end) = bytes.split_at(bytes.len() - b"\r\n".len());
        let answer = [head, CROSS_ORIGIN, end].concat();
        match ready!(self.stream().poll_write(context, &answer)) {
            Ok(written) if written < answer.len() => {
                Poll::Ready(Err(io::ErrorKind::WriteZero.into()))
            }
            written => Poll::Ready(written.map(|_| bytes.len())),
        }
    }

    /// Passes on how a write went, or fails with `TimedOut` when it waited for too long.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.deadline = None;
            return written;
        }
        let timeout = self.timeout;
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(deadline.as_mut().poll(context));
        self.deadline = None;
        let dropped = &self.metrics.dropped;
        dropped.with_label_values(&["write-timeout"]).inc();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Returns the head of a 101 with header names in the case of the standards, such as
/// `Sec-WebSocket-Accept`, and of the same length. hyper writes them in lower case, which is valid, and
/// which some WebSocket clients do not accept.
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

impl Drop for Socket {
    fn drop(&mut self) {
        let Some((stream, admission)) = self.inner.take() else {
            return;
        };
        // Fails only when the runtime is gone, and everything with it.
        if self.is_flushed
            && let Ok(stream) = stream.into_std()
        {
            let stream = mio::net::TcpStream::from_std(stream);
            self.handoff.release(Connection {
                stream,
                permit: admission,
            });
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wanted = buffer.remaining().min(READ_BYTES);
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(wanted));
        let read = self.stream().poll_read(context, &mut part);
        let count = part.filled().len();
        buffer.advance(count);
        if count > 0 {
            self.patience.hear();
        }
        if self.count_head(count).is_err() {
            self.metrics.refused.with_label_values(&["buffers"]).inc();
            if self.is_flushed {
                let (status, retry) = ("503 Service Unavailable", "Retry-After: 5\r\n");
                answer_early(&self.stream(), status, retry, NO_ROOM);
            }
            return Poll::Ready(Err(io::ErrorKind::OutOfMemory.into()));
        }
        if read.is_ready() {
            return read;
        }
        if ready!(self.patience.poll(context)) == Overdue::Head && self.is_flushed {
            answer_early(&self.stream(), "408 Request Timeout", "", TOO_SLOW);
        }
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let is_refusal = self.is_refusal(bytes);
        self.is_flushed = false;
        let written = if is_refusal {
            self.write_refusal(context, bytes)
        } else if self.turn.take_switch() {
            let head = in_conventional_case(bytes);
            self.stream().poll_write(context, &head)
        } else {
            self.stream().poll_write(context, bytes)
        };
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut filled = slices.iter().filter(|slice| !slice.is_empty());
        let head: &[u8] = filled.next().map_or(&[], |slice| slice);
        let is_refusal = filled.next().is_none() && self.is_refusal(head);
        self.is_flushed = false;
        let written = if is_refusal {
            self.write_refusal(context, head)
        } else if self.turn.take_switch() {
            let head = in_conventional_case(head);
            self.stream().poll_write(context, &head)
        } else {
            self.stream().poll_write_vectored(context, slices)
        };
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// hyper flushes when all of its own bytes are written: the moment at which it can be let go.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.stream().poll_flush(context);
        if flushed.is_ready() {
            self.is_flushed = true;
            self.flushed_turn = self.turn.number();
            self.handoff.notify_flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }
}
