//! What is read out of the stream: its state, and its messages one after the other.
//!
//! Messages come by direct gets, which any server answers that has a copy. One of them may be
//! behind, so what it does not have may still be there; and one may hang, and is then asked like the
//! others until they drop it, which takes them minutes. So whoever does not answer soon is not
//! waited for, and another is asked.

use std::time::Duration;

use async_nats::{Message, Subscriber};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::link::{Failed, Link};
use super::message::Entry;
use super::subjects::{PETS, Stream};
use crate::store::StoreError;

/// How long a message may be waited for once it was asked for.
const MESSAGE_WITHIN: Duration = Duration::from_secs(2);

/// How long one server may be waited for while there are others, and how often any is asked at all.
/// The servers choose who answers: where one of three hangs, all of these fall to it once in 6,561.
const COPY_WITHIN: Duration = Duration::from_millis(250);
const COPIES_ASKED: u32 = 8;

/// Silence after which a follower counts as gone. Leaders send a sign of life every second.
const FOLLOWER_WITHIN: Duration = Duration::from_secs(4);

/// How often something is asked for again when nobody was there to answer, or a copy was behind,
/// and how soon.
pub const ASKED_AGAIN: u32 = 40;
pub const ASK_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Which stream it is, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamState {
    /// When it was made: another one of the same name has another time.
    pub created: String,
    pub last_seq: u64,
    /// How long ago its leader last heard of enough others to store anything.
    pub silence: Duration,
}

pub async fn state(link: &Link, stream: &Stream) -> Result<StreamState, Failed> {
    let question = format!("STREAM.INFO.{}", stream.name);
    let info = link.api(&question, &Value::Null).await?;
    let silence = silence(&info).filter(|silence| *silence < FOLLOWER_WITHIN);
    let lost = || Failed::Unreachable("the leader has lost its followers".to_owned());
    let last_seq = info["state"]["last_seq"].as_u64();
    Ok(StreamState {
        created: info["created"].as_str().unwrap_or_default().to_owned(),
        silence: silence.ok_or_else(lost)?,
        last_seq: last_seq.ok_or_else(|| Failed::Unanswered(format!("not an answer: {info}")))?,
    })
}

/// How long ago the leader heard of enough others to store anything; `None` when no leader
/// answered, or too many are gone. A leader that lost them goes on answering for a while, and so
/// does, in no leader's name, a server that is left alone.
fn silence(info: &Value) -> Option<Duration> {
    let Some(cluster) = info.get("cluster") else {
        return Some(Duration::ZERO);
    };
    cluster["leader"]
        .as_str()
        .filter(|leader| !leader.is_empty())?;
    let replicas = cluster["replicas"].as_array();
    let replicas = replicas.map_or(&[][..], Vec::as_slice);
    let present = replicas.iter().filter(|replica| replica["offline"] != true);
    let mut silences: Vec<u64> = present
        .map(|replica| replica["active"].as_u64().unwrap_or_default())
        .collect();
    silences.sort_unstable();
    // With the leader itself, more than half.
    match replicas.len().div_ceil(2) {
        0 => Some(Duration::ZERO),
        needed => silences.get(needed - 1).copied().map(Duration::from_nanos),
    }
}

/// The last message of a subject; `None` may also mean that the server that answered is behind.
pub async fn last_of(link: &Link, subject: &str) -> Result<Option<Entry>, StoreError> {
    last_in(link, PETS.name, subject).await
}

/// The same for another stream.
pub async fn last_in(
    link: &Link,
    stream: &str,
    subject: &str,
) -> Result<Option<Entry>, StoreError> {
    let question = json!({ "last_by_subj": subject });
    let address = format!("$JS.API.DIRECT.GET.{stream}");
    let mut last = None;
    collect(link, address, &question, COPIES_ASKED, |message| {
        last = entry(message)?;
        Ok(false)
    })
    .await?;
    Ok(last)
}

/// Up to `limit` messages at `filter` from the sequence number `from` on, in their order.
pub async fn following(
    link: &Link,
    stream: &Stream,
    filter: &str,
    from: u64,
    limit: usize,
) -> Result<Vec<Entry>, StoreError> {
    let question = json!({ "seq": from.max(1), "next_by_subj": filter, "batch": limit });
    let address = format!("$JS.API.DIRECT.GET.{}", stream.name);
    let mut entries = Vec::new();
    collect(link, address, &question, COPIES_ASKED, |message| {
        let Some(entry) = entry(message)? else {
            return Ok(false);
        };
        entries.push(entry);
        Ok(true)
    })
    .await?;
    Ok(entries)
}

/// The same where one at least is there, whichever server has it.
///
/// # Errors
/// `Unavailable` when none that answers has it in time.
pub async fn some_following(
    link: &Link,
    stream: &Stream,
    filter: &str,
    from: u64,
    limit: usize,
) -> Result<Vec<Entry>, StoreError> {
    for _ in 0..ASKED_AGAIN {
        let entries = following(link, stream, filter, from, limit).await?;
        if !entries.is_empty() {
            return Ok(entries);
        }
        sleep(ASK_AGAIN_AFTER).await;
    }
    Err(unavailable(&"its copy is behind"))
}

