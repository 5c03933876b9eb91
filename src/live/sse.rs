//! Server-Sent Events: `GET /live/sse`.
//!
//! hyper sends the head, hello and what the viewer missed; then the bare socket goes to a sender,
//! which goes on in the same encoding: chunks for HTTP/1.1, plain events for HTTP/1.0.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use poem::http::{Version, header};
use poem::{Body, Request, Response};

use super::handoff::Handoff;
use super::opening::Opening;
use super::places::Place;
use super::query::LiveQuery;
use super::senders::Newcomer;
use super::{Live, Transport, no_handoff};
use crate::auth::Speaker;
use crate::error::Failure;
use crate::hub::Filter;
use crate::wire::Encoding;

/// A viewer whose first bytes are on their way.
struct Arrival {
    live: Arc<Live>,
    handoff: Handoff,
    opening: Opening,
    encoding: Encoding,
    filter: Filter,
    place: Place,
}

/// # Errors
/// 400 for a bad parameter, 503 when there is no place.
pub fn sse(live: &Arc<Live>, request: &Request) -> Result<Response, Failure> {
    let query = LiveQuery::of_sse(request)?;
    let handoff = Handoff::of(request).ok_or_else(no_handoff)?;
    let place = live.places.admit(Transport::Sse)?;
    let encoding = match request.version() {
        Version::HTTP_10 => Encoding::Sse,
        _ => Encoding::SseChunked,
    };
    let filter = query.filter;
    let arrival = Arrival {
        // Through hyper, which makes the chunks itself.
        opening: Opening::new(
            live,
            Transport::Sse,
            Encoding::Sse,
            filter.clone(),
            query.since,
        ),
        live: Arc::clone(live),
        handoff,
        encoding,
        filter,
        place,
    };
    Ok(Response::builder()
        .content_type("text/event-stream")
        // Told to every cache and proxy on the way: nothing here is to be kept, changed or
        // compressed (HAProxy and others hold back what they compress).
        .header(header::CACHE_CONTROL, "no-store, no-transform")
        // nginx would otherwise hold the events back until its buffer is full.
        .header("x-accel-buffering", "no")
        .header(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")
        .body(Body::from_bytes_stream(arrival.events())))
}

impl Arrival {
    /// The opening's pieces, and then nothing for ever: the connection is let go of instead.
    fn events(self) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
        stream::unfold(self, |mut arrival| async move {
            match arrival.opening.next().await {
                Some(bytes) => Some((Ok(bytes), arrival)),
                None => {
                    arrival.hand_over();
                    std::future::pending().await
                }
            }
        })
    }

    fn hand_over(mut self) {
        let at = self.opening.reaches();
        let live = self.live;
        self.handoff.arm(move |connection| {
            live.senders.join(Newcomer {
                connection,
                encoding: self.encoding,
                filter: self.filter,
                at,
                said: Vec::new(),
                speaker: Speaker::Stranger,
                place: self.place,
            });
        });
    }
}
