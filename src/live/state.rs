//! The present board: `GET /live/state`, a `snapshot` object with its cursor as `ETag`.

use std::sync::Arc;

use poem::http::{StatusCode, header};
use poem::web::Data;
use poem::{Request, Response, handler};

use super::query::LiveQuery;
use crate::app_state::AppState;
use crate::delivery::keep_alive;
use crate::model::Cursor;
use crate::serve::conditional::{EntityTags, entity_tag};
use crate::wire::{Frame, SnapshotForm};

/// Answers with the snapshot, or 304 if the client has it. A client that comes from another node and is
/// ahead of this one keeps its board: the answer is `stale` if the client sent `since`, and 304 if it
/// sent `If-None-Match`.
///
/// # Errors
/// 400 for an invalid parameter.
#[handler]
pub async fn read_state(
    Data(app): Data<&Arc<AppState>>,
    request: &Request,
) -> poem::Result<Response> {
    let query = LiveQuery::parse(request)?;
    if query.is_short {
        let metrics = app.metrics();
        metrics.short_pollers.count();
        query.count_switch(metrics, "short");
    }
    let known = EntityTags::if_none_match(request.headers());
    let seen = query.since;
    let seen = seen.or_else(|| known.all::<Cursor>().max_by_key(|cursor| cursor.rev));
    let seen = app.hub().wait_for_cursor(seen).await;
    if let Some(seen) = seen.filter(|seen| app.hub().is_behind(*seen)) {
        return Ok(respond_behind(app, &query, seen));
    }
    let snapshot = app.hub().snapshot(&query.filter);
    let cursor = snapshot.cursor();
    let response = Response::builder()
        .header(header::ETAG, entity_tag(&cursor))
        // Only the client may keep it, and has to revalidate it each time.
        .header(header::CACHE_CONTROL, "private, no-cache, no-transform");
    if known.contains(&cursor) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    let frames = app
        .hub()
        .encode_snapshot(&snapshot, SnapshotForm::Whole)
        .await;
    let body = frames.first().map(Frame::json_bytes).unwrap_or_default();
    Ok(response.content_type("application/json").body(body))
}

/// Responds to a client at `seen`, a cursor that this node has not published yet.
fn respond_behind(app: &AppState, query: &LiveQuery, seen: Cursor) -> Response {
    let response = Response::builder().header(header::CACHE_CONTROL, "no-store, no-transform");
    if query.since.is_none() {
        return response
            .header(header::ETAG, entity_tag(&seen))
            .status(StatusCode::NOT_MODIFIED)
            .finish();
    }
    let body = keep_alive(seen, seen, app.hub().stale_since_for(seen)).to_json();
    response.content_type("application/json").body(body)
}
