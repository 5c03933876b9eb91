//! Sends one request to an untrusted receiver.
//!
//! The name is resolved once, and the connection goes to an address of that answer which was checked. So
//! neither a name that leads to this machine nor a second answer of the name server gets past the check.
//! Redirects are not followed, an answer is read up to a limit, and the whole attempt has a time limit.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, HeaderMap, LOCATION, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::WebhookConfig;
use crate::model::{WebhookTarget, is_public_address};
use crate::serve::tls::{TlsClient, TlsError};

/// Bytes of an answer that are read at most. A longer one is cut off with its connection.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Characters of an answer that the delivery log keeps.
const DETAIL_CHARACTERS: usize = 200;

/// Addresses of a name that are tried at most.
const ADDRESSES_TRIED: usize = 4;

/// How long one address may take to connect, so that there is time for the next.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The longest pause that a receiver can ask for.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// Client with the root certificates of this machine, read when the first delivery needs them.
pub type LazyTls = OnceCell<TlsClient>;

/// End of an attempt.
#[derive(Debug, Default)]
pub struct Attempt {
    /// True if the receiver accepted the delivery.
    pub is_delivered: bool,
    /// Status of the answer, if there was one.
    pub status: Option<u16>,
    /// First characters of the answer, or the reason of the failure.
    pub detail: String,
    /// How long the receiver asks to be left alone.
    pub pause: Option<Duration>,
}

/// A connection that may be used again.
struct ReceiverConnection {
    authority: String,
    is_secure: bool,
    requests: SendRequest<Full<Bytes>>,
    _task: AbortOnDropHandle<()>,
}

/// Client of one webhook, with at most one connection.
#[derive(Default)]
pub struct WebhookClient {
    idle: Option<ReceiverConnection>,
}

impl WebhookClient {
    /// Sends a request, within the time limit of `config`.
    pub async fn post(
        &mut self,
        target: &WebhookTarget,
        headers: HeaderMap,
        body: Bytes,
        config: &WebhookConfig,
        tls: &LazyTls,
    ) -> Attempt {
        let sending = self.send(target, &headers, &body, config, tls);
        match timeout(config.timeout, sending).await {
            Ok(Ok(attempt)) => attempt,
            Ok(Err(detail)) => failed(detail),
            Err(_) => {
                self.idle = None;
                let seconds = config.timeout.as_secs();
                failed(format!("There was no answer within {seconds} s."))
            }
        }
    }

    /// Sends over the connection of the last request if it is still open, else over a new one.
    async fn send(
        &mut self,
        target: &WebhookTarget,
        headers: &HeaderMap,
        body: &Bytes,
        config: &WebhookConfig,
        tls: &LazyTls,
    ) -> Result<Attempt, String> {
        let request = || {
            let mut request = Request::new(Full::new(body.clone()));
            *request.method_mut() = Method::POST;
            *request.uri_mut() = target
                .path
                .parse()
                .map_err(|_| "The address is not valid.")?;
            *request.headers_mut() = headers.clone();
            let host = target.authority.parse();
            let host = host.map_err(|_| "The address is not valid.")?;
            request.headers_mut().insert(HOST, host);
            Ok::<_, String>(request)
        };
        let is_same = |idle: &ReceiverConnection| {
            idle.authority == target.authority && idle.is_secure == target.is_secure
        };
        if let Some(mut connection) = self.idle.take().filter(is_same)
            && connection.requests.ready().await.is_ok()
            && let Ok(response) = connection.requests.send_request(request()?).await
        {
            return Ok(self.read(connection, response).await);
        }
        let mut connection = connect(target, config, tls).await?;
        let response = connection.requests.send_request(request()?).await;
        let response = response.map_err(|error| format!("The request failed: {error}."))?;
        Ok(self.read(connection, response).await)
    }

    /// Reads the answer, and keeps the connection if the answer was short and complete.
    async fn read(
        &mut self,
        connection: ReceiverConnection,
        response: Response<Incoming>,
    ) -> Attempt {
        let (head, mut body) = response.into_parts();
        let mut answer = Vec::new();
        let mut is_complete = true;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                is_complete = false;
                break;
            };
            answer.extend(frame.data_ref().into_iter().flatten());
            if answer.len() > ANSWER_LIMIT {
                is_complete = false;
                break;
            }
        }
        if is_complete {
            self.idle = Some(connection);
        }
        parse_answer(head.status, &head.headers, &answer)
    }
}

/// Returns what an answer means. Only a status of success is one: a redirect could lead anywhere.
fn parse_answer(status: StatusCode, headers: &HeaderMap, answer: &[u8]) -> Attempt {
    let text = |name| {
        let value = headers.get(name);
        value.map(|value| String::from_utf8_lossy(value.as_bytes()))
    };
    let detail = if status.is_redirection() {
        let place = text(LOCATION).unwrap_or_default();
        format!(
            "The receiver redirects to {place}. Redirects are not followed: enter the final address."
        )
    } else {
        String::from_utf8_lossy(answer).into_owned()
    };
    let may_pause = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    let pause = text(RETRY_AFTER).filter(|_| may_pause.contains(&status));
    let pause = pause.and_then(|seconds| seconds.trim().parse::<f64>().ok());
    let pause = pause.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    Attempt {
        is_delivered: status.is_success(),
        status: Some(status.as_u16()),
        detail: shorten(&detail),
        pause: pause.map(|pause| pause.min(LONGEST_PAUSE)),
    }
}

fn failed(detail: String) -> Attempt {
    Attempt {
        detail: shorten(&detail),
        ..Attempt::default()
    }
}

/// Returns the first characters as one line.
fn shorten(text: &str) -> String {
    let line = text.chars().take(DETAIL_CHARACTERS);
    let line = line.map(|letter| if letter.is_control() { ' ' } else { letter });
    line.collect::<String>().trim().to_owned()
}

