//! Parses the query of a live route: pets, cursor, and how long to wait.

use std::time::Duration;

use poem::Request;
use poem::http::HeaderMap;

use crate::error::Failure;
use crate::hub::{Topic, TopicFilter};
use crate::metrics::Metrics;
use crate::model::{Cursor, PetId};
use crate::wire::SnapshotForm;

/// The longest wait of a poll, and its default.
pub const WAIT_MAX: Duration = Duration::from_secs(25);

/// The parameters of all live routes. Others are ignored.
pub struct LiveQuery {
    /// The pets that the viewer watches.
    pub filter: TopicFilter,
    /// The viewer's cursor: the latest of those in the request. A browser that reconnects by
    /// itself repeats the `since` that it began with, and adds the id of its last event.
    pub since: Option<Cursor>,
    /// How long a poll waits for a change.
    pub wait: Duration,
    /// The longest time between two messages that the viewer asks for.
    pub heartbeat: Option<Duration>,
    /// The form of snapshots: one message, or parts if the request says `parts=1`.
    pub form: SnapshotForm,
    /// The transport that the page used before, and the reason why it switched.
    switch: Option<(String, String)>,
    /// True if the page polls the state every few seconds because no other transport works.
    pub is_short: bool,
    /// True if the client follows the log when there is no slot for it. Others are refused.
    pub knows_log: bool,
}

impl LiveQuery {
    /// Parses the query, and the `Last-Event-ID` header.
    ///
    /// # Errors
    /// 400 for an invalid parameter.
    pub fn parse(request: &Request) -> Result<Self, Failure> {
        let query = request.uri().query().unwrap_or_default();
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
            .map_err(|_| Failure::bad_request("The query is not in the form a=b&c=d."))?;
        let mut topics = Vec::new();
        let mut since = None;
        let mut last_event = None;
        let mut wait = WAIT_MAX;
        let mut heartbeat = None;
        let (mut from, mut why) = (None, None);
        let (mut is_short, mut knows_log) = (false, false);
        let mut form = SnapshotForm::Whole;
        for (name, value) in pairs {
            match name.as_str() {
                "pet" => topics.push(Topic::from(value.parse::<PetId>()?)),
                "since" => since = Some(value.parse::<Cursor>()?),
                name if is_last_event_id(name) => {
                    last_event = later(last_event, value.parse().ok());
                }
                "wait" => wait = parse_seconds("wait", "to 25; more counts as 25", &value)?,
                "heartbeat" => {
                    heartbeat = Some(parse_seconds("heartbeat", "on", &value)?);
                }
                "from" => from = Some(value),
                "why" => why = Some(value),
                "parts" if value == "1" => form = SnapshotForm::Parts,
                // Pages of earlier versions send `rung`.
                "transport" | "rung" => is_short = value == "short",
                "log" => knows_log = value == "1",
                _ => {}
            }
        }
        Ok(LiveQuery {
            filter: TopicFilter::new(topics)?,
            since: later(later(since, last_event), last_event_id(request.headers())),
            wait: wait.min(WAIT_MAX),
            heartbeat,
            form,
            switch: from.zip(why),
            is_short,
            knows_log,
        })
    }

    /// Returns true if the request is answered immediately.
    pub fn is_immediate(&self) -> bool {
        self.wait.is_zero()
    }

    /// Counts a switch to `transport`, if the request says so.
    pub fn count_switch(&self, metrics: &Metrics, transport: &str) {
        if let Some((from, why)) = &self.switch {
            metrics.count_switch(from, transport, why);
        }
    }
}

/// Returns the id of the last event, which a browser sends when it reconnects by itself. An id that is
/// not a cursor is ignored: an `EventSource` that is refused never reconnects.
fn last_event_id(headers: &HeaderMap) -> Option<Cursor> {
    let value = headers.get("last-event-id")?;
    value.to_str().ok()?.parse().ok()
}

/// Returns true for a parameter in which a polyfill, which cannot set the header, sends that id:
/// `lastEventId` (Yaffle's `EventSource`), `lastEventID` and `Last-Event-ID` (Mercure),
/// `last_event_id`, `evs_last_event_id`.
fn is_last_event_id(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphabetic);
    let letters: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    matches!(letters.as_str(), "lasteventid" | "evslasteventid")
}

