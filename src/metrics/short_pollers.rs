//! Estimates how many viewers ask for the state every few seconds (short polling).
//!
//! Such viewers leave no state on the server, and their addresses do not tell them apart: a whole
//! clinic may share one. The estimate is therefore their request rate over a sliding window.

use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The interval at which the page polls, in seconds.
const POLL_INTERVAL: u64 = 3;

/// Length of the window in seconds: several polls of each viewer, so that an early or late one
/// changes little.
pub const WINDOW_SECONDS: usize = 12;

/// Requests per second, for the seconds of the window. Cheap to clone; clones share the numbers.
#[derive(Clone)]
pub struct ShortPollers {
    started: Instant,
    seconds: Arc<Mutex<[RequestCount; WINDOW_SECONDS]>>,
}

#[derive(Clone, Copy, Default)]
struct RequestCount {
    second: u64,
    requests: u64,
}

impl ShortPollers {
    /// Starts with no requests.
    pub fn new() -> Self {
        ShortPollers {
            started: Instant::now(),
            seconds: Arc::default(),
        }
    }

    /// Counts a request now.
    pub fn count(&self) {
        self.count_at(self.started.elapsed().as_secs());
    }

    /// Returns the estimated number of viewers; a single request counts as one viewer.
    pub fn estimate(&self) -> u64 {
        self.estimate_at(self.started.elapsed().as_secs())
    }

    fn count_at(&self, now: u64) {
        let mut seconds = self.seconds.lock().expect("no holder of this lock panics");
        let count = &mut seconds[usize::try_from(now).unwrap_or(0) % WINDOW_SECONDS];
        if count.second != now {
            *count = RequestCount {
                second: now,
                requests: 0,
            };
        }
        count.requests += 1;
    }

    fn estimate_at(&self, now: u64) -> u64 {
        let window = WINDOW_SECONDS as u64;
        let seconds = self.seconds.lock().expect("no holder of this lock panics");
        let recent = seconds.iter().filter(|count| count.second + window > now);
        let requests: u64 = recent.map(|count| count.requests).sum();
        requests.div_ceil(window / POLL_INTERVAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_that_poll_every_three_seconds_are_counted_exactly() {
        let pollers = ShortPollers::new();
        for now in 0..60 {
            // Five viewers poll at the same time, two others each at another.
            let requests = if now % POLL_INTERVAL == 0 { 5 } else { 1 };
            (0..requests).for_each(|_| pollers.count_at(now));
            if now >= WINDOW_SECONDS as u64 {
                assert_eq!(pollers.estimate_at(now), 7, "at {now} s");
            }
        }
    }

    #[test]
    fn a_single_request_counts_as_a_viewer_until_the_window_has_passed() {
        let pollers = ShortPollers::new();
        assert_eq!(pollers.estimate_at(0), 0);
        pollers.count_at(100);
        assert_eq!(pollers.estimate_at(100), 1);
        assert_eq!(pollers.estimate_at(111), 1);
        assert_eq!(pollers.estimate_at(112), 0);
    }
}
