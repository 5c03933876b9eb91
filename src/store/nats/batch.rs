//! Publishes an atomic batch: all of its messages are stored, or none.
//!
//! The batch's id is the op, the name of a commit. If the ack is lost, the messages are recognized in
//! the stream by their op. `async_nats` has the headers of atomic batches (NATS ADR-50) but no
//! call that sends one.

use async_nats::HeaderMap;
use async_nats::client::PublishErrorKind;
use async_nats::header::{
    NATS_BATCH_COMMIT, NATS_BATCH_COMMIT_FINAL, NATS_BATCH_ID, NATS_BATCH_SEQUENCE,
    NATS_EXPECTED_LAST_SEQUENCE, NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_ID,
    NATS_REQUIRED_API_LEVEL,
};
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::publish::PublishAck;

use super::client::{NatsClient, RequestFailure, TEMPORARY_ERRORS, parse_answer};
use crate::store::StoreError;

/// A message of a batch.
#[derive(Clone, Debug)]
pub struct BatchMessage {
    /// Subject of the message.
    pub subject: String,
    /// Headers of the message, preconditions included.
    pub headers: HeaderMap,
    /// Body of the message.
    pub body: Vec<u8>,
}

impl BatchMessage {
    /// Creates a message without headers.
    pub fn new(subject: impl Into<String>, body: Vec<u8>) -> Self {
        BatchMessage {
            subject: subject.into(),
            headers: HeaderMap::new(),
            body,
        }
    }

    /// Adds a header.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Requires that the last message of the subject has the sequence number `seq`; 0 requires that
    /// there is none.
    pub fn expect_subject_at(mut self, seq: u64) -> Self {
        let header = NATS_EXPECTED_LAST_SUBJECT_SEQUENCE;
        self.headers.insert(header, seq.to_string());
        self
    }

    /// Requires that the last message of the stream has the sequence number `seq`. Only for the first
    /// message of a batch.
    pub fn expect_stream_at(mut self, seq: u64) -> Self {
        let header = NATS_EXPECTED_LAST_SEQUENCE;
        self.headers.insert(header, seq.to_string());
        self
    }
}

/// Errors for a subject or stream that is no longer at the expected message.
const PRECONDITION_FAILED: [ErrorCode; 2] = [
    ErrorCode::STREAM_WRONG_LAST_SEQUENCE,
    ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT,
];

/// Errors for a batch that may have been stored earlier, or of which messages were lost.
const OUTCOME_UNKNOWN: [ErrorCode; 2] = [
    ErrorCode::ATOMIC_PUBLISH_CONTAINS_DUPLICATE_MESSAGE,
    ErrorCode::ATOMIC_PUBLISH_INCOMPLETE_BATCH,
];

/// Errors for no more space: of the servers, of this account, and on a disk.
const NO_SPACE: [ErrorCode; 4] = [
    ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
    ErrorCode::INSUFFICIENT_RESOURCES,
    ErrorCode::STORAGE_RESOURCES_EXCEEDED,
    ErrorCode::STREAM_STORE_FAILED,
];

/// Returns a unique name for a commit.
pub fn new_op() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Sends a batch and waits for its ack. Returns the sequence number of the last message; the others
/// have the numbers directly before it. Stops waiting when the connection is lost or another server
/// leads, since the ack may then never come.
///
/// The same batch may be sent again: its preconditions hold for at most one of the attempts.
///
/// # Errors
/// See `batch_error`.
pub async fn send(
    client: &NatsClient,
    op: &str,
    messages: Vec<BatchMessage>,
) -> Result<u64, RequestFailure> {
    let mut disruptions = client.disruptions();
    tokio::select! {
        biased;
        sent = send_once(client, op, messages) => sent,
        _ = disruptions.changed() => {
            let reason = "the connection or the leader changed before the ack came";
            Err(RequestFailure::NoAnswer(reason.to_owned()))
        }
    }
}

async fn send_once(
    client: &NatsClient,
    op: &str,
    mut messages: Vec<BatchMessage>,
) -> Result<u64, RequestFailure> {
    if !client.is_connected() {
        return Err(RequestFailure::NotSent("there is no connection".to_owned()));
    }
    let count = messages.len() as u64;
    for (message, place) in messages.iter_mut().zip(1..) {
        add_batch_headers(&mut message.headers, op, place);
    }
    let Some(mut last) = messages.pop() else {
        return Err(RequestFailure::NotSent("the batch is empty".to_owned()));
    };
    for message in messages {
        let connection = client.client();
        let sent =
            connection.publish_with_headers(message.subject, message.headers, message.body.into());
        sent.await.map_err(|error| match error.kind() {
            PublishErrorKind::MaxPayloadExceeded => RequestFailure::too_large(&error),
            _ => RequestFailure::NotSent(error.to_string()),
        })?;
    }
    last.headers
        .insert(NATS_BATCH_COMMIT, NATS_BATCH_COMMIT_FINAL);
    let answer = client
        .request(last.subject, last.headers, last.body)
        .await?;
    let ack: PublishAck = parse_answer(&answer.payload)?;
    if ack.sequence < count {
        return Err(RequestFailure::NoAnswer(format!("unexpected ack: {ack:?}")));
    }
    Ok(ack.sequence)
}

fn add_batch_headers(headers: &mut HeaderMap, op: &str, place: u64) {
    headers.insert(NATS_BATCH_ID, op);
    headers.insert(NATS_BATCH_SEQUENCE, place.to_string());
    // Keeps the message from being stored again within the stream's duplicate window.
    headers.insert(NATS_MESSAGE_ID, format!("{op}.{place}"));
    headers.insert(NATS_REQUIRED_API_LEVEL, "2");
}

/// Converts the failure of a batch. It is `Unknown` if the batch may have been stored, also where a
/// server reports a temporary error: that server may have been the leader until a moment ago, and
/// the new leader may have received the same batch.
pub fn batch_error(failure: RequestFailure) -> StoreError {
    match failure {
        RequestFailure::NotSent(reason) => StoreError::Unavailable(reason),
        RequestFailure::NoAnswer(reason) => StoreError::Unknown(reason),
        RequestFailure::Refused { code, reason } => {
            if PRECONDITION_FAILED.contains(&code) {
                StoreError::Conflict
            } else if OUTCOME_UNKNOWN.contains(&code) || TEMPORARY_ERRORS.contains(&code) {
                StoreError::Unknown(reason)
            } else if NO_SPACE.contains(&code) {
                StoreError::Full(reason)
            } else {
                StoreError::Rejected(reason)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u64) -> StoreError {
        batch_error(RequestFailure::Refused {
            code: ErrorCode(code),
            reason: "no".to_owned(),
        })
    }

    #[test]
    fn a_conflict_a_write_that_was_not_made_and_an_unknown_outcome_are_distinct() {
        for code in [10071, 10164] {
            assert_eq!(refused(code), StoreError::Conflict);
        }
        let not_sent = batch_error(RequestFailure::NotSent(String::new()));
        assert!(matches!(not_sent, StoreError::Unavailable(_)));
        let no_answer = batch_error(RequestFailure::NoAnswer(String::new()));
        assert!(matches!(no_answer, StoreError::Unknown(_)));
        for code in [10008, 10009, 10176, 10201] {
            assert!(matches!(refused(code), StoreError::Unknown(_)), "{code}");
        }
        for code in [10002, 10023, 10047, 10077] {
            assert!(matches!(refused(code), StoreError::Full(_)), "{code}");
        }
        assert!(matches!(refused(10054), StoreError::Rejected(_)));
    }
}
