//! Messages that are read out of a stream, one after the other.
//!
//! They come by direct gets, which any server answers that has a copy. One of them may be behind,
//! so what it does not have may still be there.

use async_nats::Message;
use serde_json::json;
use tokio::time::sleep;

use super::copies::{ASK_AGAIN_AFTER, ASKED_AGAIN, COPIES_ASKED, collect, unavailable};
use super::link::Link;
use super::message::Entry;
use super::subjects::{PETS, Stream};
use crate::store::StoreError;

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
