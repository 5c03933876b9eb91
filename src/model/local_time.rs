//! Times of day as pages write them: in the time zone of the rescue, and by its clock.

use std::fmt::Display;
use std::sync::LazyLock;
use std::time::Duration;

use jiff::Zoned;
use jiff::civil::Time;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::Timestamp;

/// Within this time a weekday is unambiguous.
const SIX_DAYS: Duration = Duration::from_hours(6 * 24);

/// Time of day without a day that is understood as one of the past: at midnight, 23:50 was ten minutes ago, but at noon,
/// 12:10 is a mistake.
const HALF_A_DAY: Duration = Duration::from_hours(12);

/// Regions of the time zones that are offered. The other names are aliases and offsets.
const REGIONS: [&str; 10] = [
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
];

/// The time zone and the clock with which times are written.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalTime {
    /// `None` for UTC, which is then named after each time.
    zone: Option<TimeZone>,
    is_12_hour: bool,
}

impl LocalTime {
    /// The time zone of this IANA name; UTC for a name that is not known.
    pub fn new(zone: &str, is_12_hour: bool) -> Self {
        LocalTime {
            zone: find(zone),
            is_12_hour,
        }
    }

    /// Returns hour and minute: `14:05`, or `2:05 pm`.
    pub fn clock(&self, at: Timestamp) -> String {
        self.format(at, self.clock_format())
    }

    /// Returns hour and minute without the time zone, for a table that names the zone once.
    pub fn hour_and_minute(&self, at: Timestamp) -> String {
        self.zoned(at).strftime(self.clock_format()).to_string()
    }

    /// Returns hour and minute, with the day if it is not that of `now`: `14:05`, `yesterday 14:05`,
    /// `Tue 14:05`, `3 Nov 14:05` if the weekday would be ambiguous, `3 Nov 2025 14:05`.
    pub fn text(&self, at: Timestamp, now: Timestamp) -> String {
        let (then, today) = (self.zoned(at), self.zoned(now));
        let day = if then.date() == today.date() {
            ""
        } else if then.date().tomorrow().ok() == Some(today.date()) {
            "yesterday "
        } else if at < now && now.since(at) < SIX_DAYS {
            "%a "
        } else if then.year() == today.year() {
            "%-d %b "
        } else {
            "%-d %b %Y "
        };
        self.format(at, &format!("{day}{}", self.clock_format()))
    }

    /// Returns the last time at which the clock showed `clock`, such as `14:05`, within the 12 hours before `now`;
    /// `None` for other text, and for a time that is still to come today.
    pub fn last_time(&self, clock: &str, now: Timestamp) -> Option<Timestamp> {
        let time: Time = clock.parse().ok()?;
        let today = self.zoned(now).date();
        let days = [Some(today), today.yesterday().ok()].into_iter().flatten();
        let times = days.filter_map(|day| day.to_datetime(time).to_zoned(self.time_zone()).ok());
        let mut times =
            times.map(|zoned| Timestamp::from_micros(zoned.timestamp().as_microsecond()));
        times.find(|at| *at <= now && now.since(*at) <= HALF_A_DAY)
    }

    /// Returns the hour of `at` without the time zone, for a scale of hours: `06:00`, or `6 am`. `None` unless a
    /// quarter of the day begins then.
    pub fn quarter(&self, at: Timestamp) -> Option<String> {
        let zoned = self.zoned(at);
        let is_quarter = zoned.hour() % 6 == 0 && zoned.minute() == 0;
        let format = if self.is_12_hour { "%-I %P" } else { "%H:%M" };
        is_quarter.then(|| zoned.strftime(format).to_string())
    }

    /// Returns true if the clock shows a full hour at `at`.
    pub fn is_full_hour(&self, at: Timestamp) -> bool {
        self.zoned(at).minute() == 0
    }

    /// Returns the time zone; UTC unless the rescue has set one.
    pub fn time_zone(&self) -> TimeZone {
        self.zone.clone().unwrap_or(TimeZone::UTC)
    }

    /// Returns the name of the time zone; `None` if the rescue has not set one, which means UTC.
    pub fn zone_name(&self) -> Option<&str> {
        self.zone.as_ref()?.iana_name()
    }

    const fn clock_format(&self) -> &'static str {
        if self.is_12_hour {
            "%-I:%M %P"
        } else {
            "%H:%M"
        }
    }

    fn format(&self, at: Timestamp, format: &str) -> String {
        let zoned = self.zoned(at);
        let text: &dyn Display = &zoned.strftime(format);
        match &self.zone {
            Some(_) => text.to_string(),
            None => format!("{text} UTC"),
        }
    }

    fn zoned(&self, at: Timestamp) -> Zoned {
        at.timestamp().to_zoned(self.time_zone())
    }
}

/// Returns the names of the time zones that people choose from, sorted.
pub fn time_zones() -> &'static [String] {
    static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let built_in = TimeZoneDatabase::bundled();
        let names = built_in.available().map(|name| name.to_string());
        let mut names: Vec<String> = names.filter(|name| region(name).is_some()).collect();
        names.sort_unstable();
        names
    });
    &NAMES
}

