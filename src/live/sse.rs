//! Server-Sent Events: `GET /live/sse`.
//!
//! The body is a stream of shared bytes; an event is formatted once for everyone.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use poem::http::header;
use poem::{Body, Request, Response};

use super::query::LiveQuery;
use super::{Live, Place, Transport, bye};
use crate::error::Failure;
use crate::hub::Feed;
use crate::wire::sse_event;

/// One viewer's stream. Dropped by the connection when the viewer is gone.
struct Viewing {
    live: Arc<Live>,
    feed: Feed,
    stage: Stage,
    _place: Place,
}

enum Stage {
    Greeting,
    Watching,
    Over,
}

/// # Errors
/// 400 for a bad parameter, 503 when there is no place.
pub fn sse(live: &Arc<Live>, request: &Request) -> Result<Response, Failure> {
    let query = LiveQuery::of_sse(request)?;
    let place = live.admit(Transport::Sse)?;
    let viewing = Viewing {
        feed: live.hub.join(query.filter, query.since),
        live: Arc::clone(live),
        stage: Stage::Greeting,
        _place: place,
    };
    Ok(Response::builder()
        .content_type("text/event-stream")
        // Told to every cache and proxy on the way: nothing here is to be kept, changed or
        // compressed (HAProxy and others hold back what they compress).
        .header(header::CACHE_CONTROL, "no-store, no-transform")
        // nginx would otherwise hold the events back until its buffer is full.
        .header("x-accel-buffering", "no")
        .header(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")
        .body(Body::from_bytes_stream(viewing.events())))
}

impl Viewing {
    fn events(self) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
        stream::unfold(self, |mut viewing| async move {
            let event = viewing.next().await?;
            Some((Ok(event), viewing))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        match self.stage {
            Stage::Greeting => {
                self.stage = Stage::Watching;
                let hello = self.live.hello(Transport::Sse, self.feed.start());
                Some(sse_event(&hello))
            }
            Stage::Watching => Some(self.watch().await),
            Stage::Over => None,
        }
    }

    async fn watch(&mut self) -> Bytes {
        let next = tokio::time::timeout(self.live.heartbeat, self.feed.next());
        let Some(next) = self.live.stop.run_until_cancelled(next).await else {
            self.stage = Stage::Over;
            return self.farewell();
        };
        match next {
            Ok(frame) => frame.sse().clone(),
            Err(_silence) => sse_event(&self.live.heartbeat(self.feed.cursor())),
        }
    }

    /// The last event, and before it the time that the browser itself waits before it returns.
    fn farewell(&self) -> Bytes {
        let retry_ms = self.live.retry_ms();
        let event = sse_event(&bye(retry_ms));
        Bytes::from([format!("retry: {retry_ms}\n").as_bytes(), &event].concat())
    }
}
