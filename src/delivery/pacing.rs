//! Decides when the next pass over the viewers starts.
//!
//! The first change after a quiet period is sent immediately. After that, passes start at an
//! interval of at least `--pace`, and at least twice the duration of the last pass, so that half of the
//! core remains for new viewers. When changes come much faster than passes, the interval is longer:
//! many changes in one write cost little more than one.

use std::time::{Duration, Instant};

/// Changes in one pass from which on the next one waits longer.
const MANY_CHANGES: usize = 4;

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

    /// Records a pass with that many changes that took from `start` until `now`.
    pub fn record_pass(&mut self, changes: usize, start: Instant, now: Instant) {
        let took = now - start;
        let interval = if changes < MANY_CHANGES {
            self.min_interval.max(took * 2)
        } else {
            self.min_interval.max(took) * 3
        };
        self.next = start + interval;
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
        pacing.record_pass(1, start, start + ms(1));
        assert_eq!(pacing.wait(start + ms(1)), ms(9));
        pacing.record_pass(3, start, start + ms(40));
        assert_eq!(pacing.wait(start + ms(40)), ms(40));
        assert_eq!(pacing.wait(start + ms(200)), Duration::ZERO);
    }

    #[test]
    fn many_changes_in_a_pass_make_the_next_interval_longer() {
        let start = Instant::now();
        let ms = Duration::from_millis;
        let mut pacing = Pacing::new(ms(10), start);
        pacing.record_pass(MANY_CHANGES, start, start + ms(1));
        assert_eq!(pacing.wait(start), ms(30));
        pacing.record_pass(MANY_CHANGES, start, start + ms(40));
        assert_eq!(pacing.wait(start), ms(120));
    }
}
