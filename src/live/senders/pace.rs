//! When the next pass over the table starts.
//!
//! The first change after a quiet moment leaves at once. After that a pass starts no sooner than
//! the larger of 10 ms and twice the time that the last one took: under load, changes merge into
//! fewer writes, and half of the core is left for those who join.

use std::time::{Duration, Instant};

const SHORTEST: Duration = Duration::from_millis(10);

pub struct Pace {
    next: Instant,
}

impl Pace {
    pub fn new(now: Instant) -> Self {
        Pace { next: now }
    }

    /// How long to wait until a pass may start; zero when it may start now.
    pub fn wait(&self, now: Instant) -> Duration {
        self.next.saturating_duration_since(now)
    }

    /// A pass that started at `start` is over at `now`.
    pub fn passed(&mut self, start: Instant, now: Instant) {
        self.next = start + SHORTEST.max((now - start) * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pass_is_at_once_and_long_passes_leave_as_much_time_again() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert_eq!(pace.wait(start), Duration::ZERO);
        let ms = Duration::from_millis;
        pace.passed(start, start + ms(1));
        assert_eq!(pace.wait(start + ms(1)), ms(9));
        pace.passed(start, start + ms(40));
        assert_eq!(pace.wait(start + ms(40)), ms(40));
        assert_eq!(pace.wait(start + ms(200)), Duration::ZERO);
    }
}
