//! The log: `GET /live/log`, a transport that caches can collapse, and `GET /live/state/CURSOR`, where it begins.
//!
//! Everybody at one cursor asks for the same address, so behind a cache one request waits for all of them. A
//! cached answer may be shorter than a fresh one, and is right all the same: it brings its reader to a cursor
//! from which the log continues. An answer has nothing that differs between two requests: no cookie, no id, no
//! time. The address to ask next is part of it, so that all readers spell it in the same way (`query`).
//!
//! A request takes no viewer's slot, because few reach the program. `waits` limits how many wait.

mod query;
mod segment;
mod waits;

use std::sync::Arc;
use std::time::Duration;

use poem::http::{StatusCode, header};
use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use tokio::time::{Instant, sleep_until, timeout_at};

use self::query::{LogPets, LogPosition, LogQuery};
use self::segment::Segment;
pub use self::waits::LogWaits;
use crate::app_state::AppState;
use crate::delivery::{keep_alive, whole_ms};
use crate::error::Failure;
use crate::hub::TopicFilter;
use crate::model::{ActivitiesVersion, Cursor, Timestamp};
use crate::serve::conditional::{EntityTags, entity_tag};
use crate::wire::{Frame, SnapshotForm};

/// A request collects changes until the clock shows a multiple of this time, unless the answer is a full segment. It
/// limits how often each reader asks on a busy board, and after a quiet time it is over before the change. Requests
/// from different cursors are answered at the same moment and with the same cursor, so that readers which a
/// cache has let fall behind share their next request with the others again.
const COLLECTING_TIME: Duration = Duration::from_millis(750);

/// A full segment and a state never change. A cache may keep them for an hour and no longer, because it then may
/// still have a pet that became private. A longer time would spare nothing: nobody asks for them when they are
/// older than a reader's cursor.
const IMMUTABLE: &str = "public, max-age=3600, immutable";

/// An answer to which later changes will belong.
const NEWEST: &str = "public, max-age=1, stale-while-revalidate=1";

/// An answer without changes, and one that leads elsewhere.
const SHORT_LIVED: &str = "public, max-age=1";

/// Marks an answer for caches that many share. The middleware adds nothing to it that differs between two
/// requests: no id, and no coding that the client chose.
#[derive(Clone, Copy)]
pub struct ForSharedCaches;

/// Answers with the changes after a cursor; waits for one if there are none. A cursor from which the node cannot
/// continue leads to a state.
///
/// # Errors
/// 400 for any but the one spelling of the address.
#[handler]
pub async fn read_log(
    Data(app): Data<&Arc<AppState>>,
    Data(waits): Data<&Arc<LogWaits>>,
    request: &Request,
) -> poem::Result<Response> {
    let LogQuery { pets, position } = LogQuery::parse(request.uri().query())?;
    let Some(position) = position else {
        return Ok(refer_to_state(app, &pets));
    };
    let (hub, filter, since) = (app.hub(), pets.filter(), position.since);
    let mut segment = Segment::read(hub, filter, since).await;
    let mut retry = None;
    if segment.as_ref().is_some_and(|segment| !segment.is_full) && !position.is_immediate() {
        match waits.try_wait(&app.metrics().waiting_for_log) {
            Err(early) => retry = Some(early),
            Ok(_permit) => {
                let is_known = wait(app, &pets, position).await;
                // Read again as a whole: a pet may have become private meanwhile.
                segment = Segment::read(hub, filter, since).await.filter(|_| is_known);
                retry = app
                    .is_stopping()
                    .then(|| Duration::from_millis(app.slots().retry_ms()));
            }
        }
    }
    let Some(segment) = segment else {
        return Ok(refer_to_state(app, &pets));
    };
    Ok(respond(app, &pets, position, segment, retry, request))
}

/// Answers with the state at a cursor, if the node still has it. Otherwise leads to one that it has.
///
/// # Errors
/// 400 for any but the one spelling of the address.
#[handler]
pub async fn read_state_at(
    Data(app): Data<&Arc<AppState>>,
    Path(cursor): Path<String>,
    request: &Request,
) -> poem::Result<Response> {
    let cursor: Cursor = cursor.parse().map_err(Failure::from)?;
    let pets = LogPets::parse(request.uri().query())?;
    let Some(state) = app.hub().kept_state(pets.filter(), cursor) else {
        return Ok(refer_to_state(app, &pets));
    };
    let response = tagged(IMMUTABLE, cursor);
    if EntityTags::if_none_match(request.headers()).contains(&cursor) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    let frames = app.hub().encode_snapshot(&state, SnapshotForm::Whole);
    let frames = frames.await;
    let snapshot = frames.first().map(Frame::json).unwrap_or_default();
    let body = encode_body(
        cursor,
        snapshot,
        &pets.after_state(cursor),
        Advice::default(),
    );
    Ok(response.content_type("application/json").body(body))
}

/// Returns the address from which a page of `filter` at `cursor` follows the log.
pub fn log_address(filter: &TopicFilter, cursor: Cursor) -> String {
    LogPets::from_filter(filter.clone()).for_page(cursor)
}

