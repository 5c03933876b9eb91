//! Long polling: `GET /live/poll`. The last resort, for networks that hold back everything that
//! does not end.
//!
//! Every answer stands alone: the cursor in it is what the next request asks from.

use std::sync::Arc;

use poem::http::header;
use poem::{Request, Response};

use super::query::LiveQuery;
use super::{Live, Transport, bye, heartbeat};
use crate::error::Failure;
use crate::hub::Feed;
use crate::model::Cursor;
use crate::wire::Message;

/// Messages in one answer at most; the rest is in the next, which is asked for at once.
const ANSWER_LIMIT: usize = 1000;

/// Answers as soon as there is something to say, and at the latest after `wait`.
///
/// # Errors
/// 400 for a bad parameter, 503 when there is no place.
pub async fn poll(live: &Arc<Live>, request: &Request) -> Result<Response, Failure> {
    let query = LiveQuery::of(request)?;
    let _place = live.places.admit(Transport::Poll)?;
    let mut feed = live.hub.join(query.filter, query.since);
    let mut answer = Answer::new(&live.hello(Transport::Poll, feed.start()));
    let next = tokio::time::timeout(query.wait, feed.next());
    match live.stop.run_until_cancelled(next).await {
        Some(Ok(frame)) => {
            answer.push(frame.json());
            answer.push_waiting(&mut feed);
        }
        Some(Err(_silence)) => answer.push_message(&heartbeat(feed.cursor())),
        None => answer.push_message(&bye(live.places.retry_ms())),
    }
    Ok(answer.into_response(feed.cursor()))
}

/// The messages of an answer, already encoded, with commas between.
struct Answer {
    messages: String,
    count: usize,
}

impl Answer {
    fn new(hello: &Message<'_>) -> Self {
        Answer {
            messages: hello.to_json(),
            count: 1,
        }
    }

    fn push(&mut self, json: &str) {
        self.messages.push(',');
        self.messages.push_str(json);
        self.count += 1;
    }

    fn push_message(&mut self, message: &Message<'_>) {
        self.push(&message.to_json());
    }

    fn push_waiting(&mut self, feed: &mut Feed) {
        while self.count < ANSWER_LIMIT
            && let Some(frame) = feed.next_now()
        {
            self.push(frame.json());
        }
    }

    fn into_response(self, cursor: Cursor) -> Response {
        let messages = self.messages;
        Response::builder()
            .content_type("application/json")
            .header(header::CACHE_CONTROL, "no-store, no-transform")
            .header(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")
            .body(format!(
                r#"{{"cursor":"{cursor}","messages":[{messages}]}}"#
            ))
    }
}
