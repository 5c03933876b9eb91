//! The connection to the NATS servers: requests, and how they fail.
//!
//! Requests to the `JetStream` API carry the types of `async_nats::jetstream`, but they are sent by
//! the plain client. `jetstream::Context` queues a request while there is no connection, so a write
//! could be stored long after it was reported as failed; and its errors do not distinguish a request
//! that was never sent from one whose outcome is unknown.

use std::fmt::Display;
use std::future::ready;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::connection::State;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::response::Response;
use async_nats::{
    Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, HeaderMap, Message, Request,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::address::ClusterAddress;
use crate::store::StoreError;
use crate::store::regular::open_regular;

/// Timeout of a request: longer than any answer of a healthy cluster, and short enough for a
/// visitor who waits for a page.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// Timeout of one attempt to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// First and longest delay before the next server is tried: exponential back-off.
const RECONNECT_FIRST: Duration = Duration::from_millis(50);
const RECONNECT_MAX: Duration = Duration::from_millis(400);

/// Interval of pings. A server that misses two of them is left for another one.
const PING_INTERVAL: Duration = Duration::from_secs(2);

/// Messages buffered per subscription. Beyond it messages are dropped, which leaves a gap that the
/// applier fills.
const SUBSCRIPTION_CAPACITY: usize = 16 * 1024;

/// Error codes of a cluster that has no leader, is starting, or is too busy. Nothing was done, and
/// the same request may succeed in a moment.
pub const TEMPORARY_ERRORS: [ErrorCode; 5] = [
    ErrorCode::CLUSTER_NO_PEERS,
    ErrorCode::CLUSTER_NOT_AVAILABLE,
    ErrorCode::CLUSTER_NOT_LEADER,
    ErrorCode::STREAM_REPLICAS_NOT_SUPPORTED,
    ErrorCode::STREAM_TOO_MANY_REQUESTS,
];

/// The lowest `JetStream` API level with atomic batches: nats-server 2.12.
const MIN_API_LEVEL: u64 = 2;

/// The body of a request that has none.
pub const NO_BODY: Vec<u8> = Vec::new();

/// Failure of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestFailure {
    /// The request reached no server: nothing was done.
    NotSent(String),
    /// No usable answer came: the outcome is unknown.
    NoAnswer(String),
    /// A server refused the request. The code is 0 if the client refused to send it.
    Refused {
        /// The server's error code.
        code: ErrorCode,
        /// The server's description of the error.
        reason: String,
    },
}

impl RequestFailure {
    /// The failure of a message that is larger than the servers take.
    pub fn too_large(error: &impl Display) -> Self {
        RequestFailure::Refused {
            code: ErrorCode(0),
            reason: error.to_string(),
        }
    }
}

impl From<RequestFailure> for StoreError {
    /// Converts the failure of a read; a read that failed for now may be repeated.
    fn from(failure: RequestFailure) -> Self {
        match failure {
            RequestFailure::NotSent(reason) | RequestFailure::NoAnswer(reason) => {
                StoreError::Unavailable(reason)
            }
            RequestFailure::Refused { code, reason } if TEMPORARY_ERRORS.contains(&code) => {
                StoreError::Unavailable(reason)
            }
            RequestFailure::Refused { reason, .. } => StoreError::Read(reason),
        }
    }
}

/// The error for a read that failed for `reason` and may succeed later.
pub fn unavailable(reason: impl Display) -> StoreError {
    StoreError::Unavailable(reason.to_string())
}

/// The part of the account's information that a server of any version sends; older ones leave out
/// fields that `jetstream::account::Account` requires.
#[derive(Deserialize)]
struct ApiInfo {
    api: ApiLevel,
}

#[derive(Deserialize)]
struct ApiLevel {
    #[serde(default)]
    level: u64,
}

/// A connection to one of the servers, re-established whenever it is lost. Clones share it.
#[derive(Clone)]
pub struct NatsClient {
    client: Client,
    /// The last connection, counted from 1, whose server is known to be new enough.
    checked_connection: Arc<AtomicU64>,
    /// Counts lost connections and new leaders. After either, the ack of an earlier write may never
    /// come.
    disruptions: watch::Sender<u64>,
    leader: Arc<Mutex<Option<String>>>,
    /// The number of replicas of each stream.
    pub replicas: usize,
}

impl NatsClient {
    /// Connects to one of the servers at `address`.
    ///
    /// # Errors
    /// `NoEngine` if no server accepts the connection or a file cannot be read.
    pub async fn connect(address: &ClusterAddress) -> Result<Self, StoreError> {
        let disruptions = watch::Sender::new(0);
        let disconnected = disruptions.clone();
        let mut options = ConnectOptions::new()
            .name("pet-store")
            .connection_timeout(CONNECT_TIMEOUT)
            .request_timeout(Some(REQUEST_TIMEOUT))
            .ping_interval(PING_INTERVAL)
            .subscription_capacity(SUBSCRIPTION_CAPACITY)
            .max_reconnects(None)
            .require_tls(address.requires_tls())
            .reconnect_delay_callback(reconnect_delay)
            .event_callback(move |event| {
                if matches!(event, Event::Disconnected) {
                    disconnected.send_modify(|count| *count += 1);
                }
                ready(())
            });
        let unreachable = |reason: String| StoreError::NoEngine {
            address: address.to_string(),
            reason,
        };
        let unreadable = |file: &std::path::Path, error: std::io::Error| {
            unreachable(format!("{}: {error}", file.display()))
        };
        for file in address.credentials.iter().chain(&address.authority) {
            open_regular(file).map_err(|error| unreadable(file, error))?;
        }
        if let Some(file) = &address.credentials {
            let read = options.credentials_file(file).await;
            options = read.map_err(|error| unreadable(file, error))?;
        }
        if let Some(file) = &address.authority {
            options = options.add_root_certificates(file.clone());
        }
        let client = options.connect(address.servers.clone()).await;
        Ok(NatsClient {
            client: client.map_err(|error| unreachable(connect_reason(&error, address)))?,
            checked_connection: Arc::default(),
            disruptions,
            leader: Arc::default(),
            replicas: address.replicas(),
        })
    }

