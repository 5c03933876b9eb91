//! Limits how long a connection waits for a request.
//!
//! The timeout runs while the connection reads a request head. It is suspended from the moment the
//! service gets the request until the body of the response was written or dropped: the time for
//! bodies, handlers and writes is limited elsewhere.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll, ready};

use futures_util::task::AtomicWaker;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits::Timeouts;

/// The phase of a connection: reading a request, or responding. Clones share it.
#[derive(Clone, Default)]
pub struct ConnectionPhase(Arc<PhaseState>);

#[derive(Default)]
struct PhaseState {
    /// Counts the changes of phase: even is reading, odd is responding.
    number: AtomicU32,
    /// True until the head of a 101 response is written.
    is_switching: AtomicBool,
    /// True while a request without a body is answered.
    holds_input: AtomicBool,
    /// Wakes the connection's task: hyper does not poll the socket by itself after a response.
    waker: AtomicWaker,
}

/// Keeps the connection in the responding phase until it is dropped.
pub struct Responding(ConnectionPhase);

impl ConnectionPhase {
    /// Starts the responding phase of a request. One without a body needs no more input: whatever arrives
    /// is of the next request.
    pub fn respond(&self, has_body: bool) -> Responding {
        self.0.holds_input.store(!has_body, Ordering::Relaxed);
        self.0.number.fetch_add(1, Ordering::Relaxed);
        Responding(self.clone())
    }

    /// Returns true if bytes that arrive in the phase with this number are not of the present request.
    pub fn holds_input(&self, number: u32) -> bool {
        !ConnectionPhase::is_reading(number) && self.0.holds_input.load(Ordering::Relaxed)
    }

    /// Returns the number of the current phase, which no other phase has.
    pub fn number(&self) -> u32 {
        self.0.number.load(Ordering::Relaxed)
    }

    /// Returns true if the phase with this number is for reading.
    pub const fn is_reading(number: u32) -> bool {
        number.is_multiple_of(2)
    }

    /// Returns true once, for the first write after a 101 response was given.
    pub fn take_switch(&self) -> bool {
        // A plain load first: every write asks, and at most one write per connection is the switch.
        self.0.is_switching.load(Ordering::Relaxed)
            && self.0.is_switching.swap(false, Ordering::Relaxed)
    }
}

impl Responding {
    /// Leaves the connection in the responding phase forever, because it leaves HTTP (101).
    pub fn switch_protocols(self) {
        self.0.0.is_switching.store(true, Ordering::Relaxed);
        self.0.0.holds_input.store(false, Ordering::Relaxed);
        std::mem::forget(self);
    }
}

impl Drop for Responding {
    fn drop(&mut self) {
        self.0.0.number.fetch_add(1, Ordering::Relaxed);
        self.0.0.waker.wake();
    }
}

/// The body of a response, which ends the responding phase when it is dropped.
pub struct ResponseBody<B> {
    body: B,
    _responding: Option<Responding>,
}

impl<B> ResponseBody<B> {
    /// Wraps a body.
    pub fn new(body: B, responding: Option<Responding>) -> Self {
        ResponseBody {
            body,
            _responding: responding,
        }
    }
}

impl<B: Body + Unpin> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Which timeout ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadTimedOut {
    /// A head was begun and not finished.
    Head,
    /// No byte of a head arrived.
    Idle,
}

/// The timeout of a connection.
pub struct ReadTimeout {
    timeouts: Timeouts,
    phase: ConnectionPhase,
    /// The phase that the fields below are about.
    number: u32,
    /// True if a byte arrived in this phase.
    has_begun: bool,
    deadline: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl ReadTimeout {
    /// Creates the timeout of a new connection. Its time starts with the first `poll`.
    pub fn new(timeouts: Timeouts, phase: ConnectionPhase) -> Self {
        ReadTimeout {
            timeouts,
            phase,
            number: 0,
            has_begun: false,
            deadline: None,
            sleep: None,
        }
    }

    /// Called when bytes arrived.
    pub fn bytes_arrived(&mut self) {
        self.follow_phase();
        if !self.has_begun {
            self.has_begun = true;
            // The time for the first head runs since the start of the connection.
            if self.number != 0 || self.deadline.is_none() {
                self.deadline = Some(Instant::now() + self.timeouts.head);
            }
        }
    }

    /// Called when no bytes arrived. Ready when that has lasted too long.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<ReadTimedOut> {
        self.follow_phase();
        if !ConnectionPhase::is_reading(self.number) {
            self.phase.0.waker.register(context.waker());
            return Poll::Pending;
        }
        let timeout = if self.has_begun || self.number == 0 {
            self.timeouts.head
        } else {
            self.timeouts.idle
        };
        let deadline = *self
            .deadline
            .get_or_insert_with(|| Instant::now() + timeout);
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        ready!(sleep.as_mut().poll(context));
        Poll::Ready(if self.has_begun {
            ReadTimedOut::Head
        } else {
            ReadTimedOut::Idle
        })
    }

    /// Resets the timeout if the phase has changed.
    fn follow_phase(&mut self) {
        let number = self.phase.number();
        if number != self.number {
            self.number = number;
            self.has_begun = false;
            self.deadline = None;
        }
    }
}
