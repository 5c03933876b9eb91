//! Decides when the next pass over the viewers starts.
//!
//! The first change after a quiet period is sent immediately. After that, passes start at an
//! interval of at least `--pace`, and at least twice the duration of the last pass: under load,
//! changes merge into fewer writes, and half of the core remains for new viewers.

use std::time::{Duration, Instant};

/// When the next pass may start.
pub struct Pacing {
    min_interval: Duration,
    next: Instant,
}

impl Pacing {
    /// Allows the first pass immediately, and the next one after `min_interval` at the earliest.
    pub fn new(min_interval: Duration, now: Instant) -> Self {
        Pacing {
            min_interval,
            next: now,
        }
    }

    /// Returns how long to wait until a pass may start.
    pub fn wait(&self, now: Instant) -> Duration {
        self.next.saturating_duration_since(now)
    }

    /// Records a pass that took from `start` until `now`.
    pub fn record_pass(&mut self, start: Instant, now: Instant) {
        self.next = start + self.min_interval.max((now - start) * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pass_starts_immediately_and_a_long_pass_is_followed_by_an_equal_pause() {
        let start = Instant::now();
        let ms = Duration::from_millis;
        let mut pacing = Pacing::new(ms(10), start);
        assert_eq!(pacing.wait(start), Duration::ZERO);
        pacing.record_pass(start, start + ms(1));
        assert_eq!(pacing.wait(start + ms(1)), ms(9));
        pacing.record_pass(start, start + ms(40));
        assert_eq!(pacing.wait(start + ms(40)), ms(40));
        assert_eq!(pacing.wait(start + ms(200)), Duration::ZERO);
    }
}