    /// Returns the client of the connection.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns true if there is a connection now.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Returns the number of the current connection, counted from 1. Another connection may lead to
    /// another server.
    pub fn connection(&self) -> u64 {
        let statistics = self.client.statistics();
        statistics.connects.load(Ordering::Acquire)
    }

    /// Checks, once per connection, that the server is new enough.
    ///
    /// # Errors
    /// `TooOld`: an older server accepts every write and ignores the headers that make it atomic.
    /// `Unavailable` if `JetStream` does not answer.
    pub async fn check_version(&self) -> Result<(), StoreError> {
        let connection = self.connection();
        if self.checked_connection.load(Ordering::Acquire) == connection {
            return Ok(());
        }
        let info: Result<ApiInfo, _> = self.api("INFO", NO_BODY).await;
        let info = info.map_err(|failure| match failure {
            RequestFailure::NotSent(_) => unavailable("JetStream is not enabled"),
            RequestFailure::NoAnswer(reason) | RequestFailure::Refused { reason, .. } => {
                StoreError::Unavailable(reason)
            }
        })?;
        if info.api.level < MIN_API_LEVEL {
            let version = self.client.server_info().version;
            return Err(StoreError::TooOld { version });
        }
        self.checked_connection.store(connection, Ordering::Release);
        Ok(())
    }

    /// Records which server leads the stream of pets.
    pub fn set_leader(&self, leader: &str) {
        let mut current = self.leader.lock().expect("no holder of this lock panics");
        let before = current.replace(leader.to_owned());
        if before.is_some_and(|before| before != leader) {
            self.disruptions.send_modify(|count| *count += 1);
        }
    }

    /// Returns a receiver that is notified of lost connections and new leaders.
    pub fn disruptions(&self) -> watch::Receiver<u64> {
        self.disruptions.subscribe()
    }

    /// Sends a request and waits for its one answer.
    ///
    /// # Errors
    /// `NotSent`, `NoAnswer`, or `Refused` for a message that is too large.
    pub async fn request(
        &self,
        subject: String,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Message, RequestFailure> {
        // The client would queue the request and send it after the caller gave up.
        if !self.is_connected() {
            return Err(RequestFailure::NotSent("there is no connection".to_owned()));
        }
        let request = Request::new().headers(headers).payload(body.into());
        let answer = self.client.send_request(subject, request).await;
        answer.map_err(|error| match error.kind() {
            RequestErrorKind::MaxPayloadExceeded => RequestFailure::too_large(&error),
            RequestErrorKind::NoResponders | RequestErrorKind::InvalidSubject => {
                RequestFailure::NotSent(error.to_string())
            }
            _ => RequestFailure::NoAnswer(error.to_string()),
        })
    }

    /// Sends a request to `endpoint` of the `JetStream` API.
    ///
    /// # Errors
    /// As for `request`, and `Refused` with the server's error.
    pub async fn api<T: DeserializeOwned>(
        &self,
        endpoint: &str,
        body: Vec<u8>,
    ) -> Result<T, RequestFailure> {
        let subject = format!("$JS.API.{endpoint}");
        let answer = self.request(subject, HeaderMap::new(), body).await?;
        parse_answer(&answer.payload)
    }
}

/// Parses the answer of the `JetStream` API or of a stream.
///
/// # Errors
/// `Refused` with the server's error; `NoAnswer` if the answer is not a `T`.
pub fn parse_answer<T: DeserializeOwned>(payload: &[u8]) -> Result<T, RequestFailure> {
    match serde_json::from_slice(payload) {
        Ok(Response::Ok(answer)) => Ok(answer),
        Ok(Response::Err { error }) => Err(RequestFailure::Refused {
            code: error.error_code(),
            reason: error.to_string(),
        }),
        Err(error) => Err(RequestFailure::NoAnswer(format!(
            "unexpected answer: {error}"
        ))),
    }
}

/// Returns the delay before attempt `attempt`, counted from 1, to connect again.
fn reconnect_delay(attempt: usize) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1)).map_or(8, |count| count.min(8));
    (RECONNECT_FIRST * 2_u32.pow(doublings)).min(RECONNECT_MAX)
}

/// Explains to the operator why the connection failed.
fn connect_reason(error: &ConnectError, address: &ClusterAddress) -> String {
    match (error.kind(), &address.credentials) {
        (ConnectErrorKind::AuthorizationViolation, Some(file)) => {
            format!("it rejects the credentials in {}", file.display())
        }
        (ConnectErrorKind::AuthorizationViolation, None) => {
            "it requires credentials: name their file with --engine-credentials".to_owned()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A node that started together with its servers exited instead of waiting for them.
    #[test]
    fn a_server_that_is_not_ready_is_unavailable_and_any_other_refusal_is_an_error() {
        let read = |code: u64| {
            let answer = format!(r#"{{"error":{{"code":503,"err_code":{code}}}}}"#);
            let refused = parse_answer::<serde_json::Value>(answer.as_bytes());
            StoreError::from(refused.unwrap_err())
        };
        for code in [10005, 10008, 10009, 10074] {
            assert!(matches!(read(code), StoreError::Unavailable(_)), "{code}");
        }
        assert!(matches!(read(10059), StoreError::Read(_)));
    }
}
