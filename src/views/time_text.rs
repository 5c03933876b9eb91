//! Times in words. The page's `time-text.js` keeps them true with the same ones.

use std::time::Duration;

use serde::Serialize;

use crate::model::Timestamp;

/// A time as every page shows it (`parts/time.html`). The text is in UTC and says so; the page's script
/// replaces it by the reader's own time.
#[derive(Serialize)]
pub struct TimeView {
    at: String,
    text: String,
}

impl TimeView {
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
        TimeView {
            at: at.to_string(),
            text: format!("{} UTC", at.text(now)),
        }
    }
}

/// How long something has lasted, in the largest unit that fits.
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
    fn a_duration_is_told_in_the_largest_unit_that_fits() {
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
