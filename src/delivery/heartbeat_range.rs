//! The intervals of heartbeats between which a viewer may choose.

use std::time::Duration;

/// The bounds of a viewer's heartbeat.
#[derive(Clone, Copy, Debug)]
pub struct HeartbeatRange {
    shortest: Duration,
    longest: Duration,
}

impl HeartbeatRange {
    /// Creates the range up to `longest`, which is also what a viewer gets that does not choose. A
    /// `shortest` above it counts as `longest`.
    pub fn new(shortest: Duration, longest: Duration) -> Self {
        HeartbeatRange {
            shortest: shortest.min(longest),
            longest,
        }
    }

    /// Returns the longest interval.
    pub fn longest(self) -> Duration {
        self.longest
    }

    /// Returns the interval in the range that is closest to the wish.
    pub fn choose(self, wish: Option<Duration>) -> Duration {
        let wish = wish.unwrap_or(self.longest);
        wish.clamp(self.shortest, self.longest)
    }
}

/// Returns the whole milliseconds, as messages name them.
pub fn whole_ms(interval: Duration) -> u64 {
    u64::try_from(interval.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_limited_to_the_range_and_the_default_is_the_longest() {
        let [two, five, hour] = [2, 5, 3600].map(Duration::from_secs);
        let range = HeartbeatRange::new(two, five);
        for (wish, expected) in [
            (None, five),
            (Some(Duration::ZERO), two),
            (Some(Duration::from_secs(3)), Duration::from_secs(3)),
            (Some(hour), five),
        ] {
            assert_eq!(range.choose(wish), expected, "{wish:?}");
        }
        assert_eq!(HeartbeatRange::new(hour, five).choose(Some(two)), five);
    }
}
