//! Hands a connection's socket over from HTTP to a live route.
//!
//! Poem and hyper send a viewer's first bytes like any response. After that, hyper's 24 KB of
//! buffers and the task around them would only forward bytes. So the route arms the connection's
//! handoff, the accept loop drops hyper as soon as everything is flushed, and the receiver gets the
//! bare socket.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use mio::net::TcpStream;
use poem::Request;
use tokio::sync::{Notify, OwnedSemaphorePermit};

use crate::limits::AddressPermit;

/// A non-blocking socket that left HTTP, with its permit.
pub struct Connection<S = TcpStream> {
    /// The bare socket.
    pub stream: S,
    /// Counts the socket as a connection for as long as it is open.
    pub permit: ConnectionPermit,
    /// Bytes that were read from the socket after the head of the last request.
    pub read_ahead: Vec<u8>,
    /// The head of the last request, if it was short and arrived in one piece.
    pub last_head: Vec<u8>,
}

/// Permits for one connection, in total and per address. Returned when dropped.
pub struct ConnectionPermit {
    _total: OwnedSemaphorePermit,
    _address: Option<AddressPermit>,
}

impl ConnectionPermit {
    /// Combines both permits. A trusted proxy needs none for its address.
    pub fn new(total: OwnedSemaphorePermit, address: Option<AddressPermit>) -> Self {
        ConnectionPermit {
            _total: total,
            _address: address,
        }
    }
}

type Receiver = Box<dyn FnOnce(Connection) + Send>;
type Wrapper = Arc<dyn Fn(Connection) -> Option<Connection> + Send + Sync>;

/// The handoff of one connection. The accept loop adds a clone to each request.
#[derive(Clone, Default)]
pub struct Handoff {
    state: Arc<HandoffState>,
    /// Applied to the socket before the receiver gets it.
    wrapper: Option<Wrapper>,
}

#[derive(Default)]
struct HandoffState {
    is_armed: AtomicBool,
    receiver: Mutex<Option<Receiver>>,
    flushed: Notify,
}

impl Handoff {
    /// Returns the handoff of the connection of `request`, or `None` if `request` did not come from
    /// the accept loop.
    pub fn from_request(request: &Request) -> Option<Self> {
        request.extensions().get::<Handoff>().cloned()
    }

    /// Returns a handoff of the same connection whose receivers get the socket that `wrapper` returns.
    pub fn wrapped(
        &self,
        wrapper: impl Fn(Connection) -> Option<Connection> + Send + Sync + 'static,
    ) -> Self {
        Handoff {
            state: Arc::clone(&self.state),
            wrapper: Some(Arc::new(wrapper)),
        }
    }

    /// Calls `receiver` with the socket once everything sent so far is flushed.
    pub fn arm(&self, receiver: impl FnOnce(Connection) + Send + 'static) {
        let receiver: Receiver = match self.wrapper.clone() {
            Some(wrapper) => Box::new(move |connection| {
                if let Some(connection) = wrapper(connection) {
                    receiver(connection);
                }
            }),
            None => Box::new(receiver),
        };
        *self.receiver() = Some(receiver);
        self.state.is_armed.store(true, Ordering::Release);
    }

    /// Closes the connection without a response to the current request.
    pub fn hang_up(&self) {
        self.state.flushed.notify_one();
    }

    /// Tells the handoff that hyper has nothing left to write. Called by the socket.
    pub fn notify_flushed(&self) {
        if self.state.is_armed.load(Ordering::Acquire) {
            self.state.flushed.notify_one();
        }
    }

    /// Waits until hyper can be dropped: the handoff is armed and flushed, or hung up.
    pub async fn flushed(&self) {
        self.state.flushed.notified().await;
    }

    /// Passes the socket to the receiver, or closes it if there is none. Called by the socket when
    /// its HTTP connection is dropped.
    pub fn release(&self, connection: Connection) {
        let receiver = self.receiver().take();
        if let Some(receive) = receiver {
            receive(connection);
        }
    }

    fn receiver(&self) -> MutexGuard<'_, Option<Receiver>> {
        let receiver = self.state.receiver.lock();
        receiver.expect("no holder of this lock panics")
    }
}
