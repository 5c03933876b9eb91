//! Long polling: `GET /live/poll`, for networks that delay every response until it ends.
//!
//! The cursor in a response is where the next request continues. A poll for which there is nothing to send
//! waits on a delivery worker, without its request. Viewers that waited at the same cursor for the same pets
//! share one response.

mod repeat;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use poem::http::header;
use poem::web::Data;
use poem::{IntoResponse, Request, Response, handler};
use tokio::time::{sleep, timeout_at};

use self::repeat::repeatable;
use super::query::LiveQuery;
use super::{admit, log_address};
use crate::app_state::AppState;
use crate::delivery::{PendingPoll, PollKey, Transport, ViewerSlot};
use crate::hub::CatchUp;
use crate::limits::{ClientAddress, whole_seconds};
use crate::model::Timestamp;
use crate::serve::DeferredResponse;
use crate::wire::Frame;

/// How long a poll that waits here collects changes before it is answered. Otherwise a client on a busy board
/// would poll as often as its network lets it.
const COLLECTING_TIME: Duration = Duration::from_millis(10);

/// Responds immediately if there is something to send, else with the next change, and at the latest after
/// `wait`.
///
/// # Errors
/// 400 for an invalid parameter, 503 when all slots are taken.
#[handler]
pub async fn poll_changes(
    Data(app): Data<&Arc<AppState>>,
    request: &Request,
) -> poem::Result<Response> {
    let query = LiveQuery::parse(request)?;
    let visitor = ClientAddress::from_request(request);
    // A poll that does not wait is a request like any other, and no viewer.
    let slot = if query.is_immediate() {
        count_immediate(app, &query);
        None
    } else {
        match admit(app, Transport::Poll, &query, visitor) {
            Err(_) if query.knows_log && !app.is_stopping() => None,
            admitted => Some(admitted?),
        }
    };
    let is_led_to_log =
        slot.is_none() && query.knows_log && (!query.is_immediate() || app.slots().is_full());
    let hub = app.hub();
    let since = hub.wait_for_cursor(query.since).await;
    let catch_up = hub.catch_up(query.filter.clone(), since);
    let mut catch_up = catch_up.in_form(query.form);
    let mut key = PollKey {
        start: catch_up.start(),
        filter: query.filter,
        form: query.form,
        heartbeat: app.heartbeats().choose(query.heartbeat),
        log: None,
    };
    let wait = Wait {
        time: query.wait,
        deadline: Instant::now() + query.wait,
        stale_since: hub.stale_since(),
    };
    // A viewer that is ahead of this node is told so immediately.
    let slot = slot.filter(|_| !hub.is_behind(key.start));
    let mut frames = Vec::new();
    // What is in memory, the worker sends, in its next pass.
    if slot.is_none() || !catch_up.is_in_memory() {
        frames = catch_up.next_filled().await.frames;
    }
    if let Some(slot) = slot
        && frames.is_empty()
    {
        if DeferredResponse::is_possible(request) {
            return Ok(wait.on_worker(app, key, &catch_up, (visitor, slot)));
        }
        frames = wait.here(app, &mut catch_up).await;
    }
    let reaches = catch_up.reaches();
    key.log = is_led_to_log.then(|| log_address(&key.filter, reaches));
    let stale_since = hub.stale_since_for(reaches);
    if !frames.is_empty() {
        let encode = || key.encode_frames(hub, &frames, reaches, stale_since);
        let cache = app.poll_cache();
        let shared = cache.get_or_encode(&key, reaches, Instant::now(), encode);
        return Ok(respond(shared));
    }
    if app.is_stopping() {
        let retry_ms = app.slots().retry_ms();
        return Ok(respond(key.encode_bye(hub, retry_ms))
            .with_header(header::RETRY_AFTER, whole_seconds(retry_ms))
            .into_response());
    }
    Ok(respond(key.encode_keep_alive(hub, reaches, stale_since)))
}

/// The end of a poll's wait: at the deadline, and when the engine stops or starts responding.
struct Wait {
    time: Duration,
    deadline: Instant,
    stale_since: Option<Timestamp>,
}

impl Wait {
    /// Defers the response, and leaves the rest to a delivery worker.
    fn on_worker(
        self,
        app: &Arc<AppState>,
        key: PollKey,
        catch_up: &CatchUp,
        (visitor, slot): (ClientAddress, ViewerSlot),
    ) -> Response {
        let (app, at) = (Arc::clone(app), catch_up.reaches());
        let mut response = respond(Bytes::new());
        response.set_data(DeferredResponse::new(move |deferred| {
            let head = &deferred.connection.last_head;
            let request = repeatable(head, key.start, self.time);
            app.register_poll(PendingPoll {
                deferred,
                key,
                at,
                deadline: self.deadline,
                request,
                stale_since: self.stale_since,
                visitor,
                slot,
            });
        }));
        response
    }

    /// Waits in the task of the request, if its response cannot be deferred. Returns the frames to send.
    async fn here(self, app: &AppState, catch_up: &mut CatchUp) -> Vec<Frame> {
        let stop = app.stop_token();
        let left = self.deadline.saturating_duration_since(Instant::now());
        let collecting = sleep(COLLECTING_TIME.min(left));
        stop.run_until_cancelled(collecting).await;
        let changed = app.hub().stale_since_changed(self.stale_since);
        let waiting = timeout_at(self.deadline.into(), changed);
        let limit = stop.run_until_cancelled(waiting);
        catch_up.next_within(limit).await.frames
    }
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

fn respond(body: Bytes) -> Response {
    Response::builder()
        .content_type("application/json")
        .header(header::CACHE_CONTROL, "no-store, no-transform")
        .body(body)
}
