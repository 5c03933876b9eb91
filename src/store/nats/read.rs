//! Reads messages of a stream, with direct gets and, for a snapshot, with a short-lived consumer.
//!
//! Any server that has a replica answers a direct get. The replica may lag, so a message that it does
//! not have may still exist. The server may also hang, and the others go on routing requests to it
//! until they drop it, which takes minutes; so a request that gets no answer soon is sent again, and
//! the servers choose another replica.

use std::time::Duration;

use async_nats::jetstream::consumer::{self, AckPolicy, DeliverPolicy};
use async_nats::{Message, Subscriber};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::batch::new_op;
use super::client::{NO_BODY, NatsClient, RequestFailure, unavailable};
use super::layout::StreamState;
use super::record::StoredMessage;
use super::subjects::NatsStream;
use crate::store::StoreError;

/// Timeout of each message after a request.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(2);

/// Timeout of one replica while another may be asked, and the number of requests. The servers choose
/// the replica: if one of three hangs, all of the requests go to it once in 6,561 reads.
const REPLICA_TIMEOUT: Duration = Duration::from_millis(250);
const REPLICA_ATTEMPTS: u32 = 8;

/// Retries, and the delay between them, when no server answers or a replica lags.
const RETRIES: u32 = 40;
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// Messages per request to the consumer of a snapshot.
const SNAPSHOT_BATCH: u64 = 1000;

/// Idle time after which the servers delete the consumer of an unfinished snapshot.
const CONSUMER_IDLE: Duration = Duration::from_secs(30);

/// The answer to the creation of a consumer, as far as it is used.
#[derive(Deserialize)]
struct CreatedConsumer {
    #[serde(default)]
    num_pending: u64,
}

/// Reads the last message of `subject` in the stream named `stream`; `None` may also mean that the
/// replica lags.
///
/// # Errors
/// `Unavailable` if no server answers.
pub async fn last_message(
    client: &NatsClient,
    stream: &str,
    subject: &str,
) -> Result<Option<StoredMessage>, StoreError> {
    let request = json!({ "last_by_subj": subject });
    let mut last = None;
    direct_get(client, stream, &request, |message| {
        last = Some(message);
        false
    })
    .await?;
    Ok(last)
}

/// Reads up to `limit` messages that match `filter`, from the sequence number `from` on, in order.
pub async fn messages_from(
    client: &NatsClient,
    stream: &NatsStream,
    filter: &str,
    from: u64,
    limit: usize,
) -> Result<Vec<StoredMessage>, StoreError> {
    let request = json!({ "seq": from.max(1), "next_by_subj": filter, "batch": limit });
    let mut messages = Vec::new();
    direct_get(client, stream.name, &request, |message| {
        messages.push(message);
        true
    })
    .await?;
    Ok(messages)
}

/// Reads like `messages_from`, but retries until there is at least one message.
///
/// # Errors
/// `Unavailable` if no replica that answers has one in time.
pub async fn existing_messages_from(
    client: &NatsClient,
    stream: &NatsStream,
    filter: &str,
    from: u64,
    limit: usize,
) -> Result<Vec<StoredMessage>, StoreError> {
    for _ in 0..RETRIES {
        let messages = messages_from(client, stream, filter, from, limit).await?;
        if !messages.is_empty() {
            return Ok(messages);
        }
        sleep(RETRY_DELAY).await;
    }
    Err(unavailable("its replica lags"))
}

/// Calls `take` with each message that answers a direct get, until `take` returns false.
async fn direct_get(
    client: &NatsClient,
    stream: &str,
    request: &Value,
    mut take: impl FnMut(StoredMessage) -> bool,
) -> Result<(), StoreError> {
    let subject = format!("$JS.API.DIRECT.GET.{stream}");
    request_many(client, &subject, request, REPLICA_ATTEMPTS, |message| {
        match message.status.map(|status| status.as_u16()) {
            None | Some(200) => Ok(take(StoredMessage::from_republished(message)?)),
            // No such message, or the end of a batch.
            Some(204 | 404) => Ok(false),
            Some(code) => {
                let reason = message.description.unwrap_or_default();
                Err(StoreError::Unavailable(format!("{reason} ({code})")))
            }
        }
    })
    .await
}

/// Reads the last message of each subject, in order of their sequence numbers, and passes each to
/// `take`, starting from `empty`. Returns the state of the stream before the read, and the result.
///
/// The replica that is read may lag. Then the read is repeated, since what was shown to viewers must
/// not be taken back.
///
/// # Errors
/// `Unavailable` if no replica is current in time; the errors of `take`.
pub async fn read_snapshot<T>(
    client: &NatsClient,
    stream: &NatsStream,
    empty: impl Fn() -> T,
    take: impl Fn(&mut T, StoredMessage) -> Result<(), StoreError>,
) -> Result<(StreamState, T), StoreError> {
    let state = StreamState::request(client, stream).await?;
    for _ in 0..RETRIES {
        let (mut snapshot, mut last_seq) = (empty(), 0);
        read_last_per_subject(client, stream, |message| {
            last_seq = message.seq;
            take(&mut snapshot, message)
        })
        .await?;
        if last_seq >= state.last_seq {
            return Ok((state, snapshot));
        }
        sleep(RETRY_DELAY).await;
    }
    Err(unavailable("its replica lags"))
}