/// Waits for a change after the position, at most until its slice ends, and at least for the collecting time.
/// Returns false if no node has the reader's cursor.
async fn wait(app: &AppState, pets: &LogPets, position: LogPosition) -> bool {
    let (hub, stop) = (app.hub(), app.stop_token());
    let begun = Instant::now();
    let deadline = begun + position.wait(Timestamp::now());
    let stale_since = hub.stale_since();
    // Another node may have sent the reader further than this one is.
    let since = hub.wait_for_cursor(Some(position.since)).await;
    if since.is_none() {
        return false;
    }
    let collected = deadline.min(begun + until_collected(Timestamp::now()));
    stop.run_until_cancelled(sleep_until(collected)).await;
    let mut catch_up = hub.catch_up(pets.filter().clone(), since);
    if !catch_up.starts_over() {
        let waiting = timeout_at(deadline, hub.stale_since_changed(stale_since));
        catch_up
            .next_within(stop.run_until_cancelled(waiting))
            .await;
    }
    true
}

/// Returns how long a request that arrives at `now` collects changes.
fn until_collected(now: Timestamp) -> Duration {
    let shown = now.since(Timestamp::from_micros(0)).as_micros();
    let passed = shown % COLLECTING_TIME.as_micros();
    COLLECTING_TIME.saturating_sub(Duration::from_micros(u64::try_from(passed).unwrap_or(0)))
}

/// Leads to a state from which the log continues.
fn refer_to_state(app: &AppState, pets: &LogPets) -> Response {
    let cursor = app.hub().keep_state(pets.filter()).cursor();
    Response::builder()
        .status(StatusCode::TEMPORARY_REDIRECT)
        .header(header::LOCATION, pets.state_address(cursor))
        .header(header::CACHE_CONTROL, SHORT_LIVED)
        .extension(ForSharedCaches)
        .finish()
}

/// Responds with `segment`, and with the time after which the reader asks again if that is not immediately.
fn respond(
    app: &AppState,
    pets: &LogPets,
    position: LogPosition,
    segment: Segment,
    retry: Option<Duration>,
    request: &Request,
) -> Response {
    let cursor = segment.cursor;
    let advice = Advice {
        retry,
        has_room: !segment.is_full && !app.slots().is_full(),
        activities: app.hub().activities().filter(|_| !segment.is_full),
    };
    let stale = app.hub().stale_since_for(cursor);
    let stale = stale.map(|since| keep_alive(cursor, cursor, Some(since)).to_json());
    if segment.is_empty() {
        let next = position.after_nothing(cursor, Timestamp::now());
        let body = encode_body(
            cursor,
            &stale.unwrap_or_default(),
            &pets.address(&next),
            advice,
        );
        return Response::builder()
            .header(header::CACHE_CONTROL, SHORT_LIVED)
            .content_type("application/json")
            .extension(ForSharedCaches)
            .body(body);
    }
    let caching = if segment.is_full { IMMUTABLE } else { NEWEST };
    let response = tagged(caching, cursor);
    if EntityTags::if_none_match(request.headers()).contains(&cursor) {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    let next = pets.address(&position.after_changes(cursor));
    let mut messages = segment.messages();
    if let Some(stale) = stale {
        messages.push(',');
        messages.push_str(&stale);
    }
    let body = encode_body(cursor, &messages, &next, advice);
    response.content_type("application/json").body(body)
}

/// Hints beside the messages of an answer that is soon replaced.
#[derive(Clone, Copy, Default)]
struct Advice {
    /// The reader asks again after this time.
    retry: Option<Duration>,
    /// The server has a slot for a viewer.
    has_room: bool,
    /// Version of the rescue's own activities, if it has some.
    activities: Option<ActivitiesVersion>,
}

/// Starts an answer that is told from others at its address by the cursor that it reaches.
fn tagged(caching: &'static str, cursor: Cursor) -> poem::ResponseBuilder {
    Response::builder()
        .header(header::CACHE_CONTROL, caching)
        .header(header::ETAG, entity_tag(&cursor))
        .extension(ForSharedCaches)
}

/// Returns the body: `next` is the address to ask next.
fn encode_body(cursor: Cursor, messages: &str, next: &str, advice: Advice) -> String {
    let activities = advice.activities;
    let activities = activities.map(|version| format!(r#","activities":"{version}""#));
    let room = advice.has_room.then(|| r#","room":true"#.to_owned());
    let retry = advice.retry;
    let retry = retry.map(|retry| format!(r#","retry_ms":{}"#, whole_ms(retry)));
    let advice = [activities, room, retry].map(Option::unwrap_or_default);
    let advice = advice.concat();
    format!(r#"{{"cursor":"{cursor}","messages":[{messages}],"next":"{next}"{advice}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_arrive_within_one_collecting_time_are_answered_at_the_same_moment() {
        let ms = Duration::from_millis;
        let start = Timestamp::from_micros(1_750_000_000_500_000);
        assert_eq!(until_collected(start), COLLECTING_TIME);
        for later in [ms(1), ms(400), ms(749)] {
            assert_eq!(until_collected(start.plus(later)), COLLECTING_TIME - later);
        }
        assert_eq!(
            until_collected(start.plus(COLLECTING_TIME)),
            COLLECTING_TIME
        );
    }
}
