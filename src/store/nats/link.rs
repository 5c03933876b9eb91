//! The connection to the servers, and their JetStream API: a question as JSON, an answer as JSON.

use std::future::ready;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::connection::State;
use async_nats::{
    Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, HeaderMap, Message, Request,
    ServerAddr,
};
use serde_json::Value;
use tokio::sync::watch;

use super::address::Address;
use super::answer::{Failed, read_answer, too_large};
use crate::store::StoreError;
use crate::store::regular::open_regular;

/// How long one question may take. Longer than any answer of a cluster that is well, and short
/// enough for somebody who waits for a page.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// How long a connection may take to come about, and the delay before the next server is tried:
/// exponential back-off between these.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
const RECONNECT_FIRST: Duration = Duration::from_millis(50);
const RECONNECT_MAX: Duration = Duration::from_millis(400);

/// A server that answers nothing for about twice as long, such as one that is stopped, is left for
/// another.
const PING_EVERY: Duration = Duration::from_secs(2);

/// Messages that may wait for this node. Beyond it some are lost, which leaves a hole, which is
/// filled.
const WAITING_MESSAGES: usize = 16 * 1024;

/// Clones share the connection.
#[derive(Clone)]
pub struct Link {
    client: Client,
    /// The last connection, counted from 1, whose servers are known to be new enough.
    checked: Arc<AtomicU64>,
    /// Counts lost connections and new leaders. After either, the acknowledgement of an earlier write
    /// may never come.
    changes: watch::Sender<u64>,
    leader: Arc<Mutex<Option<String>>>,
    /// The number of replicas of each stream.
    pub replicas: u64,
}

impl Link {
    /// Connects to one of the servers. The connection is made anew whenever it is lost.
    pub async fn open(address: &Address) -> Result<Self, StoreError> {
        let changes = watch::Sender::new(0);
        let lost = changes.clone();
        let mut options = ConnectOptions::new()
            .name("pet-store")
            .connection_timeout(CONNECT_WITHIN)
            .request_timeout(Some(ANSWER_WITHIN))
            .ping_interval(PING_EVERY)
            .subscription_capacity(WAITING_MESSAGES)
            .max_reconnects(None)
            .require_tls(address.wants_tls())
            .reconnect_delay_callback(reconnect_delay)
            .event_callback(move |event| {
                if matches!(event, Event::Disconnected) {
                    lost.send_modify(|changes| *changes += 1);
                }
                ready(())
            });
        let unreachable = |reason: String| StoreError::NoEngine {
            address: address.to_string(),
            reason,
        };
        for file in address.credentials.iter().chain(&address.authority) {
            let opened = open_regular(file);
            opened.map_err(|error| unreachable(format!("{}: {error}", file.display())))?;
        }
        if let Some(file) = &address.credentials {
            let read = options.credentials_file(file).await;
            options = read.map_err(|error| unreachable(format!("{}: {error}", file.display())))?;
        }
        if let Some(file) = &address.authority {
            options = options.add_root_certificates(file.clone());
        }
        let servers: Vec<ServerAddr> = address.servers.clone();
        let client = options.connect(servers).await;
        Ok(Link {
            client: client.map_err(|error| unreachable(reason_of(&error, address)))?,
            checked: Arc::default(),
            changes,
            leader: Arc::default(),
            replicas: address.replicas(),
        })
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Which connection this is, counted from 1: it may lead to another server than the last.
    pub fn connection(&self) -> u64 {
        let statistics = self.client.statistics();
        statistics.connects.load(Ordering::Acquire)
    }

    /// Whether the servers behind this connection are known to be new enough.
    pub fn is_checked(&self) -> bool {
        self.checked.load(Ordering::Acquire) == self.connection()
    }

    /// Notes that those behind `connection` are.
    pub fn set_checked(&self, connection: u64) {
        self.checked.store(connection, Ordering::Release);
    }

    /// Notes which server leads the stream of pets.
    pub fn note_leader(&self, leader: &str) {
        let mut known = self.leader.lock().expect("no holder of this lock panics");
        let before = known.replace(leader.to_owned());
        if before.is_some_and(|before| before != leader) {
            self.changes.send_modify(|changes| *changes += 1);
        }
    }

    /// Counts lost connections and new leaders.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Asks, and waits for the one answer.
    pub async fn ask(
        &self,
        subject: String,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Message, Failed> {
        // The client would keep it until there is a connection, and send it when nobody expects
        // that any more.
        if !self.is_connected() {
            return Err(Failed::Unreachable("there is no connection".to_owned()));
        }
        let request = Request::new().headers(headers).payload(body.into());
        let answer = self.client.send_request(subject, request).await;
        answer.map_err(|error| match error.kind() {
            RequestErrorKind::MaxPayloadExceeded => too_large(&error),
            RequestErrorKind::NoResponders | RequestErrorKind::InvalidSubject => {
                Failed::Unreachable(error.to_string())
            }
            _ => Failed::Unanswered(error.to_string()),
        })
    }

    /// Asks the JetStream API.
    pub async fn api(&self, question: &str, body: &Value) -> Result<Value, Failed> {
        let body = match body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        let subject = format!("$JS.API.{question}");
        let answer = self.ask(subject, HeaderMap::new(), body).await?;
        read_answer(&answer.payload)
    }
}

/// The delay before attempt `attempt`, counted from 1, to connect again.
fn reconnect_delay(attempt: usize) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1)).map_or(8, |count| count.min(8));
    (RECONNECT_FIRST * 2_u32.pow(doublings)).min(RECONNECT_MAX)
}

/// Why no connection came about, in the words of the person who runs it.
fn reason_of(error: &ConnectError, address: &Address) -> String {
    match (error.kind(), &address.credentials) {
        (ConnectErrorKind::AuthorizationViolation, Some(file)) => {
            format!("it does not let in the credentials of {}", file.display())
        }
        (ConnectErrorKind::AuthorizationViolation, None) => {
            "it asks for credentials: name their file with --engine-credentials".to_owned()
        }
        _ => error.to_string(),
    }
}