async fn read_last_per_subject(
    client: &NatsClient,
    stream: &NatsStream,
    mut take: impl FnMut(StoredMessage) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let name = new_op();
    let mut pending = create_consumer(client, stream, &name).await?;
    let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{name}", stream.name);
    let request = json!({ "batch": SNAPSHOT_BATCH, "no_wait": true });
    while pending > 0 {
        let mut left = SNAPSHOT_BATCH;
        // A consumer delivers each message once, so the request must not be repeated.
        request_many(client, &subject, &request, 1, |message| {
            let Some((seq, still_pending)) = message.reply.as_deref().and_then(parse_ack_subject)
            else {
                return Ok(false);
            };
            (pending, left) = (still_pending, left - 1);
            take(StoredMessage {
                seq,
                subject: message.subject.to_string(),
                headers: message.headers.unwrap_or_default(),
                payload: message.payload,
            })?;
            Ok(left > 0 && pending > 0)
        })
        .await?;
        if left == SNAPSHOT_BATCH {
            return Err(unavailable("the consumer of a snapshot ended early"));
        }
    }
    // A consumer that cannot be deleted is deleted by the servers when it is idle.
    let endpoint = format!("CONSUMER.DELETE.{}.{name}", stream.name);
    let _ = client.api::<Value>(&endpoint, NO_BODY).await;
    Ok(())
}

/// Creates the consumer `name` of the last message of every subject. Returns the number of messages.
async fn create_consumer(
    client: &NatsClient,
    stream: &NatsStream,
    name: &str,
) -> Result<u64, RequestFailure> {
    let config = consumer::Config {
        name: Some(name.to_owned()),
        deliver_policy: DeliverPolicy::LastPerSubject,
        ack_policy: AckPolicy::None,
        filter_subject: stream.subjects.to_owned(),
        memory_storage: true,
        num_replicas: 1,
        inactive_threshold: CONSUMER_IDLE,
        ..consumer::Config::default()
    };
    let request = json!({ "stream_name": stream.name, "action": "create", "config": config });
    let endpoint = format!("CONSUMER.CREATE.{}.{name}", stream.name);
    let body = request.to_string().into_bytes();
    let created: CreatedConsumer = client.api(&endpoint, body).await?;
    Ok(created.num_pending)
}

/// Parses the sequence number in the stream, and the number of pending messages, from the reply
/// subject of a consumer's message (NATS ADR-15):
/// `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<delivered>.<seq>.<seq>.<time>.<pending>[.…]`.
///
/// `async_nats` parses it only for messages of its own `Consumer`.
fn parse_ack_subject(reply: &str) -> Option<(u64, u64)> {
    let parts: Vec<&str> = reply.strip_prefix("$JS.ACK.")?.split('.').collect();
    let skipped = if parts.len() > 7 { 2 } else { 0 };
    let number = |index: usize| parts.get(skipped + index)?.parse().ok();
    Some((number(3)?, number(6)?))
}

/// Sends a request and calls `take` with each answer until it returns false. Until the first answer
/// comes, the request is sent up to `attempts` times.
async fn request_many(
    client: &NatsClient,
    subject: &str,
    request: &Value,
    mut attempts: u32,
    mut take: impl FnMut(Message) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    if !client.is_connected() {
        return Err(unavailable("there is no connection"));
    }
    let mut retries = 0;
    let mut answers = send_request(client, subject, request).await?;
    loop {
        let limit = if attempts > 1 {
            REPLICA_TIMEOUT
        } else {
            MESSAGE_TIMEOUT
        };
        let message = match timeout(limit, answers.next()).await {
            Ok(answer) => answer.ok_or_else(|| unavailable("the connection was lost"))?,
            Err(_) if attempts > 1 => {
                attempts -= 1;
                answers = send_request(client, subject, request).await?;
                continue;
            }
            Err(_) => return Err(unavailable("a message did not arrive in time")),
        };
        let has_no_responder = message.status.is_some_and(|status| status.as_u16() == 503);
        if has_no_responder && retries < RETRIES {
            // A stream or consumer that was just created is not known to every server yet.
            retries += 1;
            sleep(RETRY_DELAY).await;
            answers = send_request(client, subject, request).await?;
        } else if has_no_responder {
            return Err(unavailable("no server has the stream"));
        } else if take(message)? {
            attempts = 1;
        } else {
            return Ok(());
        }
    }
}

/// Sends a request once. Returns the subscription to its answers.
async fn send_request(
    client: &NatsClient,
    subject: &str,
    request: &Value,
) -> Result<Subscriber, StoreError> {
    let client = client.client();
    let inbox = client.new_inbox();
    let answers = client.subscribe(inbox.clone()).await;
    let answers = answers.map_err(unavailable)?;
    let body = request.to_string().into();
    let sent = client.publish_with_reply(subject.to_owned(), inbox, body);
    sent.await.map_err(unavailable)?;
    Ok(answers)
}