/// Returns the later of two cursors. Cursors of two epochs have no order: then `second`, which the
/// client received after it began at `first`.
fn later(first: Option<Cursor>, second: Option<Cursor>) -> Option<Cursor> {
    match (first, second) {
        (Some(first), Some(second)) if first.epoch == second.epoch && first.rev > second.rev => {
            Some(first)
        }
        (first, second) => second.or(first),
    }
}

fn parse_seconds(name: &str, range: &str, text: &str) -> Result<Duration, Failure> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| *seconds >= 0.0);
    let seconds = seconds.ok_or_else(|| {
        Failure::bad_request(format!("{name} is a number of seconds from 0 {range}."))
    })?;
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, last_event_id: Option<&'static str>) -> Request {
        let mut request = Request::builder().uri(uri.parse().unwrap());
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        request.finish()
    }

    #[test]
    fn the_latest_of_since_and_every_spelling_of_the_last_event_id_wins() {
        for (uri, header, expected) in [
            ("/?since=00000001-5", None, Some("00000001-5")),
            ("/?since=00000001-5", Some("00000001-9"), Some("00000001-9")),
            ("/?since=00000001-5", Some("00000001-3"), Some("00000001-5")),
            ("/?since=00000001-5", Some("00000002-3"), Some("00000002-3")),
            ("/?since=00000001-5", Some("rubbish"), Some("00000001-5")),
            ("/", Some("00000001-9"), Some("00000001-9")),
            ("/", None, None),
            // Yaffle's EventSource, Mercure's clients, and others.
            ("/?lastEventId=00000001-7", None, Some("00000001-7")),
            ("/?lastEventID=00000001-7", None, Some("00000001-7")),
            ("/?Last-Event-ID=00000001-7", None, Some("00000001-7")),
            ("/?last-event-id=00000001-7", None, Some("00000001-7")),
            ("/?last_event_id=00000001-7", None, Some("00000001-7")),
            ("/?evs_last_event_id=00000001-7", None, Some("00000001-7")),
            (
                "/?lastEventId=00000001-7&since=00000001-5",
                None,
                Some("00000001-7"),
            ),
            (
                "/?lastEventId=00000001-5&since=00000001-7",
                None,
                Some("00000001-7"),
            ),
            (
                "/?lastEventId=00000001-7&lastEventId=00000001-6",
                None,
                Some("00000001-7"),
            ),
            (
                "/?lastEventId=00000001-7",
                Some("00000001-9"),
                Some("00000001-9"),
            ),
            (
                "/?lastEventId=00000001-9",
                Some("00000001-7"),
                Some("00000001-9"),
            ),
            (
                "/?lastEventId=00000002-1&since=00000001-7",
                None,
                Some("00000002-1"),
            ),
            (
                "/?lastEventId=00000001-9",
                Some("00000002-1"),
                Some("00000002-1"),
            ),
            // A polyfill sends this before it has received an id.
            ("/?lastEventId=&since=00000001-5", None, Some("00000001-5")),
            ("/?lastEventId=rubbish", None, None),
        ] {
            let query = LiveQuery::parse(&request(uri, header)).unwrap();
            let since = query.since.map(|cursor| cursor.to_string());
            assert_eq!(since.as_deref(), expected, "{uri} {header:?}");
        }
    }

    #[test]
    fn a_wait_is_capped_and_a_bad_parameter_is_named() {
        let query = LiveQuery::parse(&request("/?wait=3600&pet=2&pet=1&pet=2&x=y", None)).unwrap();
        assert_eq!(query.wait, Duration::from_secs(25));
        assert_eq!(
            query.filter,
            TopicFilter::new([1, 2].map(|id| Topic::from(PetId::new(id)))).unwrap()
        );
        for (uri, words) in [
            ("/?wait=-1", "wait"),
            ("/?wait=NaN", "wait"),
            ("/?heartbeat=-1", "heartbeat"),
            ("/?heartbeat=soon", "heartbeat"),
            ("/?pet=x", "pet"),
            ("/?since=x", "cursor"),
        ] {
            let failure = LiveQuery::parse(&request(uri, None)).err().unwrap();
            assert_eq!(failure.status.as_u16(), 400);
            assert!(failure.detail.to_lowercase().contains(words), "{failure:?}");
        }
    }
}
