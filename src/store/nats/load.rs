//! Everything that is true in a stream: the last message of each of its subjects, read with one
//! consumer that lives no longer than that.

use serde_json::{Value, json};
use tokio::time::sleep;

use super::answer::Failed;
use super::batch::new_op;
use super::copies::{ASK_AGAIN_AFTER, ASKED_AGAIN, collect, unavailable};
use super::link::Link;
use super::message::Entry;
use super::state::StreamState;
use super::subjects::Stream;
use crate::store::StoreError;

/// Messages of a snapshot that are asked for at once.
const LOADED_AT_ONCE: u64 = 1000;

/// The consumer of a snapshot that was not finished goes away by itself after this.
const CONSUMER_SECONDS: u64 = 30;

/// Everything that is true: `empty`, after it was given the last message of every subject with
/// `take`, in the order of their sequence numbers; and the state of the stream before that.
///
/// The server that reads them out may have a copy that is behind: then it is asked again, for what
/// was shown already must not be taken back.
///
/// # Errors
/// `Unavailable` when none has all of it in time; whatever `take` fails with.
pub async fn load<T>(
    link: &Link,
    stream: &Stream,
    empty: impl Fn() -> T,
    take: impl Fn(&mut T, Entry) -> Result<(), StoreError>,
) -> Result<(StreamState, T), StoreError> {
    let state = StreamState::ask(link, stream).await?;
    for _ in 0..ASKED_AGAIN {
        let (mut loaded, mut last_seq) = (empty(), 0);
        load_once(link, stream, |entry| {
            last_seq = entry.seq;
            take(&mut loaded, entry)
        })
        .await?;
        if last_seq >= state.last_seq {
            return Ok((state, loaded));
        }
        sleep(ASK_AGAIN_AFTER).await;
    }
    Err(unavailable(&"its copy is behind"))
}

async fn load_once(
    link: &Link,
    stream: &Stream,
    mut take: impl FnMut(Entry) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let name = new_op();
    let mut pending = begin_reading(link, stream, &name).await?;
    let address = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{name}", stream.name);
    let question = json!({ "batch": LOADED_AT_ONCE, "no_wait": true });
    while pending > 0 {
        let mut left = LOADED_AT_ONCE;
        // What was asked of it is sent only once.
        collect(link, address.clone(), &question, 1, |message| {
            let Some((seq, still)) = message.reply.as_deref().and_then(place_of) else {
                return Ok(false);
            };
            (pending, left) = (still, left - 1);
            take(Entry {
                seq,
                subject: message.subject.to_string(),
                headers: message.headers.unwrap_or_default(),
                payload: message.payload.into(),
            })?;
            Ok(left > 0 && pending > 0)
        })
        .await?;
        if left == LOADED_AT_ONCE {
            return Err(unavailable(&"it has less than it said"));
        }
    }
    let deletion = format!("CONSUMER.DELETE.{}.{name}", stream.name);
    // Otherwise it goes away by itself.
    let _ = link.api(&deletion, &Value::Null).await;
    Ok(())
}

/// Makes the consumer `name` of the last message of every subject, and says how many these are.
async fn begin_reading(link: &Link, stream: &Stream, name: &str) -> Result<u64, Failed> {
    let consumer = json!({
        "stream_name": stream.name,
        "action": "create",
        "config": {
            "name": name,
            "deliver_policy": "last_per_subject",
            "ack_policy": "none",
            "filter_subject": stream.subjects,
            "mem_storage": true,
            "num_replicas": 1,
            "inactive_threshold": CONSUMER_SECONDS * 1_000_000_000,
        },
    });
    let creation = format!("CONSUMER.CREATE.{}.{name}", stream.name);
    let made = link.api(&creation, &consumer).await?;
    Ok(made["num_pending"].as_u64().unwrap_or_default())
}

/// The sequence number in the stream, and how many messages follow, out of the subject under which
/// a consumer's message would be acknowledged (NATS' ADR-15):
/// `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<delivered>.<seq>.<seq>.<time>.<pending>[.…]`.
fn place_of(reply: &str) -> Option<(u64, u64)> {
    let parts: Vec<&str> = reply.strip_prefix("$JS.ACK.")?.split('.').collect();
    let skipped = if parts.len() > 7 { 2 } else { 0 };
    let number = |index: usize| parts.get(skipped + index)?.parse().ok();
    Some((number(3)?, number(6)?))
}
