//! Times as text. `time-text.js` keeps them current in the browser, with the same words.

use std::time::Duration;

use serde::Serialize;

use crate::model::{Activities, LocalTime, Rescue, Timestamp};

/// The present, and how pages of the rescue write times and statuses.
pub struct Now {
    /// The present.
    pub at: Timestamp,
    /// How times are written.
    pub local: LocalTime,
    /// Time after which a status is old; `None` for never.
    status_age: Option<Duration>,
    /// The rescue's own activities, with their names.
    pub activities: Activities,
}

impl Now {
    /// The present on pages of `rescue`.
    pub fn new(rescue: &Rescue) -> Self {
        Now {
            at: Timestamp::now(),
            local: rescue.local_time(),
            status_age: rescue.status_age(),
            activities: rescue.activities.clone(),
        }
    }

    /// Returns hour and minute of the present.
    pub fn clock(&self) -> String {
        self.local.clock(self.at)
    }

    /// Returns true if a status that began at `since` is old.
    pub fn is_old(&self, since: Timestamp) -> bool {
        self.status_age
            .is_some_and(|age| self.at.since(since) >= age)
    }

    /// Returns hour and minute of `at`, with the day if it is not today.
    pub fn text(&self, at: Timestamp) -> String {
        self.local.text(at, self.at)
    }
}

/// A time as every page shows it (`parts/time.html`). The page's script replaces it by the reader's local
/// time, unless the rescue has set a time zone.
#[derive(Serialize)]
pub struct TimeView {
    at: String,
    text: String,
}

impl TimeView {
    /// Formats `at` as seen from `now`.
    pub fn new(at: Timestamp, now: &Now) -> Self {
        TimeView {
            at: at.datetime(),
            text: now.text(at),
        }
    }
}

/// Formats a duration in the largest unit that fits.
pub fn ago(duration: Duration) -> String {
    let minutes = duration.as_secs() / 60;
    match minutes {
        0 => "just now".to_owned(),
        1..60 => format!("{minutes} min"),
        60..1440 => format!("{} h", minutes / 60),
        _ => format!("{} d", minutes / 1440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_formatted_in_the_largest_unit_that_fits() {
        for (seconds, words) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 min"),
            (3599, "59 min"),
            (3600, "1 h"),
            (86_399, "23 h"),
            (86_400, "1 d"),
            (864_000, "10 d"),
        ] {
            assert_eq!(ago(Duration::from_secs(seconds)), words);
        }
    }
}
