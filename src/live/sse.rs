//! Server-Sent Events: `GET /live/sse`.
//!
//! hyper sends the head, hello and what the viewer missed; then the bare socket goes to a sender,
//! which goes on in the same encoding: chunks for HTTP/1.1, plain events for HTTP/1.0.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use poem::http::{Version, header};
use poem::{Body, Request, Response};
use tokio_stream::Stream;

use super::arrival::Arrival;
use super::handoff::Handoff;
use super::opening::Opening;
use super::query::LiveQuery;
use super::{Live, Transport, no_handoff};
use crate::auth::SocketPrincipal;
use crate::error::Failure;
use crate::limits::ClientAddress;
use crate::wire::Encoding;

/// # Errors
/// 400 for a bad parameter, 503 when there is no place.
pub async fn sse(live: &Arc<Live>, request: &Request) -> Result<Response, Failure> {
    let query = LiveQuery::of(request, live.auth)?;
    let trouble = query.trouble(Transport::Sse)?;
    let handoff = Handoff::of(request).ok_or_else(no_handoff)?;
    let visitor = ClientAddress::from_request(request);
    let place = live.admit(Transport::Sse, &query, visitor)?;
    let since = live.hub.reach(query.since).await;
    let encoding = match request.version() {
        Version::HTTP_10 => Encoding::Sse,
        _ => Encoding::SseChunked,
    };
    let opening_encoding = match trouble {
        // Through hyper, which makes the chunks itself.
        None => Encoding::Sse,
        Some(_) => encoding,
    };
    let filter = query.filter;
    let arrival = Arrival {
        opening: Opening::new(
            live,
            Transport::Sse,
            opening_encoding,
            filter.clone(),
            query.form,
            since,
        ),
        live: Arc::clone(live),
        encoding,
        filter,
        form: query.form,
        said: Vec::new(),
        speaker: SocketPrincipal::Stranger,
        visitor,
        place,
        trouble,
    };
    Ok(Response::builder()
        .content_type("text/event-stream")
        // Told to every cache and proxy on the way: nothing here is to be kept, changed or
        // compressed (HAProxy and others hold back what they compress).
        .header(header::CACHE_CONTROL, "no-store, no-transform")
        // nginx would otherwise hold the events back until its buffer is full.
        .header("x-accel-buffering", "no")
        .body(Body::from_bytes_stream(events(arrival, handoff))))
}

/// The opening's pieces, and then nothing for ever: the connection is let go of instead.
fn events(arrival: Arrival, handoff: Handoff) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
    stream::unfold(arrival, move |mut arrival| {
        let handoff = handoff.clone();
        async move {
            match arrival.next().await {
                Some(bytes) => Some((Ok(bytes), arrival)),
                None => {
                    handoff.arm(move |connection| arrival.go_on(connection));
                    std::future::pending().await
                }
            }
        }
    })
}