/// Connects to an address of the target that was checked.
async fn connect(
    target: &WebhookTarget,
    config: &WebhookConfig,
    tls: &LazyTls,
) -> Result<ReceiverConnection, String> {
    let host = &target.host;
    let found = lookup_host((host.as_str(), target.port)).await;
    let found = found.map_err(|error| format!("The name {host} was not found: {error}."))?;
    connect_to_found(target, found, config, tls).await
}

/// As `connect`, to one of the addresses that were `found`. The name is not looked up again: another answer was not checked.
async fn connect_to_found(
    target: &WebhookTarget,
    found: impl Iterator<Item = SocketAddr>,
    config: &WebhookConfig,
    tls: &LazyTls,
) -> Result<ReceiverConnection, String> {
    let host = &target.host;
    let allowed = allowed_addresses(host, found, config.to_private_addresses, is_own)?;
    let stream = connect_to_any(&allowed).await;
    let stream = stream.map_err(|error| format!("Cannot connect to {host}: {error}."))?;
    if !target.is_secure {
        return handshake(target, stream).await;
    }
    let encrypted = async { tls_client(tls).await?.connect(host, stream).await };
    let encrypted = encrypted.await;
    let stream = encrypted.map_err(|error| format!("https with {host} failed: {error}."))?;
    handshake(target, stream).await
}

/// Returns the addresses that a delivery may go to.
///
/// # Errors
/// A sentence for the delivery log, if there is none.
fn allowed_addresses(
    host: &str,
    found: impl Iterator<Item = SocketAddr>,
    to_private: bool,
    is_own: fn(IpAddr) -> bool,
) -> Result<Vec<SocketAddr>, String> {
    let found = found.collect::<Vec<_>>();
    let is_allowed = |address: &SocketAddr| {
        to_private || (is_public_address(address.ip()) && !is_own(address.ip()))
    };
    let allowed = found.iter().copied().filter(is_allowed);
    let allowed: Vec<SocketAddr> = allowed.take(ADDRESSES_TRIED).collect();
    match found.first().filter(|_| allowed.is_empty()) {
        Some(first) => Err(format!(
            "{host} leads to {}, which is this machine or not on the public internet. Such addresses need \
             --webhooks-to-private-addresses.",
            first.ip()
        )),
        None => Ok(allowed),
    }
}

/// Returns true for an address of this machine, which alone can be bound. Sends nothing.
fn is_own(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

async fn connect_to_any(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

async fn handshake(
    target: &WebhookTarget,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<ReceiverConnection, String> {
    let (requests, connection) = http1::Builder::new()
        .max_buf_size(ANSWER_LIMIT)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| format!("The connection failed: {error}."))?;
    // Its errors are those of the request.
    let task = tokio::spawn(async move { drop(connection.await) });
    Ok(ReceiverConnection {
        authority: target.authority.clone(),
        is_secure: target.is_secure,
        requests,
        _task: AbortOnDropHandle::new(task),
    })
}

async fn tls_client(tls: &LazyTls) -> Result<&TlsClient, TlsError> {
    let load = async || {
        let loaded = spawn_blocking(TlsClient::with_native_roots).await;
        loaded.unwrap_or_else(|panic| Err(TlsError::Handshake(io::Error::other(panic))))
    };
    tls.get_or_try_init(load).await
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn a_name_that_leads_to_this_machine_is_refused_and_a_public_address_beside_it_is_used() {
        let found = |texts: &[&str], is_own| {
            let addresses: Vec<SocketAddr> =
                texts.iter().map(|text| text.parse().unwrap()).collect();
            allowed_addresses("rebind.example", addresses.into_iter(), false, is_own)
        };
        let refused = found(&["127.0.0.1:80", "[::1]:80"], is_own).unwrap_err();
        assert!(refused.contains("127.0.0.1") && refused.contains("--webhooks-to-private"));
        let mixed = found(&["10.0.0.1:80", "8.8.8.8:80"], |_| false).unwrap();
        assert_eq!(mixed, ["8.8.8.8:80".parse().unwrap()]);
        // This machine may have a public address too.
        assert!(found(&["8.8.8.8:80"], |_| true).is_err());
        assert!(is_own(Ipv4Addr::LOCALHOST.into()));
    }

    /// No name server knows `rebind.invalid` (RFC 2606).
    #[tokio::test]
    async fn a_connection_goes_to_an_address_that_was_checked_and_not_to_another_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let found = [listener.local_addr().unwrap()].into_iter();
        let target = WebhookTarget::parse("http://rebind.invalid/").unwrap();
        let config = WebhookConfig {
            to_private_addresses: true,
            ..WebhookConfig::default()
        };
        let connected = connect_to_found(&target, found, &config, &LazyTls::new()).await;
        assert_eq!(connected.err(), None);
        listener.accept().await.unwrap();
    }

    #[test]
    fn only_success_is_a_delivery_and_a_receiver_can_ask_for_a_pause() {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, "http://127.0.0.1/".parse().unwrap());
        headers.insert(RETRY_AFTER, "90000".parse().unwrap());
        let parse = |status| parse_answer(StatusCode::from_u16(status).unwrap(), &headers, b"a\nb");
        assert!(parse(200).is_delivered && parse(204).is_delivered);
        for status in [300, 302, 307, 400, 404, 410, 429, 500, 503] {
            assert!(!parse(status).is_delivered, "{status}");
        }
        assert!(parse(302).detail.contains("http://127.0.0.1/"));
        assert_eq!(parse(500).detail, "a b");
        assert_eq!(parse(429).pause, Some(LONGEST_PAUSE));
        assert_eq!(parse(500).pause, None);
    }
}
