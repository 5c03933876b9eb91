//! One connection: its socket's options, its requests, its end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Body;
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
use tokio_util::sync::CancellationToken;

use super::handoff::{ConnectionPermit, Handoff};
use super::patience::Patience;
use super::socket::Socket;
use super::turn::{Answer, Turn};
use crate::limits::{ClientLimiter, MemoryReservation, PeerAddress, SizeLimits, Timeouts};
use crate::metrics::Metrics;

/// Bytes that the kernel holds for a connection that does not read. Left to itself it takes
/// several hundred kilobytes for each before anyone notices.
const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// A peer that acknowledges nothing for so long is gone; the kernel's own limit is 15 minutes. The
/// kernel counts a living peer that stopped reading too, so it never comes before the write
/// timeout, which says so in the metrics.
const DEAD_PEER_TIMEOUT: Duration = Duration::from_secs(20);
const AFTER_WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// Silence after which the kernel asks whether the peer is still there, and how often.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);

/// A connection that was accepted.
pub struct Incoming {
    pub stream: TcpStream,
    pub peer: SocketAddr,
    pub admission: ConnectionPermit,
    /// The memory of its buffers, which counts against the budget of all requests.
    pub buffered: MemoryReservation,
    pub sizes: SizeLimits,
    pub timeouts: Timeouts,
    pub limiter: Arc<ClientLimiter>,
    pub metrics: Metrics,
}

/// Serves requests until the peer leaves, `stop` comes and the request in hand is answered
/// (or `cut` comes before that), or a live route takes the socket over.
pub async fn serve_connection(
    incoming: Incoming,
    endpoint: Arc<BoxEndpoint<'static>>,
    stop: CancellationToken,
    cut: CancellationToken,
) {
    let (sizes, timeouts) = (incoming.sizes, incoming.timeouts);
    let Ok(local) = set_options(&incoming.stream, timeouts.write) else {
        return;
    };
    let (peer, limiter) = (incoming.peer, incoming.limiter);
    let turn = Turn::default();
    let patience = Patience::new(timeouts, turn.clone());
    let turn_of_socket = turn.clone();
    let handoff = Handoff::default();
    let for_requests = handoff.clone();
    let service = service_fn(move |mut request: Request<hyper::body::Incoming>| {
        let endpoint = Arc::clone(&endpoint);
        let ours = turn.take();
        let visitor = limiter.client_address(peer.ip(), request.headers());
        request.extensions_mut().insert(visitor);
        let limiter = Arc::clone(&limiter);
        request.extensions_mut().insert(PeerAddress(peer.ip()));
        request.extensions_mut().insert(for_requests.clone());
        let version = request.version();
        async move {
            let local = LocalAddr(Addr::from(local));
            // Where the visitor is, as far as it is believed: what asks for it from here on need
            // not know of proxies.
            let remote = SocketAddr::new(visitor.ip, peer.port());
            let remote = RemoteAddr(Addr::from(remote));
            let request = poem::Request::from((request, local, remote, Scheme::HTTP));
            let mut response = Response::from(endpoint.get_response(request).await);
            // Without chunks the end of the connection is the end of such an answer. hyper closes
            // it then, but promises keep-alive with every answer that is not marked as HTTP/1.0.
            if version == Version::HTTP_10 && response.body().size_hint().exact().is_none() {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
                *response.version_mut() = Version::HTTP_10;
            }
            if limiter.is_memory_low() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            let ours = match response.status() {
                StatusCode::SWITCHING_PROTOCOLS => {
                    ours.keep();
                    None
                }
                _ => Some(ours),
            };
            Ok::<_, Infallible>(response.map(|body| Answer::new(body, ours)))
        }
    });
    let socket = TokioIo::new(Socket::new(
        incoming.stream,
        (incoming.admission, incoming.buffered),
        handoff.clone(),
        timeouts.write,
        patience,
        turn_of_socket,
        incoming.metrics,
    ));
    let serving = http1::Builder::new()
        .max_headers(sizes.head_fields)
        .max_header_size(sizes.head_bytes)
        .max_buf_size(sizes.head_bytes)
        .serve_connection(socket, service)
        .with_upgrades();
    let mut serving = pin!(serving);
    // Dropping the connection at the end of this function gives up its socket.
    tokio::select! {
        _ = serving.as_mut() => return,
        () = handoff.flushed() => return,
        () = stop.cancelled() => {}
    }
    serving.as_mut().graceful_shutdown();
    tokio::select! {
        _ = serving.as_mut() => {}
        () = handoff.flushed() => {}
        () = cut.cancelled() => {}
    }
}

/// The local address; an error means that the peer is gone already.
fn set_options(stream: &TcpStream, write_timeout: Duration) -> io::Result<SocketAddr> {
    // An event is sent when it happens, not when the last one was acknowledged.
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    let dead_after = DEAD_PEER_TIMEOUT.max(write_timeout + AFTER_WRITE_TIMEOUT);
    socket.set_tcp_user_timeout(Some(dead_after))?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_EVERY);
    socket.set_tcp_keepalive(&keepalive)?;
    stream.local_addr()
}
