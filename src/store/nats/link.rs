//! The connection to the servers, and their JetStream API: a question as JSON, an answer as JSON.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::connection::State;
use async_nats::{
    Client, ConnectError, ConnectErrorKind, ConnectOptions, HeaderMap, Message, Request, ServerAddr,
};
use serde_json::Value;

use super::address::Address;
use super::answer::{Failed, read_answer, too_large};
use crate::store::StoreError;
use crate::store::regular::open_regular;

/// How long one question may take. Longer than any answer of a cluster that is well, and short
/// enough for somebody who waits for a page.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// How long a connection may take to come about, and how soon the next server is tried.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
const RECONNECT_AFTER: Duration = Duration::from_millis(250);

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
}

impl Link {
    /// Connects to one of the servers. The connection is made anew whenever it is lost.
    pub async fn open(address: &Address) -> Result<Self, StoreError> {
        let mut options = ConnectOptions::new()
            .name("pet-store")
            .connection_timeout(CONNECT_WITHIN)
            .request_timeout(Some(ANSWER_WITHIN))
            .ping_interval(PING_EVERY)
            .subscription_capacity(WAITING_MESSAGES)
            .max_reconnects(None)
            .require_tls(address.wants_tls())
            .reconnect_delay_callback(|_| RECONNECT_AFTER);
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