fn region(name: &str) -> Option<&str> {
    let (region, _) = name.split_once('/')?;
    REGIONS.contains(&region).then_some(region)
}

/// Returns true if the time zone of this name can be chosen.
pub fn is_time_zone(name: &str) -> bool {
    let found = time_zones().binary_search_by(|zone| zone.as_str().cmp(name));
    found.is_ok()
}

/// Finds a time zone in the machine's database, which is kept current, or else in the built-in one: the
/// machine may have none.
fn find(name: &str) -> Option<TimeZone> {
    let found = jiff::tz::db().get(name);
    found
        .or_else(|_| TimeZoneDatabase::bundled().get(name))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_has_its_day_unless_that_is_today() {
        let utc = LocalTime::new("", false);
        for (now, text) in [
            ("2023-11-14T23:59:59Z", "22:13 UTC"),
            ("2023-11-15T00:00:00Z", "yesterday 22:13 UTC"),
            ("2023-11-15T23:59:59Z", "yesterday 22:13 UTC"),
            ("2023-11-16T00:00:00Z", "Tue 22:13 UTC"),
            ("2023-11-20T22:13:19Z", "Tue 22:13 UTC"),
            ("2023-11-20T22:13:20Z", "14 Nov 22:13 UTC"),
            ("2024-01-01T00:00:00Z", "14 Nov 2023 22:13 UTC"),
            ("2023-11-13T22:13:20Z", "14 Nov 22:13 UTC"),
        ] {
            assert_eq!(utc.text(at("2023-11-14T22:13:20Z"), at(now)), text, "{now}");
        }
    }

    /// Also over a change of daylight saving time, and in zones whose offset is no whole hour.
    #[test]
    fn times_and_days_are_those_of_the_zone_and_its_clock() {
        for (zone, is_12_hour, now, text) in [
            ("Europe/Berlin", false, "2026-03-29T00:59:00Z", "01:59"),
            ("Europe/Berlin", false, "2026-03-29T01:00:00Z", "03:00"),
            ("America/New_York", true, "2026-07-01T16:05:00Z", "12:05 pm"),
            ("America/New_York", true, "2026-07-01T04:05:00Z", "12:05 am"),
            ("Asia/Kathmandu", false, "2026-01-01T00:00:00Z", "05:45"),
        ] {
            let local = LocalTime::new(zone, is_12_hour);
            assert_eq!(local.clock(at(now)), text);
            assert_eq!(local.text(at(now), at(now)), text);
        }
        let auckland = LocalTime::new("Pacific/Auckland", false);
        let (evening, noon) = (at("2026-11-28T10:30:00Z"), at("2026-11-28T12:00:00Z"));
        assert_eq!(
            auckland.text(evening, noon),
            "yesterday 23:30",
            "over there"
        );
    }

    #[test]
    fn a_time_of_day_is_the_last_one_of_the_past_12_hours() {
        let berlin = LocalTime::new("Europe/Berlin", true);
        for (clock, now, time) in [
            ("14:05", "2026-11-27T13:05:59Z", "2026-11-27T13:05:00Z"),
            ("02:06", "2026-11-27T13:05:59Z", "2026-11-27T01:06:00Z"),
            ("23:50", "2026-11-26T23:10:00Z", "2026-11-26T22:50:00Z"),
            // The clock shows 02:30 twice, or never.
            ("02:30", "2026-10-25T02:00:00Z", "2026-10-25T00:30:00Z"),
            ("02:30", "2026-03-29T02:00:00Z", "2026-03-29T01:30:00Z"),
        ] {
            assert_eq!(
                berlin.last_time(clock, at(now)),
                Some(at(time)),
                "{clock} {now}"
            );
        }
        for clock in [
            "",
            "14:06",
            "02:05",
            "25:00",
            "soon",
            "2026-11-27T13:00:00Z",
        ] {
            let now = at("2026-11-27T13:05:59Z");
            assert_eq!(berlin.last_time(clock, now), None, "{clock}");
        }
    }

    #[test]
    fn a_scale_has_the_quarters_of_the_day() {
        let berlin = |is_12_hour| LocalTime::new("Europe/Berlin", is_12_hour);
        let noon = at("2026-11-27T11:00:00Z");
        assert_eq!(berlin(false).quarter(noon).as_deref(), Some("12:00"));
        assert_eq!(berlin(true).quarter(noon).as_deref(), Some("12 pm"));
        for other in ["2026-11-27T12:00:00Z", "2026-11-27T11:30:00Z"] {
            assert_eq!(berlin(false).quarter(at(other)), None, "{other}");
        }
    }

    #[test]
    fn every_zone_that_is_offered_is_known_without_the_machines_database() {
        let built_in = TimeZoneDatabase::bundled();
        assert!(time_zones().len() > 300);
        assert!(time_zones().contains(&"Europe/Berlin".to_owned()));
        for name in time_zones() {
            assert!(built_in.get(name).is_ok() && is_time_zone(name), "{name}");
            assert!(find(name).is_some(), "{name}");
        }
        for name in [
            "",
            "Europe",
            "Europe/Atlantis",
            "../../etc/passwd",
            "/etc/passwd",
        ] {
            assert!(!is_time_zone(name), "{name}");
        }
    }
}
