//! The address of a part of the log. Each has one spelling, so that all clients ask a cache for the same.

use std::fmt::{self, Display};
use std::time::Duration;

use crate::error::Failure;
use crate::hub::{Topic, TopicFilter};
use crate::model::{Cursor, PetId, Timestamp};

/// The path of the log.
pub const LOG_PATH: &str = "/live/log";

/// The longest wait, in seconds.
const WAIT_MAX: u64 = crate::live::WAIT_MAX.as_secs();

/// The wait in an address that continues from a state, in seconds.
const USUAL_WAIT: u64 = 20;

/// The same for a page that finds the server full: it notices silence as early as over other transports.
const PAGE_WAIT: u64 = 5;

/// The refusal of any other spelling.
const ONE_SPELLING: &str = "This address has one spelling, so that caches can share the answers: pet=ID (any \
     number of them, in ascending order, each once), then since=CURSOR, slice=NUMBER and wait=SECONDS (0 to 25), \
     for example /live/log?pet=2&pet=7&since=9f2c41aa-1042&slice=0&wait=20. Without since, slice and wait it \
     leads to the newest state. The next address is in the field next of every answer.";

/// The refusal of parameters that a state does not have.
const ONE_SPELLING_OF_STATES: &str = "The address of a state has no parameter but pet=ID, any number of them in ascending order, each once.";

/// The pets that the reader follows, in the order of the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPets {
    ids: Vec<PetId>,
    filter: TopicFilter,
}

/// The place in the log from which a reader continues, and how it waits for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPosition {
    /// The reader has everything up to here.
    pub since: Cursor,
    /// Number of a span of time, each as long as the wait, since 1970; 0 if the reader does not know it. A
    /// request is answered at the end of its span at the latest. So all that wait at one cursor soon ask for
    /// the same address, and an empty answer leads to an address that no cache can have.
    slice: u64,
    wait_seconds: u64,
}

/// The parameters of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogQuery {
    /// The pets.
    pub pets: LogPets,
    /// The position, or `None` for a reader that has nothing yet.
    pub position: Option<LogPosition>,
}

impl LogPets {
    /// Parses the query of a state's address.
    ///
    /// # Errors
    /// 400 for another spelling, or for too many pets.
    pub fn parse(query: Option<&str>) -> Result<Self, Failure> {
        let query = LogQuery::read(query).filter(|read| read.position.is_none());
        query.map_or_else(
            || Err(Failure::bad_request(ONE_SPELLING_OF_STATES)),
            |read| LogPets::new(read.ids),
        )
    }

    /// Returns the pets of a filter.
    pub fn from_filter(filter: TopicFilter) -> Self {
        let ids = match &filter {
            TopicFilter::All => Vec::new(),
            TopicFilter::Only(topics) => topics.iter().map(|topic| topic.pet()).collect(),
        };
        LogPets { ids, filter }
    }

    fn new(ids: Vec<PetId>) -> Result<Self, Failure> {
        let filter = TopicFilter::new(ids.iter().map(|id| Topic::from(*id)))?;
        Ok(LogPets { ids, filter })
    }

    /// Returns the filter for these pets.
    pub fn filter(&self) -> &TopicFilter {
        &self.filter
    }

    /// Returns the address of the state at `cursor`.
    pub fn state_address(&self, cursor: Cursor) -> String {
        let pets = parameters(&self.ids, None);
        format!("/live/state/{cursor}{pets}")
    }

    /// Returns the address that continues from the state at `cursor`.
    pub fn after_state(&self, cursor: Cursor) -> String {
        self.start_at(cursor, USUAL_WAIT)
    }

    /// Returns the address from which a page at `cursor` follows the log.
    pub fn for_page(&self, cursor: Cursor) -> String {
        self.start_at(cursor, PAGE_WAIT)
    }

    fn start_at(&self, since: Cursor, wait_seconds: u64) -> String {
        self.address(&LogPosition {
            since,
            slice: 0,
            wait_seconds,
        })
    }

