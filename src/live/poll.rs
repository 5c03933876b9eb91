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
use super::query::LiveQuery;
use super::{admit, hello};
use crate::app_state::AppState;
use crate::delivery::{Transport, bye, keep_alive};
use crate::error::Failure;
use crate::limits::{ClientAddress, whole_seconds};

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
    let query = LiveQuery::parse(request)?;
    let visitor = ClientAddress::from_request(request);
    Ok(answer(app, cache, &query, visitor).await?)
}

async fn answer(
    app: &AppState,
    cache: &PollCache,
    query: &LiveQuery,
    visitor: ClientAddress,
) -> Result<Response, Failure> {
    let _slot = admit(app, Transport::Poll, query, visitor)?;
    let since = app.hub().wait_for_cursor(query.since).await;
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
    let waiting = timeout(wait, app.hub().stale_since_changed(stale_since));
    let news = catch_up
        .next_within(app.stop_token().run_until_cancelled(waiting))
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
