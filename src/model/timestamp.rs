//! Points in time, to the microsecond, in UTC.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// Microseconds since the Unix epoch. Shown as RFC 3339 in UTC with six digits of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The start of 2020. A clock that shows an earlier time was never set.
    pub const EARLIEST: Timestamp = Timestamp(1_577_836_800_000_000);

    /// Says how a time is entered.
    pub const RFC_3339_MESSAGE: &str =
        "Use a time in RFC 3339 format, for example 2026-11-22T14:05:00Z.";

    /// Returns the time of the wall clock. Revs order changes, not times.
    pub fn now() -> Self {
        Timestamp(jiff::Timestamp::now().as_microsecond())
    }

    /// Wraps microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Timestamp(micros)
    }

    /// Parses a time in the form of RFC 3339. `from_str` also parses other forms of ISO 8601.
    pub fn from_rfc_3339(text: &str) -> Option<Self> {
        text.parse().ok().filter(|_| is_rfc_3339(text))
    }

    /// Returns microseconds since the Unix epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Returns the time that has passed since `earlier`; zero if `earlier` lies ahead, as it does after a
    /// clock was set back.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Returns the time `duration` later.
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_add(micros))
    }

    /// Returns the time this many minutes before.
    pub const fn minutes_before(self, minutes: u16) -> Self {
        Timestamp(self.0.saturating_sub(minutes as i64 * 60_000_000))
    }

    /// Returns RFC 3339 in UTC with three digits of a second, which is as many as HTML allows in `datetime`.
    pub fn datetime(self) -> String {
        format!("{:.3}", self.timestamp())
    }

    /// Returns true if the calendar covers the time: the years -9999 to 9999.
    pub fn is_in_calendar(self) -> bool {
        jiff::Timestamp::from_microsecond(self.0).is_ok()
    }

    /// Returns the time in jiff's type; the Unix epoch for a time that its calendar does not cover.
    pub(super) fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

/// Returns true if the text has the form of RFC 3339, `2026-11-22T14:05:00.5+01:00`. jiff also parses
/// other forms of ISO 8601 (`20261122T14Z`) and time zones in brackets.
fn is_rfc_3339(text: &str) -> bool {
    let is_like = |text: &str, form: &str| {
        let mut pairs = text.bytes().zip(form.bytes());
        text.len() == form.len()
            && pairs.all(|(byte, like)| match like {
                b'0' => byte.is_ascii_digit(),
                like => byte == like,
            })
    };
    let Some((seconds, rest)) = text.split_at_checked("0000-00-00T00:00:00".len()) else {
        return false;
    };
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|digit: char| digit.is_ascii_digit()),
        None => rest,
    };
    is_like(seconds, "0000-00-00T00:00:00")
        && !rest.starts_with(&format!(".{zone}"))
        && ["Z", "+00:00", "-00:00"]
            .iter()
            .any(|form| is_like(zone, form))
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.timestamp())
    }
}

/// Serialises as messages and the API write times: RFC 3339. Records write microseconds.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        Ok(Timestamp(text.parse::<jiff::Timestamp>()?.as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_with_six_digits_and_reads_back() {
        let moment = Timestamp::from_micros(1_700_000_000_000_000);
        assert_eq!(moment.to_string(), "2023-11-14T22:13:20.000000Z");
        assert_eq!(moment.to_string().parse::<Timestamp>().unwrap(), moment);
    }

    #[test]
    fn a_clock_that_was_set_back_gives_zero_and_not_a_huge_age() {
        let now = Timestamp::from_micros(10);
        assert_eq!(now.since(Timestamp::from_micros(20)), Duration::ZERO);
    }
}
