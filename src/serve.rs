//! The accept loop: from a listening socket to requests for the endpoint.
//!
//! Ours, because poem's server is made for short requests: it never notices that a viewer is gone,
//! has no timeout of any kind, and waits for ever at the stop. It is hyper's HTTP/1 connection
//! over a socket that waits neither for a reader nor for a request for ever.

mod connection;
mod handoff;
mod patience;
mod socket;
mod turn;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::endpoint::BoxEndpoint;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::connection::{Incoming, serve_connection};
pub use self::handoff::{Connection, ConnectionPermit, Handoff};
use crate::limits::{ClientLimiter, SizeLimits, Timeouts, full_retry_seconds};
use crate::metrics::Metrics;

/// Connections that the kernel completes while the loop is busy. With the usual 128, 4,000
/// viewers coming back at once took 7 s; with this they take half a second.
const BACKLOG: i32 = 4096;

/// The pause after accept failed for want of descriptors or memory. Without it the loop spins on
/// the same error with most of a core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The listening side of the server.
pub struct Server {
    pub listener: TcpListener,
    pub endpoint: BoxEndpoint<'static>,
    pub metrics: Metrics,
    /// Connections open at once; one more is told 503 and closed.
    pub max_connections: usize,
    /// Sizes of requests.
    pub sizes: SizeLimits,
    /// How long a connection may wait for its client.
    pub timeouts: Timeouts,
    pub limiter: Arc<ClientLimiter>,
}

/// Listens on `address` without accepting yet.
///
/// # Errors
/// When the address is taken, is not this machine's, or is not allowed.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restart must not wait for connections of the last run to be forgotten.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

impl Server {
    /// Accepts until `stop`; connections are tasks of `tasks`, and finish what they are doing
    /// when `stop` comes, unless `cut` comes first.
    pub async fn run(self, tasks: TaskTracker, stop: CancellationToken, cut: CancellationToken) {
        let room = Arc::new(Semaphore::new(self.max_connections));
        let endpoint = Arc::new(self.endpoint);
        while let Some(accepted) = stop.run_until_cancelled(self.listener.accept()).await {
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    pause_after(&error, &stop).await;
                    continue;
                }
            };
            let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
                self.metrics
                    .refused
                    .with_label_values(&["connections"])
                    .inc();
                refuse(&stream, self.max_connections, "Too many connections.");
                continue;
            };
            let Ok(seat) = self.limiter.admit_connection(peer.ip()) else {
                self.metrics.refused.with_label_values(&["address"]).inc();
                refuse(&stream, 0, "Too many connections from your address.");
                continue;
            };
            let Ok(buffered) = self.limiter.reserve_connection(peer.ip()) else {
                self.metrics.refused.with_label_values(&["buffers"]).inc();
                refuse(&stream, 0, "Too many unfinished requests.");
                continue;
            };
            let incoming = Incoming {
                stream,
                peer,
                admission: ConnectionPermit::new(permit, seat),
                buffered,
                sizes: self.sizes,
                timeouts: self.timeouts,
                limiter: Arc::clone(&self.limiter),
                metrics: self.metrics.clone(),
            };
            tasks.spawn(serve_connection(
                incoming,
                Arc::clone(&endpoint),
                stop.clone(),
                cut.clone(),
            ));
        }
    }
}

/// Answers a connection that is one too many beside `count` others, before anything of it is read.
fn refuse(stream: &TcpStream, count: usize, why: &str) {
    let retry = format!("Retry-After: {}\r\n", full_retry_seconds(count));
    answer_early(
        stream,
        "503 Service Unavailable",
        &retry,
        &format!("{why} Try again."),
    );
}

/// Writes an answer of the server itself, where no request was read. The connection is to be closed
/// after it. One write of a short answer, which fits any socket's buffer; if not, no client reads it.
///
/// A page of any origin may read the answer: it says nothing about anyone.
fn answer_early(stream: &TcpStream, status: &str, headers: &str, sentence: &str) {
    let answer = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Type: text/plain\r\nContent-Length: {}\r\n\
         Connection: close\r\nAccess-Control-Allow-Origin: *\r\n\
         Access-Control-Expose-Headers: Retry-After\r\n\r\n{sentence}\n",
        sentence.len() + 1,
    );
    let _ = stream.try_write(answer.as_bytes());
}

/// Some errors are about the one connection that is gone already; others are about this process,
/// and stay until something is closed.
async fn pause_after(error: &io::Error, stop: &CancellationToken) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        tracing::warn!(%error, "no connection can be accepted for now");
        stop.run_until_cancelled(sleep(ACCEPT_PAUSE)).await;
    }
}
