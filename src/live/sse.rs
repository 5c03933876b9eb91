//! Server-Sent Events: `GET /live/sse`.
//!
//! hyper sends the head of the response, and then the bare socket leaves HTTP. The body is encoded as
//! chunks for HTTP/1.1, and as plain events for HTTP/1.0.

use std::future::pending;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use poem::http::{Version, header};
use poem::web::Data;
use poem::{Body, Request, Response, handler};

use super::query::LiveQuery;
use super::upgrade::Upgrade;
use super::{admit, no_handoff};
use crate::app_state::AppState;
use crate::delivery::Transport;
use crate::limits::ClientAddress;
use crate::serve::Handoff;
use crate::wire::Encoding;

/// Answers with an event stream that never ends by itself.
///
/// # Errors
/// 400 for an invalid parameter, 503 when all slots are taken.
#[handler]
pub async fn watch_sse(
    Data(app): Data<&Arc<AppState>>,
    request: &Request,
) -> poem::Result<Response> {
    let query = LiveQuery::parse(request)?;
    let handoff = Handoff::from_request(request).ok_or_else(no_handoff)?;
    let visitor = ClientAddress::from_request(request);
    let slot = admit(app, Transport::Sse, &query, visitor)?;
    let encoding = match request.version() {
        Version::HTTP_10 => Encoding::Sse,
        _ => Encoding::SseChunked,
    };
    let form = (Transport::Sse, encoding);
    let upgrade = Upgrade::new(Arc::clone(app), query, form, (visitor, slot)).await;
    // Arms the handoff when hyper is about to send the head. The body itself is written by others.
    let body = Body::from_bytes_stream(stream::once(async move {
        upgrade.arm(&handoff);
        pending::<io::Result<Bytes>>().await
    }));
    Ok(Response::builder()
        .content_type("text/event-stream")
        // For caches and proxies. Some, such as HAProxy, delay what they compress.
        .header(header::CACHE_CONTROL, "no-store, no-transform")
        // nginx delays events until its buffer is full otherwise.
        .header("x-accel-buffering", "no")
        .body(body))
}
