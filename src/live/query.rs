//! What a viewer asks for: which pets, from where on, and how long to wait.

use std::time::Duration;

use poem::Request;
use poem::http::HeaderMap;

use super::Transport;
use super::chaos::{Chaos, Trouble};
use crate::auth::Auth;
use crate::error::Failure;
use crate::hub::Filter;
use crate::metrics::Metrics;
use crate::model::{Cursor, PetId};

/// The longest a poll waits; also when the request says nothing.
const WAIT_MAX_SECONDS: f64 = 25.0;

/// The parameters that all live routes take. Others are ignored.
pub struct LiveQuery {
    pub filter: Filter,
    pub since: Option<Cursor>,
    pub wait: Duration,
    /// The bad network that the viewer wants to see. None in `serve`, whatever it says.
    chaos: Option<Chaos>,
    /// Over what the page was live before, and why it is not any more; in its own words.
    switch: Option<(String, String)>,
    /// Whether it asks again and again, because nothing else works where it is.
    pub is_short: bool,
}

impl LiveQuery {
    /// # Errors
    /// 400 for a parameter that is not what it should be.
    pub fn of(request: &Request, auth: Auth) -> Result<Self, Failure> {
        let query = request.uri().query().unwrap_or_default();
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
            .map_err(|_| Failure::bad_request("The query is not in the form a=b&c=d."))?;
        let mut pets = Vec::new();
        let mut since = None;
        let mut wait = Duration::from_secs_f64(WAIT_MAX_SECONDS);
        let mut chaos = None;
        let (mut from, mut why) = (None, None);
        let mut is_short = false;
        for (name, value) in pairs {
            match name.as_str() {
                "pet" => pets.push(value.parse::<PetId>()?),
                "since" => since = Some(value.parse::<Cursor>()?),
                "wait" => wait = parse_wait(&value)?,
                "chaos" if auth == Auth::Demo => chaos = Some(Chaos::named(&value)?),
                "from" => from = Some(value),
                "why" => why = Some(value),
                "rung" => is_short = value == "short",
                _ => {}
            }
        }
        Ok(LiveQuery {
            filter: Filter::of(pets)?,
            since,
            wait,
            chaos,
            switch: from.zip(why),
            is_short,
        })
    }

    /// The same, for SSE: a browser that comes back by itself says where it is in
    /// `Last-Event-ID`, while `since` still says where it first began. The later one wins. A
    /// header that is no cursor counts as none: an `EventSource` that is refused never returns.
    pub fn of_sse(request: &Request, auth: Auth) -> Result<Self, Failure> {
        let mut query = LiveQuery::of(request, auth)?;
        query.since = later(query.since, last_event_id(request.headers()));
        Ok(query)
    }

    /// Counts that the page came to `transport` from another, if it says so.
    pub fn count_switch(&self, metrics: &Metrics, transport: &str) {
        if let Some((from, why)) = &self.switch {
            metrics.count_switch(from, transport, why);
        }
    }

    /// What the network that was asked for does to a connection over `transport`.
    ///
    /// # Errors
    /// 403 when it refuses it.
    pub fn trouble(&self, transport: Transport) -> Result<Option<Trouble>, Failure> {
        match self.chaos {
            None => Ok(None),
            Some(chaos) => chaos.trouble(transport),
        }
    }
}

fn last_event_id(headers: &HeaderMap) -> Option<Cursor> {
    let value = headers.get("last-event-id")?;
    value.to_str().ok()?.parse().ok()
}

/// The later of two cursors. Of two epochs the browser's own is the later: it got it from us
/// since the page was made.
fn later(since: Option<Cursor>, last_event: Option<Cursor>) -> Option<Cursor> {
    match (since, last_event) {
        (Some(since), Some(last)) if since.epoch == last.epoch && since.rev > last.rev => {
            Some(since)
        }
        (since, last) => last.or(since),
    }
}

fn parse_wait(text: &str) -> Result<Duration, Failure> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| *seconds >= 0.0);
    let seconds = seconds.ok_or_else(|| {
        Failure::bad_request("wait is a number of seconds from 0 to 25; more counts as 25.")
    })?;
    Ok(Duration::from_secs_f64(seconds.min(WAIT_MAX_SECONDS)))
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
    fn the_later_of_since_and_last_event_id_wins() {
        for (uri, header, expected) in [
            ("/?since=00000001-5", None, Some("00000001-5")),
            ("/?since=00000001-5", Some("00000001-9"), Some("00000001-9")),
            ("/?since=00000001-5", Some("00000001-3"), Some("00000001-5")),
            ("/?since=00000001-5", Some("00000002-3"), Some("00000002-3")),
            ("/?since=00000001-5", Some("rubbish"), Some("00000001-5")),
            ("/", Some("00000001-9"), Some("00000001-9")),
            ("/", None, None),
        ] {
            let query = LiveQuery::of_sse(&request(uri, header), Auth::Serve).unwrap();
            let since = query.since.map(|cursor| cursor.to_string());
            assert_eq!(since.as_deref(), expected, "{uri} {header:?}");
        }
    }

    #[test]
    fn a_wait_is_capped_and_a_bad_parameter_is_named() {
        let query = LiveQuery::of(
            &request("/?wait=3600&pet=2&pet=1&pet=2&x=y", None),
            Auth::Serve,
        )
        .unwrap();
        assert_eq!(query.wait, Duration::from_secs(25));
        assert_eq!(
            query.filter,
            Filter::of(vec![PetId::new(1), PetId::new(2)]).unwrap()
        );
        for (uri, words) in [
            ("/?wait=-1", "wait"),
            ("/?wait=NaN", "wait"),
            ("/?pet=x", "pet"),
            ("/?since=x", "cursor"),
        ] {
            let failure = LiveQuery::of(&request(uri, None), Auth::Serve)
                .err()
                .unwrap();
            assert_eq!(failure.status.as_u16(), 400);
            assert!(failure.detail.to_lowercase().contains(words), "{failure:?}");
        }
    }
}
