//! When viewers dial again: as long after `bye` as it asked, and after a failed attempt at a random time
//! whose limit doubles each time, as the page does.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// The first limit of the page's random delay.
const BACKOFF: Duration = Duration::from_millis(500);

/// A viewer that waits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Retry {
    due: Instant,
    /// The number of the viewer.
    pub viewer: usize,
    /// Failed attempts before this one.
    pub failed: u32,
}

/// The viewers that wait, by time.
#[derive(Default)]
pub struct Retries {
    waiting: BinaryHeap<Reverse<Retry>>,
    /// The longest wait that a `bye` asked for.
    pub longest_wait: Duration,
}

impl Retries {
    /// Lets a viewer wait as long as `bye` asked.
    pub fn after_bye(&mut self, viewer: usize, retry_ms: u64) {
        let wait = Duration::from_millis(retry_ms);
        self.longest_wait = self.longest_wait.max(wait);
        self.push(viewer, 0, wait);
    }

    /// Lets a viewer wait after it has failed this often.
    pub fn after_failure(&mut self, viewer: usize, failed: u32) {
        let limit = BACKOFF * 2_u32.pow(failed.min(6));
        self.push(viewer, failed, limit.mul_f64(rand::random()));
    }

    /// Returns a viewer whose time has come.
    pub fn next_due(&mut self) -> Option<Retry> {
        let Reverse(next) = self.waiting.peek()?;
        if next.due > Instant::now() {
            return None;
        }
        self.waiting.pop().map(|Reverse(retry)| retry)
    }

    fn push(&mut self, viewer: usize, failed: u32, wait: Duration) {
        let due = Instant::now() + wait;
        self.waiting.push(Reverse(Retry {
            due,
            viewer,
            failed,
        }));
    }
}
