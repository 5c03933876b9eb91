//! A question that is answered by many messages, and by any server that has a copy.
//!
//! One of them may hang, and is then asked like the others until they drop it, which takes them
//! minutes. So whoever does not answer soon is not waited for, and another is asked.

use std::time::Duration;

use async_nats::{Message, Subscriber};
use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::link::Link;
use crate::store::StoreError;

/// How long a message may be waited for once it was asked for.
const MESSAGE_WITHIN: Duration = Duration::from_secs(2);

/// How long one server may be waited for while there are others, and how often any is asked at all.
/// The servers choose who answers: where one of three hangs, all of these fall to it once in 6,561.
const COPY_WITHIN: Duration = Duration::from_millis(250);
pub const COPIES_ASKED: u32 = 8;

/// How often something is asked for again when nobody was there to answer, or a copy was behind,
/// and how soon.
pub const ASKED_AGAIN: u32 = 40;
pub const ASK_AGAIN_AFTER: Duration = Duration::from_millis(50);

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
