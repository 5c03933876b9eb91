//! Long polling: `GET /live/poll`. The last resort, for networks that hold back everything that
//! does not end.
//!
//! Every answer stands alone: the cursor in it is what the next request asks from. Viewers who
//! waited at the same cursor for the same pets share one answer.

mod answer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use poem::http::header;
use poem::{IntoResponse, Request, Response};
use tokio::time::timeout;

pub use self::answer::Answers;
use self::answer::Draft;
use super::chaos::Trouble;
use super::handoff::Handoff;
use super::places::whole_seconds;
use super::query::LiveQuery;
use super::{Live, Transport, bye, no_handoff, sign_of_life};
use crate::error::Failure;
use crate::limits::ClientAddress;

/// Answers as soon as there is something to say, and at the latest after `wait`.
///
/// # Errors
/// 400 for a bad parameter, 503 when there is no place.
pub async fn poll(live: &Arc<Live>, request: &Request) -> Result<Response, Failure> {
    let query = LiveQuery::of(request, live.auth)?;
    let visitor = ClientAddress::from_request(request);
    match query.trouble(Transport::Poll)? {
        // In a box, so that a poll that is left alone takes no room for it.
        Some(Trouble::CutAfter(limit)) => {
            let handoff = Handoff::of(request).ok_or_else(no_handoff)?;
            Box::pin(answer_or_hang_up(live, &query, visitor, limit, handoff)).await
        }
        _ => answer(live, &query, visitor).await,
    }
}

/// Answers within `limit`, or closes the connection without a word.
async fn answer_or_hang_up(
    live: &Live,
    query: &LiveQuery,
    visitor: ClientAddress,
    limit: Duration,
    handoff: Handoff,
) -> Result<Response, Failure> {
    match timeout(limit, answer(live, query, visitor)).await {
        Ok(answer) => answer,
        Err(_cut) => {
            handoff.hang_up();
            std::future::pending().await
        }
    }
}

async fn answer(
    live: &Live,
    query: &LiveQuery,
    visitor: ClientAddress,
) -> Result<Response, Failure> {
    let _place = live.admit(Transport::Poll, query, visitor)?;
    let since = live.hub.reach(query.since).await;
    let mut catch_up = live
        .hub
        .catch_up(query.filter.clone(), since)
        .in_form(query.form);
    let start = catch_up.start();
    let stale_since = live.hub.stale_since();
    // A waiting poller is told immediately when the engine is out of reach, or back. A poller that is
    // ahead of this node is told so without waiting.
    let wait = if live.hub.is_behind(start) {
        Duration::ZERO
    } else {
        query.wait
    };
    let waiting = timeout(wait, live.hub.stale_since_is_not(stale_since));
    let news = catch_up.news(live.stop.run_until_cancelled(waiting)).await;
    let cursor = catch_up.reaches();
    let stale_since = live.hub.stale_since_for(cursor);
    let draft = || Draft::new(&live.hello(Transport::Poll, start));
    let answer = if !news.frames.is_empty() {
        let encode = || draft().with_frames(&news.frames).finish(cursor);
        let asked = (start.rev, query.filter.clone(), query.form);
        live.answers
            .share(asked, news.reaches, Instant::now(), encode)
    } else if live.stop.is_cancelled() {
        let retry_ms = live.places.retry_ms();
        let answer = draft().with(&bye("stopping", retry_ms)).finish(cursor);
        return Ok(respond(answer)
            .with_header(header::RETRY_AFTER, whole_seconds(retry_ms))
            .into_response());
    } else {
        let sign = sign_of_life(cursor, stale_since);
        draft().with(&sign).finish(cursor)
    };
    Ok(respond(answer))
}

fn respond(answer: Bytes) -> Response {
    Response::builder()
        .content_type("application/json")
        .header(header::CACHE_CONTROL, "no-store, no-transform")
        .body(answer)
}
