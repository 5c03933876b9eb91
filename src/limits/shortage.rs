//! Remembers for a moment that connections, or the file descriptors for them, ran short.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a shortage counts after it was noticed last. Until then, responses close their connections and no
/// viewer is admitted, so that pages and the log have connections again.
const LASTS: Duration = Duration::from_secs(1);

/// The last shortage of connections.
pub struct ConnectionShortage {
    created: Instant,
    /// Milliseconds from `created` to the end of the shortage; 0 if there was none.
    end_ms: AtomicU64,
}

impl Default for ConnectionShortage {
    fn default() -> Self {
        ConnectionShortage {
            created: Instant::now(),
            end_ms: AtomicU64::new(0),
        }
    }
}

impl ConnectionShortage {
    /// Records a shortage.
    pub fn report(&self, now: Instant) {
        self.end_ms.store(self.ms(now + LASTS), Ordering::Relaxed);
    }

    /// Returns true for a moment after a shortage.
    pub fn is_short(&self, now: Instant) -> bool {
        self.ms(now) < self.end_ms.load(Ordering::Relaxed)
    }

    fn ms(&self, time: Instant) -> u64 {
        let passed = time.saturating_duration_since(self.created).as_millis();
        u64::try_from(passed).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_ends_a_moment_after_it_was_reported_last() {
        let shortage = ConnectionShortage::default();
        let begin = shortage.created + Duration::from_mins(1);
        assert!(!shortage.is_short(begin));
        shortage.report(begin);
        assert!(shortage.is_short(begin + LASTS / 2));
        shortage.report(begin + LASTS / 2);
        assert!(shortage.is_short(begin + LASTS));
        assert!(!shortage.is_short(begin + LASTS * 2));
    }
}
