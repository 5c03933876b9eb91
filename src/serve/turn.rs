//! Whose turn it is on a connection: the other side's, which is to send a request, or ours.
//!
//! The service takes the turn when it is given a request, and gives it back when the answer's body
//! was written to its end or is given up. In between the socket's patience rests: what may take
//! long then is bounded elsewhere.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use hyper::body::{Body, Frame, SizeHint};

/// Counts the changes of turn: even is theirs, 0 is theirs for the first time, odd is ours. Clones
/// share it.
#[derive(Clone, Default)]
pub struct Turn(Arc<Shared>);

#[derive(Default)]
struct Shared {
    number: AtomicU32,
    /// The head of a 101 is about to be written.
    is_switching: AtomicBool,
    /// The connection's task: hyper does not look at the socket by itself when an answer is done.
    waiting: AtomicWaker,
}

/// Our turn, until this is dropped.
pub struct Ours(Turn);

impl Turn {
    pub fn take(&self) -> Ours {
        self.0.number.fetch_add(1, Ordering::Relaxed);
        Ours(self.clone())
    }

    pub fn number(&self) -> u32 {
        self.0.number.load(Ordering::Relaxed)
    }

    /// Has the task of `context` woken when the turn is given back.
    pub fn wake_later(&self, context: &Context<'_>) {
        self.0.waiting.register(context.waker());
    }

    /// Returns true once after the connection was told to leave HTTP.
    pub fn take_switch(&self) -> bool {
        // A plain load first: every write asks, and at most one write per connection is the switch.
        self.0.is_switching.load(Ordering::Relaxed)
            && self.0.is_switching.swap(false, Ordering::Relaxed)
    }

    pub const fn is_theirs(number: u32) -> bool {
        number.is_multiple_of(2)
    }
}

impl Ours {
    /// Keeps the turn for ever: the connection is no longer HTTP.
    pub fn keep(self) {
        self.0.0.is_switching.store(true, Ordering::Relaxed);
        std::mem::forget(self);
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.0.0.number.fetch_add(1, Ordering::Relaxed);
        self.0.0.waiting.wake();
    }
}

/// An answer's body, with our turn.
pub struct Answer<B> {
    body: B,
    /// Given back when this is dropped.
    _ours: Option<Ours>,
}

impl<B> Answer<B> {
    pub fn new(body: B, ours: Option<Ours>) -> Self {
        Answer { body, _ours: ours }
    }
}

impl<B: Body + Unpin> Body for Answer<B> {
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