/// Asks, and calls `take` with each answer until it says that this was the last. Up to `copies`
/// servers are asked until the first answer comes.
pub async fn collect(
    link: &Link,
    address: String,
    question: &Value,
    mut copies: u32,
    mut take: impl FnMut(Message) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    if !link.is_connected() {
        return Err(unavailable(&"there is no connection"));
    }
    let mut asked = 0;
    let mut answers = ask_for_many(link, &address, question).await?;
    loop {
        let within = if copies > 1 {
            COPY_WITHIN
        } else {
            MESSAGE_WITHIN
        };
        let answer = match timeout(within, answers.next()).await {
            Ok(answer) => answer,
            Err(_) if copies > 1 => {
                copies -= 1;
                answers = ask_for_many(link, &address, question).await?;
                continue;
            }
            Err(_) => return Err(unavailable(&"a message did not come")),
        };
        let message = answer.ok_or_else(|| unavailable(&"the connection was lost"))?;
        let is_nobody_there = message.status.is_some_and(|status| status.as_u16() == 503);
        if is_nobody_there && asked < ASKED_AGAIN {
            // What was just made is not known to every server yet.
            asked += 1;
            sleep(ASK_AGAIN_AFTER).await;
            answers = ask_for_many(link, &address, question).await?;
        } else if is_nobody_there {
            return Err(unavailable(&"no server has the stream"));
        } else if take(message)? {
            copies = 1;
        } else {
            return Ok(());
        }
    }
}

/// Asks once, for as many answers as there are.
async fn ask_for_many(
    link: &Link,
    address: &str,
    question: &Value,
) -> Result<Subscriber, StoreError> {
    let client = link.client();
    let inbox = client.new_inbox();
    let subscribed = client.subscribe(inbox.clone()).await;
    let answers = subscribed.map_err(|error| unavailable(&error))?;
    let body = question.to_string().into();
    let asked = client.publish_with_reply(address.to_owned(), inbox, body);
    asked.await.map_err(|error| unavailable(&error))?;
    Ok(answers)
}

pub fn unavailable(reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unavailable(reason.to_string())
}

/// A message that was got directly: `None` for the answer that there is none, or no more.
fn entry(message: Message) -> Result<Option<Entry>, StoreError> {
    match message.status.map(|status| status.as_u16()) {
        None | Some(200) => {}
        Some(204 | 404) => return Ok(None),
        Some(code) => {
            let words = message.description.unwrap_or_default();
            return Err(StoreError::Unavailable(format!("{words} ({code})")));
        }
    }
    read_live(message).map(Some)
}

/// A message whose headers say where it is in the stream: got directly, or published once more.
pub fn read_live(message: Message) -> Result<Entry, StoreError> {
    let headers = message.headers.unwrap_or_default();
    let header = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
    let seq = header("Nats-Sequence").and_then(|seq| seq.parse().ok());
    let (Some(seq), Some(subject)) = (seq, header("Nats-Subject")) else {
        return Err(StoreError::Record("a message without its place".to_owned()));
    };
    Ok(Entry {
        seq,
        subject,
        payload: message.payload.into(),
        headers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(cluster: &Value) -> Value {
        json!({ "state": { "last_seq": 16 }, "cluster": cluster })
    }

    /// As servers of 2.15 were seen to answer. The last kind of answer had a node take itself for
    /// connected while two of three servers were gone.
    #[test]
    fn only_a_leader_who_hears_of_most_others_can_store_anything() {
        let heard = json!({ "name": "b", "current": true, "active": 400_000_000 });
        let silent = json!({ "name": "b", "current": true, "active": 9_000_000_000_u64 });
        let gone = json!({ "name": "c", "current": false, "offline": true, "active": 0 });
        let led = |replicas: &[&Value]| info(&json!({ "leader": "a", "replicas": replicas }));
        let seconds = |info: &Value| silence(info).map(|silence| silence.as_secs_f32());
        assert_eq!(seconds(&json!({ "state": {} })), Some(0.0), "one server");
        assert_eq!(
            seconds(&info(&json!({ "leader": "a" }))),
            Some(0.0),
            "one replica"
        );
        assert_eq!(seconds(&led(&[&silent, &heard])), Some(0.4));
        assert_eq!(seconds(&led(&[&heard, &gone])), Some(0.4));
        assert_eq!(seconds(&led(&[&silent, &gone])), Some(9.0));
        assert_eq!(seconds(&led(&[&gone, &gone])), None);
        let five = led(&[&silent, &heard, &heard, &gone]);
        assert_eq!(seconds(&five), Some(0.4), "two others of four are enough");
        let alone = json!({ "name": "cluster", "replicas": [gone, gone, heard] });
        assert_eq!(seconds(&info(&alone)), None, "nobody leads");
    }
}
