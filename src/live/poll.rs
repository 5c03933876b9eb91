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
use poem::web::Data;
use poem::{IntoResponse, Request, Response, handler};
use tokio::time::timeout;

use self::answer::Draft;
pub use self::answer::PollCache;
use super::chaos::Trouble;
use super::query::LiveQuery;
use super::{admit, hello, no_handoff};
use crate::app_state::AppState;
use crate::delivery::{Transport, bye, keep_alive};
use crate::error::Failure;
use crate::limits::{ClientAddress, whole_seconds};
use crate::serve::Handoff;

/// Answers as soon as there is something to say, and at the latest after `wait`.
///
/// # Errors
/// 400 for a bad parameter, 503 when there is no place.
#[handler]
pub async fn poll_changes(
    Data(app): Data<&Arc<AppState>>,
    Data(cache): Data<&Arc<PollCache>>,
    request: &Request,
) -> poem::Result<Response> {
    let query = LiveQuery::parse(request, app.auth())?;
    let visitor = ClientAddress::from_request(request);
    let response = match query.trouble(Transport::Poll)? {
        // In a box, so that a poll that is left alone takes no room for it.
        Some(Trouble::CutAfter(limit)) => {
            let handoff = Handoff::from_request(request).ok_or_else(no_handoff)?;
            Box::pin(answer_or_hang_up(
                app, cache, &query, visitor, limit, handoff,
            ))
            .await
        }
        _ => answer(app, cache, &query, visitor).await,
    };
    Ok(response?)
}

/// Answers within `limit`, or closes the connection without a word.
async fn answer_or_hang_up(
    app: &AppState,
    cache: &PollCache,
    query: &LiveQuery,
    visitor: ClientAddress,
    limit: Duration,
    handoff: Handoff,
) -> Result<Response, Failure> {
    match timeout(limit, answer(app, cache, query, visitor)).await {
        Ok(answer) => answer,
        Err(_cut) => {
            handoff.hang_up();
            std::future::pending().await
        }
    }
}

async fn answer(
    app: &AppState,
    cache: &PollCache,
    query: &LiveQuery,
    visitor: ClientAddress,
) -> Result<Response, Failure> {
    let _slot = admit(app, Transport::Poll, query, visitor)?;
    let since = app.hub().reach(query.since).await;
    let mut catch_up = app
        .hub()
        .catch_up(query.filter.clone(), since)
        .in_form(query.form);
    let start = catch_up.start();
    let stale_since = app.hub().stale_since();
    // A waiting poller is told immediately when the engine is out of reach, or back. A poller that is
    // ahead of this node is told so without waiting.
    let wait = if app.hub().is_behind(start) {
        Duration::ZERO
    } else {
        query.wait
    };
    let waiting = timeout(wait, app.hub().stale_since_is_not(stale_since));
    let news = catch_up
        .news(app.stop_token().run_until_cancelled(waiting))
        .await;
    let cursor = catch_up.reaches();
    let stale_since = app.hub().stale_since_for(cursor);
    let draft = || Draft::new(&hello(app, Transport::Poll, start));
    let answer = if !news.frames.is_empty() {
        let encode = || draft().with_frames(&news.frames).finish(cursor);
        let asked = (start.rev, query.filter.clone(), query.form);
        cache.share(asked, news.reaches, Instant::now(), encode)
    } else if app.is_stopping() {
        let retry_ms = app.slots().retry_ms();
        let answer = draft().with(&bye("stopping", retry_ms)).finish(cursor);
        return Ok(respond(answer)
            .with_header(header::RETRY_AFTER, whole_seconds(retry_ms))
            .into_response());
    } else {
        let sign = keep_alive(cursor, stale_since);
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
