//! Serves one connection: the options of its socket, its requests, its end.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use poem::endpoint::BoxEndpoint;
use poem::http::uri::Scheme;
use poem::http::{HeaderValue, Request, Response, StatusCode, Version, header};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Endpoint};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::deferred::{
    Deferrable, DeferredResponse, ResponseHead, ResumeHttp, SharedLines, asks_to_close,
};
use super::handoff::{Connection, ConnectionPermit, Handoff};
use super::read_timeout::{ConnectionPhase, Responding, ResponseBody};
use super::refuse_for_memory;
use super::socket::HttpSocket;
use crate::limits::{ClientLimiter, MemoryReservation, PeerAddress, SizeLimits, Timeouts};
use crate::metrics::Metrics;

/// Bytes that the kernel buffers for a client that does not read. Its own choice would be several
/// hundred kilobytes per connection.
const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// Close a connection if the peer acknowledges nothing for this long; the kernel's default is 15
/// minutes. The kernel also counts a living peer that stopped reading, so this timeout comes after
/// the write timeout, which is counted in the metrics.
const DEAD_PEER_TIMEOUT: Duration = Duration::from_secs(20);
const AFTER_WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// TCP keep-alive: probe a peer that was silent for this long, and then at this interval.
const KEEPALIVE_TIME: Duration = Duration::from_mins(1);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// Everything that the connections of a server share.
pub struct ConnectionContext {
    /// Answers the requests.
    pub endpoint: BoxEndpoint<'static>,
    /// Sizes of requests.
    pub sizes: SizeLimits,
    /// How long a connection may wait for its client.
    pub timeouts: Timeouts,
    /// Tells the address of clients, and grants memory.
    pub limiter: Arc<ClientLimiter>,
    /// How long a connection may send one more request after `stop`.
    pub drain: Duration,
    /// Counts what is dropped.
    pub metrics: Metrics,
    /// Shared by the heads of deferred responses.
    pub lines: SharedLines,
    /// Owns the tasks of connections.
    pub tasks: TaskTracker,
    /// Runs those tasks.
    pub runtime: Handle,
    /// Cancelled when connections end with the response to their current request.
    pub stop: CancellationToken,
    /// Cancelled when connections end immediately.
    pub cut: CancellationToken,
}

/// A connection whose requests can be served.
pub struct AcceptedConnection {
    /// The socket.
    pub stream: TcpStream,
    /// Counts it as a connection.
    pub permit: ConnectionPermit,
    /// The memory of its buffers.
    pub memory: MemoryReservation,
    /// Bytes that were read from the socket already.
    pub read_ahead: Vec<u8>,
}

impl ResumeHttp for ConnectionContext {
    fn resume(self: Arc<Self>, connection: Connection) {
        let context = Arc::clone(&self);
        let serving = async move {
            let Ok(stream) = TcpStream::from_std(connection.stream.into()) else {
                return;
            };
            let Ok(peer) = stream.peer_addr() else {
                return;
            };
            let Ok(memory) = context.limiter.reserve_connection(peer.ip()) else {
                refuse_for_memory(&stream, &context.metrics);
                return;
            };
            let accepted = AcceptedConnection {
                stream,
                permit: connection.permit,
                memory,
                read_ahead: connection.read_ahead,
            };
            // Allocated when the task runs: thousands of sockets may return in the same moment.
            Box::pin(serve_connection(accepted, peer, context)).await;
        };
        self.tasks.spawn_on(serving, &self.runtime);
    }
}

/// Serves requests until the peer disconnects, a route takes the socket over, or after `stop` the
/// current request is answered or `cut` comes. A connection without a request may send one while it
/// drains: it was accepted, and its first request may be on its way.
pub async fn serve_connection(
    accepted: AcceptedConnection,
    peer: SocketAddr,
    context: Arc<ConnectionContext>,
) {
    let (sizes, timeouts) = (context.sizes, context.timeouts);
    let Ok(local) = set_options(&accepted.stream, timeouts.write) else {
        return;
    };
    let phase = ConnectionPhase::default();
    let handoff = Handoff::default();
    let metrics = context.metrics.clone();
    let (stop, cut, drain) = (context.stop.clone(), context.cut.clone(), context.drain);
    let service = Arc::new(RequestService {
        local,
        peer,
        handoff: handoff.clone(),
        phase: phase.clone(),
        context,
    });
    let socket = HttpSocket::new(accepted, handoff.clone(), phase, timeouts, metrics);
    let serving = http1::Builder::new()
        .max_headers(sizes.head_fields)
        .max_header_size(sizes.head_bytes)
        .max_buf_size(sizes.head_bytes)
        .serve_connection(
            TokioIo::new(socket),
            service_fn(move |request| Arc::clone(&service).respond(request)),
        )
        .with_upgrades();
    let mut serving = pin!(serving);
    // The socket is released when this function returns and drops the HTTP connection.
    tokio::select! {
        _ = serving.as_mut() => return,
        () = handoff.flushed() => return,
        () = stop.cancelled() => {}
    }
    if !drain.is_zero() {
        tokio::select! {
            _ = serving.as_mut() => return,
            () = handoff.flushed() => return,
            () = cut.cancelled() => return,
            () = sleep(drain) => {}
        }
    }
    serving.as_mut().graceful_shutdown();
    tokio::select! {
        _ = serving.as_mut() => {}
        () = handoff.flushed() => {}
        () = cut.cancelled() => {}
    }
}

