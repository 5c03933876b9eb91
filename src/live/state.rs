//! The board right now: `GET /live/state`, the `snapshot` object with its cursor as `ETag`.

use std::sync::Arc;

use poem::http::{HeaderMap, StatusCode, header};
use poem::{Request, Response};

use super::Live;
use super::query::LiveQuery;
use crate::error::Failure;
use crate::model::Cursor;

/// # Errors
/// 400 for a bad parameter.
pub fn state(live: &Arc<Live>, request: &Request) -> Result<Response, Failure> {
    let query = LiveQuery::of(request, live.auth)?;
    if query.is_short {
        let metrics = live.hub.metrics();
        metrics.asking.count();
        query.count_switch(metrics, "short");
    }
    let (epoch, frame) = live.hub.snapshot(&query.filter);
    let rev = frame.rev();
    let cursor = Cursor { epoch, rev };
    let tag = format!("\"{cursor}\"");
    let response = Response::builder()
        .header(header::ETAG, &tag)
        // Kept by nobody but the asker, who asks each time whether it is still true.
        .header(header::CACHE_CONTROL, "private, no-cache, no-transform");
    if is_known(request.headers(), &tag) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    let body = frame.json().to_owned();
    Ok(response.content_type("application/json").body(body))
}

/// Whether `If-None-Match` names `tag` (RFC 9110, section 13.1.2: a weak comparison).
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).iter();
    let tags = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','));
    tags.map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
