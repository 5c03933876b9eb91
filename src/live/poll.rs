//! Long polling: `GET /live/poll`, for networks that delay every response until it ends.
//!
//! The cursor in a response is where the next request continues. Viewers that waited at the same cursor
//! for the same pets share one response.

mod cache;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use poem::http::header;
use poem::web::Data;
use poem::{IntoResponse, Request, Response, handler};
use tokio::time::{sleep, timeout};

pub use self::cache::PollCache;
use super::query::LiveQuery;
use super::{admit, hello};
use crate::app_state::AppState;
use crate::delivery::{Transport, bye, keep_alive};
use crate::hub::Chain;
use crate::limits::{ClientAddress, whole_seconds};
use crate::model::{Cursor, Rev, Timestamp};
use crate::wire::{Frame, Message};

/// Collecting time per poller. Answering a poll takes about a sixth of this time, so that up to 4,000
/// pollers use a sixth of a core at most.
const TIME_PER_POLLER: Duration = Duration::from_micros(250);

/// Bounds of the collecting time. Without the lower bound, a single client on a busy board would poll as
/// often as its network lets it.
const COLLECTING_TIME: RangeInclusive<Duration> =
    Duration::from_millis(10)..=Duration::from_secs(1);

/// Responds once there is a message and the collecting time is over, and at the latest after `wait`.
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
    // A poll that does not wait is a request like any other, and no viewer.
    let _slot = if query.is_immediate() {
        count_immediate(app, &query);
        None
    } else {
        Some(admit(app, Transport::Poll, &query, visitor)?)
    };
    let hub = app.hub();
    let since = hub.wait_for_cursor(query.since).await;
    let catch_up = hub.catch_up(query.filter.clone(), since);
    let mut catch_up = catch_up.in_form(query.form);
    let (start, mut chain) = (catch_up.start(), catch_up.chain());
    // Responds immediately when the engine stops or starts responding, and to a viewer that is ahead of
    // this node.
    let chunk = if query.is_immediate() || hub.is_behind(start) {
        catch_up.next_filled().await
    } else {
        let stop = app.stop_token();
        let collecting = collecting_time(app.slots().pollers()).min(query.wait);
        let stale_since = hub.stale_since();
        stop.run_until_cancelled(sleep(collecting)).await;
        let waiting = timeout(
            query.wait - collecting,
            hub.stale_since_changed(stale_since),
        );
        catch_up
            .next_within(stop.run_until_cancelled(waiting))
            .await
    };
    let cursor = catch_up.reaches();
    let heartbeat = app.heartbeats().choose(query.heartbeat);
    let body = || PollBody::new(&hello(app, Transport::Poll, start, heartbeat));
    let stale_since = hub.stale_since_for(cursor);
    if !chunk.frames.is_empty() {
        let encode = || {
            let body = body().with_frames(&chunk.frames, &mut chain);
            body.finish_at(cursor, chain.last(), stale_since)
        };
        let key = (start.rev, query.filter, query.form, heartbeat);
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
    let named = if stale_since.is_none() { cursor } else { start };
    Ok(respond(body().with(&message).finish(named)).into_response())
}

/// Counts a request that does not wait: one of short polling, or a catch-up.
fn count_immediate(app: &AppState, query: &LiveQuery) {
    if query.is_short {
        app.metrics().short_pollers.count();
        query.count_switch(app.metrics(), "short");
    } else {
        query.count_switch(app.metrics(), Transport::Poll.as_str());
    }
}

/// Returns the collecting time: how long a poll collects changes before it is answered. With few pollers it
/// is over before most changes. With many pollers it limits the rate of all their requests together.
fn collecting_time(pollers: u32) -> Duration {
    let time = TIME_PER_POLLER.saturating_mul(pollers);
    time.clamp(*COLLECTING_TIME.start(), *COLLECTING_TIME.end())
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
        let named = Cursor {
            rev: last,
            ..cursor
        };
        if named == cursor || stale_since.is_some() {
            return self.finish(named);
        }
        self.with(&keep_alive(cursor, named, None)).finish(cursor)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_pollers_are_answered_immediately_and_many_collect_changes() {
        let ms = Duration::from_millis;
        for (pollers, expected) in [(0, ms(10)), (1, ms(10)), (100, ms(25)), (1000, ms(250))] {
            assert_eq!(collecting_time(pollers), expected, "{pollers}");
        }
        assert_eq!(collecting_time(u32::MAX), ms(1000));
    }
}