/// Answers the requests of one connection.
struct RequestService {
    local: SocketAddr,
    peer: SocketAddr,
    handoff: Handoff,
    phase: ConnectionPhase,
    context: Arc<ConnectionContext>,
}

impl RequestService {
    /// Starts the response to a request. Everything that is needed once is done before the future, which
    /// each waiting connection holds.
    fn respond(
        self: Arc<Self>,
        mut request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<ResponseBody<BoxBody<Bytes, io::Error>>>, Infallible>>
    {
        let has_body = !request.body().is_end_stream();
        let responding = self.phase.respond(has_body);
        let version = request.version();
        let peer_ip = self.peer.ip();
        let limiter = &self.context.limiter;
        let client = limiter.client_address(peer_ip, request.headers());
        let asks_to_close = asks_to_close(request.headers());
        let extensions = request.extensions_mut();
        if version == Version::HTTP_11 && !has_body {
            extensions.insert(Deferrable);
        }
        extensions.insert(client);
        extensions.insert(PeerAddress(peer_ip));
        extensions.insert(self.handoff.clone());
        let local = LocalAddr(Addr::from(self.local));
        // Handlers see the client's address here, and need not know of proxies.
        let remote = SocketAddr::new(client.ip, self.peer.port());
        let remote = RemoteAddr(Addr::from(remote));
        let request = poem::Request::from((request, local, remote, Scheme::HTTP));
        async move {
            let mut response = self.context.endpoint.get_response(request).await;
            if let Some(deferred) = response.extensions_mut().remove::<DeferredResponse>() {
                self.defer(deferred, &response, asks_to_close);
                // Dropped with the HTTP connection.
                return pending().await;
            }
            Ok(self.finish(Response::from(response), version, responding))
        }
    }

    /// Releases the socket to the receiver of a deferred response.
    fn defer(&self, deferred: DeferredResponse, response: &poem::Response, asks_to_close: bool) {
        let closes = asks_to_close || response.headers().contains_key(header::CONNECTION);
        let head = ResponseHead::new(response, closes, &self.context.lines);
        let http = Arc::clone(&self.context);
        self.handoff
            .arm(move |connection| deferred.release(connection, head, http));
    }

    /// Sets what the connection needs in a response, and ends the responding phase with its body.
    fn finish<B: Body + Unpin>(
        &self,
        mut response: Response<B>,
        version: Version,
        responding: Responding,
    ) -> Response<ResponseBody<B>> {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            responding.switch_protocols();
            return response.map(|body| ResponseBody::new(body, None));
        }
        // Without chunks the end of the connection is the end of such a body. hyper closes the
        // connection then, but promises keep-alive unless the response is marked as HTTP/1.0.
        let ends_with_connection =
            version == Version::HTTP_10 && response.body().size_hint().exact().is_none();
        if ends_with_connection {
            *response.version_mut() = Version::HTTP_10;
        }
        let limiter = &self.context.limiter;
        let is_scarce = limiter.is_memory_low() || limiter.is_short_of_connections();
        if ends_with_connection || is_scarce || self.context.stop.is_cancelled() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        response.map(|body| ResponseBody::new(body, Some(responding)))
    }
}

/// Returns the local address; an error means that the peer has disconnected already.
fn set_options(stream: &TcpStream, write_timeout: Duration) -> io::Result<SocketAddr> {
    // Without Nagle's algorithm: an event is sent when it happens, not when the last one was
    // acknowledged.
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    let dead_after = DEAD_PEER_TIMEOUT.max(write_timeout + AFTER_WRITE_TIMEOUT);
    socket.set_tcp_user_timeout(Some(dead_after))?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_TIME)
        .with_interval(KEEPALIVE_INTERVAL);
    socket.set_tcp_keepalive(&keepalive)?;
    stream.local_addr()
}
