//! One commit: an atomic batch of messages, each stored only if its subject has not moved on.
//!
//! The batch's id is the op, the name of this commit: who never hears an answer finds out by it
//! whether the messages are there. The headers are those of NATS' ADR-50.

use async_nats::HeaderMap;
use async_nats::client::PublishErrorKind;

use super::answer::{Failed, NOT_NOW, read_answer, too_large};
use super::link::Link;
use crate::store::StoreError;

/// A message of a batch.
#[derive(Clone)]
pub struct Outgoing {
    pub subject: String,
    /// The sequence number of the subject's last message, 0 for none; `None` for one that follows
    /// another of its subject in the same batch.
    pub expected: Option<u64>,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// Names the batch that a message belongs to.
pub const OP: &str = "Nats-Batch-Id";

/// Its place in the batch, from 1.
pub const PLACE: &str = "Nats-Batch-Sequence";
const IS_LAST: &str = "Nats-Batch-Commit";
/// The last message of the subject must be this one; 0 for none.
pub const EXPECTED: &str = "Nats-Expected-Last-Subject-Sequence";
/// The last message of the whole stream must be this one; only in the first message of a batch.
pub const FOLLOWED: &str = "Nats-Expected-Last-Sequence";
const API_LEVEL: &str = "Nats-Required-Api-Level";
/// Keeps a message from being stored again within the stream's duplicate window.
const MESSAGE_ID: &str = "Nats-Msg-Id";

/// Codes of the servers for a subject that has moved on, and for a message that is there already.
const MOVED_ON: [u64; 2] = [10071, 10164];
const IS_THERE: u64 = 10201;
/// Codes for no more room: in the servers, in what this account may store, and on a disk.
const NO_ROOM: [u64; 4] = [10002, 10023, 10047, 10077];
/// The code for a batch of which messages were lost on the way.
const INCOMPLETE: u64 = 10176;

/// A name for a commit that no other has.
pub fn new_op() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Sends a batch and waits for its answer: the sequence number of the last message. Those before
/// it have the numbers before that. Stops waiting when the connection is lost or another server
/// leads: then the answer may never come.
///
/// The same batch may be sent again: its preconditions hold for at most one of the attempts.
pub async fn send(link: &Link, op: &str, messages: Vec<Outgoing>) -> Result<u64, Failed> {
    let mut changes = link.changes();
    tokio::select! {
        biased;
        sent = send_once(link, op, messages) => sent,
        _ = changes.changed() => {
            let reason = "the connection or the leader changed before the answer came";
            Err(Failed::Unanswered(reason.to_owned()))
        }
    }
}

async fn send_once(link: &Link, op: &str, messages: Vec<Outgoing>) -> Result<u64, Failed> {
    if !link.is_connected() {
        return Err(Failed::Unreachable("there is no connection".to_owned()));
    }
    let count = messages.len();
    for (index, message) in messages.into_iter().enumerate() {
        let mut headers = headers_of(op, index + 1, &message);
        if index + 1 < count {
            let client = link.client();
            let sent = client.publish_with_headers(message.subject, headers, message.body.into());
            sent.await.map_err(|error| match error.kind() {
                PublishErrorKind::MaxPayloadExceeded => too_large(&error),
                _ => Failed::Unreachable(error.to_string()),
            })?;
        } else {
            headers.insert(IS_LAST, "1");
            let answer = link.ask(message.subject, headers, message.body).await?;
            let answer = read_answer(&answer.payload)?;
            let last = answer["seq"].as_u64().filter(|seq| *seq >= count as u64);
            return last.ok_or_else(|| Failed::Unanswered(format!("not an answer: {answer}")));
        }
    }
    Err(Failed::Unreachable("there was nothing to send".to_owned()))
}

fn headers_of(op: &str, place: usize, message: &Outgoing) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(OP, op);
    headers.insert(PLACE, place.to_string());
    headers.insert(MESSAGE_ID, format!("{op}.{place}"));
    headers.insert(API_LEVEL, "2");
    if let Some(expected) = message.expected {
        headers.insert(EXPECTED, expected.to_string());
    }
    for (name, value) in &message.headers {
        headers.insert(*name, value.as_str());
    }
    headers
}

/// What a batch that was not stored means to the one who asked for it. `Unknown` is one of which
/// nobody knows whether it was: also where a server says that it cannot take anything now. It may
/// have led until a moment ago, and the one that leads now may have heard the same batch.
pub fn explain(failed: Failed) -> StoreError {
    match failed {
        Failed::Unreachable(reason) => StoreError::Unavailable(reason),
        Failed::Unanswered(reason) => StoreError::Unknown(reason),
        Failed::Refused { code, words } => match code {
            code if MOVED_ON.contains(&code) => StoreError::Conflict,
            IS_THERE => StoreError::Unknown(words),
            code if NOT_NOW.contains(&code) || code == INCOMPLETE => StoreError::Unknown(words),
            code if NO_ROOM.contains(&code) => StoreError::Full(words),
            _ => StoreError::Rejected(format!("{words} ({code})")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u64) -> StoreError {
        let words = "no".to_owned();
        explain(Failed::Refused { code, words })
    }

    #[test]
    fn a_conflict_a_write_that_was_not_made_and_one_that_may_have_been_are_three_things() {
        for code in [10071, 10164] {
            assert_eq!(refused(code), StoreError::Conflict);
        }
        let unavailable = [Failed::Unreachable(String::new())].map(explain);
        assert!(matches!(unavailable[0], StoreError::Unavailable(_)));
        for code in [10008, 10009, 10176] {
            assert!(matches!(refused(code), StoreError::Unknown(_)), "{code}");
        }
        for unknown in [explain(Failed::Unanswered(String::new())), refused(10201)] {
            assert!(matches!(unknown, StoreError::Unknown(_)), "{unknown}");
        }
        for code in [10002, 10023, 10047, 10077] {
            assert!(matches!(refused(code), StoreError::Full(_)), "{code}");
        }
        assert!(matches!(refused(10054), StoreError::Rejected(_)));
    }
}
