//! Limits how many requests for the log wait, and says when the others ask again.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use prometheus::IntGauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests that wait at the same time. Behind a cache there is one for each set of pets that somebody follows.
/// Each keeps its request in memory, 66 KB.
const MAX_WAITING: usize = 1000;

/// Requests per second beyond them that are answered without a wait: about a twentieth of a core.
const EARLY_PER_SECOND: u32 = 1000;

/// Bounds of the time after which such a reader asks again. "Every few seconds" holds for 30,000 readers without
/// a cache.
const RETRY_MIN: Duration = Duration::from_secs(2);
const RETRY_MAX: Duration = Duration::from_secs(30);

/// The requests that wait, and the rate of those that did not.
pub struct LogWaits {
    free: Arc<Semaphore>,
    early: Mutex<EarlyAnswers>,
}

/// The permit of a request that waits. Returned when dropped.
pub struct LogPermit {
    _permit: OwnedSemaphorePermit,
    waiting: IntGauge,
}

/// Requests that were answered without a wait in the current second.
struct EarlyAnswers {
    since: Instant,
    count: u32,
    /// Time after which their readers ask again.
    retry: Duration,
}

impl Default for LogWaits {
    fn default() -> Self {
        LogWaits {
            free: Arc::new(Semaphore::new(MAX_WAITING)),
            early: Mutex::new(EarlyAnswers {
                since: Instant::now(),
                count: 0,
                retry: RETRY_MIN,
            }),
        }
    }
}

impl LogWaits {
    /// Returns the permit of a request that may wait, and counts it in `waiting`.
    ///
    /// # Errors
    /// The time after which the reader asks again, if as many wait as may.
    pub fn try_wait(&self, waiting: &IntGauge) -> Result<LogPermit, Duration> {
        let permit = Arc::clone(&self.free).try_acquire_owned();
        let permit = permit.map_err(|_| self.count_early(Instant::now()))?;
        waiting.inc();
        Ok(LogPermit {
            _permit: permit,
            waiting: waiting.clone(),
        })
    }

    /// Counts a request that does not wait. Returns a time that keeps the rate of such requests at the limit.
    fn count_early(&self, now: Instant) -> Duration {
        let mut early = self.early.lock().expect("no holder of this lock panics");
        let passed = now.duration_since(early.since);
        if passed >= Duration::from_secs(1) {
            // As many readers ask in this time as have it between two requests.
            let readers = f64::from(early.count) / passed.as_secs_f64() * early.retry.as_secs_f64();
            let retry = Duration::from_secs_f64(readers / f64::from(EARLY_PER_SECOND));
            *early = EarlyAnswers {
                since: now,
                count: 0,
                retry: retry.clamp(RETRY_MIN, RETRY_MAX),
            };
        }
        early.count += 1;
        early.retry
    }
}

impl Drop for LogPermit {
    fn drop(&mut self) {
        self.waiting.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_without_a_place_to_wait_ask_no_more_often_than_the_limit() {
        let waits = LogWaits::default();
        let mut now = Instant::now();
        for (readers, expected) in [(500, 2), (8000, 8), (1_000_000, 30), (10, 2)] {
            let mut retry = Duration::ZERO;
            for _ in 0..30 {
                let told = waits.early.lock().unwrap().retry;
                let asked = f64::from(readers) / told.as_secs_f64();
                for _ in 0..asked as u32 {
                    retry = waits.count_early(now);
                }
                now += Duration::from_secs(1);
                retry = retry.max(waits.count_early(now));
            }
            assert_eq!(retry.as_secs_f64().round() as u64, expected, "{readers}");
        }
    }

    #[test]
    fn as_many_requests_wait_as_may() {
        let waits = LogWaits::default();
        let gauge = IntGauge::new("waiting", "waiting").unwrap();
        let wait = || waits.try_wait(&gauge);
        let waiting: Vec<_> = (0..MAX_WAITING).map(|_| wait().unwrap()).collect();
        assert_eq!(gauge.get(), 1000);
        assert_eq!(wait().err(), Some(RETRY_MIN));
        drop(waiting);
        assert!(wait().is_ok());
        assert_eq!(gauge.get(), 0);
    }
}
