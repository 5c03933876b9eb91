//! Long polling: `GET /live/poll`. The last resort, for networks that hold back everything that
//! does not end.
//!
//! Every answer stands alone: the cursor in it is what the next request asks from. Viewers who
//! waited at the same cursor for the same pets share one answer.

mod answer;

use std::sync::Arc;

use bytes::Bytes;
use poem::http::header;
use poem::{Request, Response};
use tokio::time::timeout;

pub use self::answer::Answers;
use self::answer::Draft;
use super::chaos::Trouble;
use super::handoff::Handoff;
use super::query::LiveQuery;
use super::{Live, Transport, bye, heartbeat, no_handoff};
use crate::error::Failure;

/// Answers as soon as there is something to say, and at the latest after `wait`.
///
/// # Errors
/// 400 for a bad parameter, 503 when there is no place.
pub async fn poll(live: &Arc<Live>, request: &Request) -> Result<Response, Failure> {
    let query = LiveQuery::of(request, live.auth)?;
    let answer = answer(live, &query);
    let Some(Trouble::CutAfter(limit)) = query.trouble(Transport::Poll)? else {
        return answer.await;
    };
    match timeout(limit, answer).await {
        Ok(answer) => answer,
        Err(_cut) => {
            Handoff::of(request).ok_or_else(no_handoff)?.hang_up();
            std::future::pending().await
        }
    }
}

async fn answer(live: &Live, query: &LiveQuery) -> Result<Response, Failure> {
    let _place = live.admit(Transport::Poll, query)?;
    let mut feed = live.hub.join(query.filter.clone(), query.since);
    let start = feed.start();
    let hello = live.hello(Transport::Poll, start);
    // Reading the store's log is not waiting for a change: it is waited for, however long the
    // viewer wants to wait.
    let next = async {
        match feed.is_replaying() {
            true => Ok(feed.next().await),
            false => timeout(query.wait, feed.next()).await,
        }
    };
    let answer = match live.stop.run_until_cancelled(next).await {
        Some(Ok(frame)) => {
            let is_replay = frame.pet().is_some();
            let shared = is_replay.then(|| live.answers.after(live, &query.filter, start));
            shared.flatten().unwrap_or_else(|| {
                let mut draft = Draft::new(&hello);
                draft.push(frame.json());
                draft.push_waiting(&mut feed);
                draft.finish(feed.cursor())
            })
        }
        Some(Err(_silence)) => {
            let cursor = feed.cursor();
            Draft::new(&hello).with(&heartbeat(cursor)).finish(cursor)
        }
        None => {
            let bye = bye(live.places.retry_ms());
            Draft::new(&hello).with(&bye).finish(feed.cursor())
        }
    };
    Ok(respond(answer))
}

fn respond(answer: Bytes) -> Response {
    Response::builder()
        .content_type("application/json")
        .header(header::CACHE_CONTROL, "no-store, no-transform")
        .header(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")
        .body(answer)
}