    /// Returns the address of the log at `position`.
    pub fn address(&self, position: &LogPosition) -> String {
        format!("{LOG_PATH}{}", parameters(&self.ids, Some(position)))
    }
}

impl LogPosition {
    /// Returns the position of a reader that was sent changes up to `cursor`.
    pub fn after_changes(self, cursor: Cursor) -> Self {
        LogPosition {
            since: cursor,
            slice: 0,
            ..self
        }
    }

    /// Returns the position of a reader that is at `cursor` and was sent nothing. Its address is always
    /// another one: a cache that repeats an empty answer cannot hold a reader in a loop.
    pub fn after_nothing(self, cursor: Cursor, now: Timestamp) -> Self {
        LogPosition {
            since: cursor,
            slice: self.slice.max(self.current_slice(now)).saturating_add(1),
            ..self
        }
    }

    /// Returns true if the reader is to be answered immediately.
    pub fn is_immediate(&self) -> bool {
        self.wait_seconds == 0
    }

    /// Returns how long a request that arrives `now` waits: until its slice ends.
    pub fn wait(&self, now: Timestamp) -> Duration {
        let longest = Duration::from_secs(self.wait_seconds);
        if self.slice > self.current_slice(now) {
            return longest;
        }
        let since_1970 = now.since(Timestamp::from_micros(0)).as_micros();
        let passed = since_1970.checked_rem(longest.as_micros()).unwrap_or(0);
        longest.saturating_sub(Duration::from_micros(u64::try_from(passed).unwrap_or(0)))
    }

    /// Returns the slice of `now`. Slices of a reader that does not wait take a second.
    fn current_slice(&self, now: Timestamp) -> u64 {
        now.since(Timestamp::from_micros(0)).as_secs() / self.wait_seconds.max(1)
    }
}

impl LogQuery {
    /// Parses the query.
    ///
    /// # Errors
    /// 400 for another spelling, or for too many pets.
    pub fn parse(query: Option<&str>) -> Result<Self, Failure> {
        let read = LogQuery::read(query).ok_or_else(|| Failure::bad_request(ONE_SPELLING))?;
        Ok(LogQuery {
            pets: LogPets::new(read.ids)?,
            position: read.position,
        })
    }

    /// Reads the parameters, and returns `None` unless they are spelled exactly as in an address of the server.
    fn read(query: Option<&str>) -> Option<ReadQuery> {
        let Some(query) = query else {
            return Some(ReadQuery::default());
        };
        let mut read = ReadQuery::default();
        let (mut since, mut slice, mut wait) = (None, None, None);
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=')?;
            match name {
                "pet" => read.ids.push(value.parse().ok()?),
                "since" => since = Some(value.parse().ok()?),
                "slice" => slice = Some(value.parse().ok()?),
                "wait" => wait = Some(value.parse().ok().filter(|wait| *wait <= WAIT_MAX)?),
                _ => return None,
            }
        }
        if let (Some(since), Some(slice), Some(wait_seconds)) = (since, slice, wait) {
            read.position = Some(LogPosition {
                since,
                slice,
                wait_seconds,
            });
        }
        let is_ascending = read.ids.is_sorted_by(|one, next| one < next);
        let spelled = parameters(&read.ids, read.position.as_ref());
        let is_canonical = spelled.strip_prefix('?') == Some(query);
        (is_ascending && is_canonical).then_some(read)
    }
}

/// The parameters before the number of pets is checked.
#[derive(Default)]
struct ReadQuery {
    ids: Vec<PetId>,
    position: Option<LogPosition>,
}

/// Returns the query with its question mark; nothing if there are no parameters.
fn parameters(pets: &[PetId], position: Option<&LogPosition>) -> String {
    let mut pairs: Vec<String> = pets.iter().map(|pet| format!("pet={pet}")).collect();
    pairs.extend(position.map(LogPosition::to_string));
    if pairs.is_empty() {
        return String::new();
    }
    format!("?{}", pairs.join("&"))
}

