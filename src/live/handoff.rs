//! How a connection's socket leaves HTTP.
//!
//! A viewer's first bytes go through Poem and hyper like any answer. After that, hyper's 24 KB of
//! buffers and the task around them would do nothing but pass bytes on, so the route arms the
//! connection's handoff, the accept loop lets go of hyper once everything is flushed, and the bare
//! socket goes to a sender.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use mio::net::TcpStream;
use poem::Request;
use tokio::sync::{Notify, OwnedSemaphorePermit};

use crate::limits::AddressPermit;

/// A socket without its HTTP connection, not blocking, and its place among the connections.
pub struct Connection<S = TcpStream> {
    pub stream: S,
    pub admission: Admission,
}

/// A connection's place among all, and among those of its address; given back when it is dropped.
pub struct Admission {
    _permit: OwnedSemaphorePermit,
    _seat: Option<AddressPermit>,
}

impl Admission {
    pub fn new(permit: OwnedSemaphorePermit, seat: Option<AddressPermit>) -> Self {
        Admission {
            _permit: permit,
            _seat: seat,
        }
    }
}

type Receiver = Box<dyn FnOnce(Connection) + Send>;

/// One per connection; the accept loop adds a clone to each of its requests.
#[derive(Clone, Default)]
pub struct Handoff(Arc<Shared>);

#[derive(Default)]
struct Shared {
    is_armed: AtomicBool,
    receiver: Mutex<Option<Receiver>>,
    flushed: Notify,
}

impl Handoff {
    /// The handoff of the connection that this request came over. Absent when the request came
    /// from somewhere else than the accept loop.
    pub fn of(request: &Request) -> Option<Self> {
        request.extensions().get::<Handoff>().cloned()
    }

    /// Has `receiver` called with the socket, once what was answered so far is on its way.
    pub fn arm(&self, receiver: impl FnOnce(Connection) + Send + 'static) {
        *self.receiver() = Some(Box::new(receiver));
        self.0.is_armed.store(true, Ordering::Release);
    }

    /// Closes the connection without an answer to the request that came over it.
    pub fn hang_up(&self) {
        self.0.flushed.notify_one();
    }

    /// Told by the socket when nothing is left to write.
    pub fn tell_flushed(&self) {
        if self.0.is_armed.load(Ordering::Acquire) {
            self.0.flushed.notify_one();
        }
    }

    /// Waits until the connection is armed and flushed, or is hung up: time to let go of it.
    pub async fn flushed(&self) {
        self.0.flushed.notified().await;
    }

    /// Told by the socket when its HTTP connection is gone. Closes the socket if nobody waits
    /// for it.
    pub fn let_go(&self, connection: Connection) {
        let receiver = self.receiver().take();
        if let Some(receive) = receiver {
            receive(connection);
        }
    }

    fn receiver(&self) -> std::sync::MutexGuard<'_, Option<Receiver>> {
        let receiver = self.0.receiver.lock();
        receiver.expect("no holder of this lock panics")
    }
}
