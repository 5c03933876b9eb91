//! The HTTP server: from a listening socket to requests for an endpoint.
//!
//! Poem's own server is made for short requests: it never notices that a viewer disconnected, has no
//! timeouts, and waits forever at shutdown. This one is hyper's HTTP/1 connection (`connection`) over a
//! socket with read and write timeouts (`socket`, `read_timeout`) that a live route can take over
//! (`handoff`), also before the response to its request (`deferred`). It knows nothing about routes.
//! `probe` and `tls` are for clients.

pub mod conditional;
mod connection;
mod deferred;
mod handoff;
mod held_input;
mod passed;
mod probe;
mod read_timeout;
mod socket;
pub mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::endpoint::BoxEndpoint;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::connection::{AcceptedConnection, ConnectionContext, serve_connection};
pub use self::deferred::{
    DeferredConnection, DeferredResponse, ResponseHead, ResumeHttp, SharedLines,
};
pub use self::handoff::{Connection, ConnectionPermit, Handoff};
pub use self::passed::{PassedError, PassedListeners};
pub use self::probe::{connectable, probe};
use crate::limits::{ClientLimiter, SizeLimits, Timeouts, full_retry_seconds};
use crate::metrics::Metrics;

/// Connections that the kernel completes while the loop is busy. With the usual 128, it took 7 s until
/// 4,000 viewers had reconnected; with this, half a second.
const BACKLOG: i32 = 4096;

/// Pause after accept failed for lack of file descriptors or memory. Without it the loop would spin
/// on the same error.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections run short when fewer than this share of them is free, at most so many.
const RESERVE_SHARE: usize = 16;
const MAX_RESERVE: usize = 128;

/// The accept loop and what it needs.
pub struct Server {
    /// The listening socket.
    pub listener: TcpListener,
    /// Answers the requests.
    pub endpoint: BoxEndpoint<'static>,
    /// Counts refused connections.
    pub metrics: Metrics,
    /// Simultaneous connections; another one gets 503 and is closed.
    pub max_connections: usize,
    /// Sizes of requests.
    pub sizes: SizeLimits,
    /// How long a connection may wait for its client.
    pub timeouts: Timeouts,
    /// Limits the connections of each address, and their memory.
    pub limiter: Arc<ClientLimiter>,
    /// How long a connection may send one more request after `stop`.
    pub drain: Duration,
}

/// Listens on `address` without accepting yet.
///
/// # Errors
/// If the address is in use, is not this machine's, or is not allowed.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restart must not wait until connections of the last run have left TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Adopts a listening socket that another process opened, without accepting yet.
///
/// # Errors
/// Those of the operating system.
pub fn adopt(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

impl Server {
    /// Accepts connections until `stop`. Each is a task of `tasks`; after `stop` it finishes its
    /// request, or the one that arrives while it drains, and ends immediately on `cut`.
    pub async fn run(self, tasks: TaskTracker, stop: CancellationToken, cut: CancellationToken) {
        let free = Arc::new(Semaphore::new(self.max_connections));
        let reserve = (self.max_connections / RESERVE_SHARE).min(MAX_RESERVE);
        let context = Arc::new(ConnectionContext {
            endpoint: self.endpoint,
            sizes: self.sizes,
            timeouts: self.timeouts,
            limiter: Arc::clone(&self.limiter),
            drain: self.drain,
            metrics: self.metrics.clone(),
            lines: SharedLines::default(),
            tasks: tasks.clone(),
            runtime: Handle::current(),
            stop: stop.clone(),
            cut,
        });
        while let Some(accepted) = stop.run_until_cancelled(self.listener.accept()).await {
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    if is_shortage(&error) {
                        tracing::warn!(%error, "accepting a connection failed; trying again");
                        self.limiter.report_shortage();
                        stop.run_until_cancelled(sleep(ACCEPT_PAUSE)).await;
                    }
                    continue;
                }
            };
            if free.available_permits() <= reserve {
                self.limiter.report_shortage();
            }
            let refuse = |reason, count, sentence| {
                self.metrics.refused.with_label_values(&[reason]).inc();
                refuse(&stream, count, sentence);
            };
            let Ok(connection) = Arc::clone(&free).try_acquire_owned() else {
                let count = self.max_connections;
                refuse("connections", count, "Too many connections.");
                continue;
            };
            let Ok(address) = self.limiter.admit_connection(peer.ip()) else {
                refuse("address", 0, "Too many connections from your address.");
                continue;
            };
            let Ok(memory) = self.limiter.reserve_connection(peer.ip()) else {
                refuse_for_memory(&stream, &self.metrics);
                continue;
            };
            let accepted = AcceptedConnection {
                stream,
                permit: ConnectionPermit::new(connection, address),
                memory,
                read_ahead: Vec::new(),
            };
            tasks.spawn(serve_connection(accepted, peer, Arc::clone(&context)));
        }
    }
}

/// Answers a connection for whose buffers there is no memory.
fn refuse_for_memory(stream: &TcpStream, metrics: &Metrics) {
    metrics.refused.with_label_values(&["buffers"]).inc();
    refuse(stream, 0, "Too many unfinished requests.");
}

/// Answers a connection with 503 before anything is read from it. `count` other clients may come back
/// at the same time.
fn refuse(stream: &TcpStream, count: usize, sentence: &str) {
    let retry = format!("Retry-After: {}\r\n", full_retry_seconds(count));
    let sentence = format!("{sentence} Try again.");
    answer_early(stream, "503 Service Unavailable", &retry, &sentence);
}

/// Writes a response of the server itself to a connection whose request was not read, and which is
/// closed next. The response fits the buffer of any socket that is read at all.
///
/// Pages of any origin may read the response: it contains nothing about anyone.
fn answer_early(stream: &TcpStream, status: &str, headers: &str, sentence: &str) {
    let response = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Type: text/plain\r\nContent-Length: {}\r\n\
         Connection: close\r\nAccess-Control-Allow-Origin: *\r\n\
         Access-Control-Expose-Headers: Retry-After\r\n\r\n{sentence}\n",
        sentence.len() + 1,
    );
    let _ = stream.try_write(response.as_bytes());
}

/// Returns true for an error of this process, which lasts until something is closed, and false for one of the
/// connection that was to be accepted.
fn is_shortage(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    !matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}