impl Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LogPosition {
            since,
            slice,
            wait_seconds,
        } = self;
        write!(f, "since={since}&slice={slice}&wait={wait_seconds}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(query: &str) -> LogPosition {
        LogQuery::parse(Some(query)).unwrap().position.unwrap()
    }

    fn at(seconds: u64, ms: u64) -> Timestamp {
        Timestamp::from_micros(0).plus(Duration::from_millis(seconds * 1000 + ms))
    }

    #[test]
    fn every_address_has_one_spelling() {
        for query in [
            "since=00000001-5&slice=0&wait=20",
            "pet=2&pet=10&since=00000001-5&slice=88214901&wait=0",
            "pet=7",
        ] {
            let read = LogQuery::parse(Some(query)).unwrap();
            assert_eq!(
                parameters(&read.pets.ids, read.position.as_ref()),
                format!("?{query}")
            );
        }
        assert_eq!(LogQuery::parse(None).unwrap().position, None);
        for query in [
            "",
            "slice=0&since=00000001-5&wait=20",
            "since=00000001-5&slice=0&wait=20&pet=7",
            "pet=10&pet=2&since=00000001-5&slice=0&wait=20",
            "pet=2&pet=2&since=00000001-5&slice=0&wait=20",
            "pet=02&since=00000001-5&slice=0&wait=20",
            "pet=%32&since=00000001-5&slice=0&wait=20",
            "since=00000001-5&since=00000001-5&slice=0&wait=20",
            "since=00000001-5&slice=0",
            "since=00000001-5&slice=+1&wait=20",
            "since=00000001-5&slice=0&wait=26",
            "since=00000001-5&slice=0&wait=2.5",
            "since=00000001-5&slice=0&wait=20&nonce=1",
            "since=00000001-5&slice=0&wait=20&",
            "since=00000001-05&slice=0&wait=20",
        ] {
            let failure = LogQuery::parse(Some(query)).unwrap_err();
            assert_eq!(failure.status.as_u16(), 400);
            assert!(
                failure
                    .detail
                    .contains("since=CURSOR, slice=NUMBER and wait="),
                "{query}"
            );
        }
        assert!(LogPets::parse(Some("since=00000001-5&slice=0&wait=20")).is_err());
    }

    #[test]
    fn all_that_wait_at_one_cursor_are_answered_at_the_end_of_the_same_slice() {
        let newcomer = position("since=00000001-5&slice=0&wait=20");
        assert_eq!(newcomer.wait(at(1000, 0)), Duration::from_secs(20));
        assert_eq!(newcomer.wait(at(1007, 250)), Duration::from_millis(12_750));
        let next = newcomer.after_nothing(newcomer.since, at(1020, 1));
        assert_eq!(next.to_string(), "since=00000001-5&slice=52&wait=20");
        // Its slice has not begun, because the clock of another node is ahead.
        assert_eq!(next.wait(at(1030, 0)), Duration::from_secs(20));
        assert_eq!(next.wait(at(1050, 0)), Duration::from_secs(10));
        assert_eq!(
            position("since=00000001-5&slice=0&wait=0").wait(at(3, 1)),
            Duration::ZERO
        );
    }

    #[test]
    fn an_empty_answer_never_leads_to_an_address_that_was_asked_before() {
        for wait in [0, 1, 20] {
            let query = format!("since=00000001-5&slice=0&wait={wait}");
            let mut position = position(&query);
            // The clock is set back, and stands still.
            for seconds in [1000, 1020, 500, 500, 1021] {
                let next = position.after_nothing(position.since, at(seconds, 0));
                assert!(next.slice > position.slice);
                position = next;
            }
        }
        let last = position("since=00000001-5&slice=18446744073709551615&wait=20");
        assert_eq!(last.after_nothing(last.since, at(1, 0)).slice, u64::MAX);
    }
}
