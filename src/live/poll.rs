//! Long polling: `GET /live/poll`, for networks that delay every response until it ends.
//!
//! The cursor in a response is where the next request continues. Viewers that waited at the same cursor
//! for the same pets share one response.

mod cache;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use poem::http::header;
use poem::web::Data;
use poem::{IntoResponse, Request, Response, handler};
use tokio::time::timeout;

pub use self::cache::PollCache;
use super::query::LiveQuery;
use super::{admit, hello};
use crate::app_state::AppState;
use crate::delivery::{Transport, bye, keep_alive};
use crate::hub::Chain;
use crate::limits::{ClientAddress, whole_seconds};
use crate::model::{Cursor, Rev, Timestamp};
use crate::wire::{Frame, Message};

/// Responds as soon as there is a message, and at the latest after `wait`.
///
/// # Errors
/// 400 for an invalid parameter, 503 when all slots are taken.
#[handler]
pub async fn poll_changes(
    Data(app): Data<&Arc<AppState>>,
    Data(cache): Data<&Arc<PollCache>>,
    request: &Request,
) -> poem::Result<Response> {
    let query = LiveQuery::parse(request)?;
    let visitor = ClientAddress::from_request(request);
    let _slot = admit(app, Transport::Poll, &query, visitor)?;
    let hub = app.hub();
    let since = hub.wait_for_cursor(query.since).await;
    let catch_up = hub.catch_up(query.filter.clone(), since);
    let mut catch_up = catch_up.in_form(query.form);
    let (start, mut chain) = (catch_up.start(), catch_up.chain());
    // Responds immediately when the engine stops or starts responding, and to a viewer that is ahead of
    // this node.
    let wait = if hub.is_behind(start) {
        Duration::ZERO
    } else {
        query.wait
    };
    let waiting = timeout(wait, hub.stale_since_changed(hub.stale_since()));
    let chunk = catch_up
        .next_within(app.stop_token().run_until_cancelled(waiting))
        .await;
    let cursor = catch_up.reaches();
    let body = || PollBody::new(&hello(app, Transport::Poll, start));
    let stale_since = hub.stale_since_for(cursor);
    if !chunk.frames.is_empty() {
        let encode = || {
            let body = body().with_frames(&chunk.frames, &mut chain);
            body.finish_at(cursor, chain.last(), stale_since)
        };
        let key = (start.rev, query.filter, query.form);
        let shared = cache.get_or_encode(key, chunk.reaches, Instant::now(), encode);
        return Ok(respond(shared).into_response());
    }
    if app.is_stopping() {
        let retry_ms = app.slots().retry_ms();
        let body = body().with(&bye("stopping", retry_ms)).finish(start);
        return Ok(respond(body)
            .with_header(header::RETRY_AFTER, whole_seconds(retry_ms))
            .into_response());
    }
    let message = keep_alive(cursor, start, stale_since);
    let told = if stale_since.is_none() { cursor } else { start };
    Ok(respond(body().with(&message).finish(told)).into_response())
}

fn respond(body: Bytes) -> Response {
    Response::builder()
        .content_type("application/json")
        .header(header::CACHE_CONTROL, "no-store, no-transform")
        .body(body)
}

/// The body of a response under construction: encoded messages, separated by commas.
struct PollBody(String);

impl PollBody {
    fn new(hello: &Message<'_>) -> Self {
        PollBody(hello.to_json())
    }

    fn with(mut self, message: &Message<'_>) -> Self {
        self.push(&message.to_json());
        self
    }

    fn with_frames(mut self, frames: &[Frame], chain: &mut Chain) -> Self {
        for frame in frames {
            self.push(&chain.link_json(frame));
        }
        self
    }

    /// Ends with messages up to `last`, for a viewer that has everything up to `cursor`. A heartbeat says so
    /// if other pets changed last: the cursor of the response is always that of its last message, because
    /// the next message names it in `after`.
    fn finish_at(self, cursor: Cursor, last: Rev, stale_since: Option<Timestamp>) -> Bytes {
        let told = Cursor {
            rev: last,
            ..cursor
        };
        if told == cursor || stale_since.is_some() {
            return self.finish(told);
        }
        self.with(&keep_alive(cursor, told, None)).finish(cursor)
    }

    fn finish(self, cursor: Cursor) -> Bytes {
        let messages = self.0;
        format!(r#"{{"cursor":"{cursor}","messages":[{messages}]}}"#).into()
    }

    fn push(&mut self, json: &str) {
        self.0.push(',');
        self.0.push_str(json);
    }
}
