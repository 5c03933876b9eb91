//! An outage of the store: the answer to commands meanwhile, the time of the next retry, and the
//! log lines about it.

use std::time::{Duration, Instant};

use super::command::WriteError;
use crate::clock::backoff;
use crate::store::StoreError;

/// The pause after the first retry that fails; the first retry is immediate.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause: writing works again this long after the disk does, at most.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// The longest pause for an engine that does not respond: checking its local state is cheap.
const MAX_UNAVAILABLE_PAUSE: Duration = Duration::from_millis(200);

/// An outage that begins this soon after the last logged one is not logged: a disk that is nearly
/// full must not be filled up by the log.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

/// An outage that lasts this long is always logged.
const LOGGED_AFTER: Duration = Duration::from_secs(1);

/// The time from a failure of the store until writing works again.
#[derive(Debug)]
pub struct Outage {
    began: Instant,
    failures: u32,
    next_attempt: Instant,
    answer: WriteError,
    refused: u64,
    is_logged: bool,
}

/// Limits how often the beginning of an outage is logged.
#[derive(Debug, Default)]
pub struct OutageLog {
    last_logged: Option<Instant>,
}

impl OutageLog {
    /// Begins an outage with `error`, and logs it unless another one has just been logged.
    pub fn begin(&mut self, error: &StoreError, now: Instant) -> Outage {
        let is_recent = |logged: Instant| now.duration_since(logged) < LOG_INTERVAL;
        let is_logged = !self.last_logged.is_some_and(is_recent);
        if is_logged {
            self.last_logged = Some(now);
            log_begin(error);
        }
        Outage {
            began: now,
            failures: 0,
            next_attempt: now,
            answer: WriteError::during_outage(error),
            refused: 0,
            is_logged,
        }
    }
}

fn log_begin(error: &StoreError) {
    tracing::error!(%error, "the store cannot be written; changes are refused until a retry succeeds");
}

impl Outage {
    /// Returns when the store is to be tried again.
    pub fn next_attempt(&self) -> Instant {
        self.next_attempt
    }

    /// Counts `count` refused changes, and returns the answer to their commands.
    pub fn refuse(&mut self, count: usize) -> WriteError {
        self.refused += count as u64;
        self.answer.clone()
    }

    /// Schedules the next retry with back-off, after one that failed with `error`.
    pub fn failed_again(&mut self, error: &StoreError, now: Instant) {
        tracing::debug!(%error, outage.retries = self.failures, "the store still refuses writes");
        if let StoreError::LostChanges { .. } = error
            && self.failures == 0
        {
            tracing::error!(%error, "the disk lost changes that it had confirmed");
        }
        if !self.is_logged && now.duration_since(self.began) >= LOGGED_AFTER {
            self.is_logged = true;
            log_begin(error);
        }
        self.failures += 1;
        let max = match error {
            StoreError::Unavailable(_) => MAX_UNAVAILABLE_PAUSE,
            _ => MAX_PAUSE,
        };
        self.next_attempt = now + backoff(FIRST_PAUSE, max, self.failures);
        self.answer = WriteError::during_outage(error);
    }

    /// Logs the end of the outage.
    pub fn end(&self, now: Instant) {
        let duration_ms = now.duration_since(self.began).as_millis();
        let refused = self.refused;
        if self.is_logged {
            tracing::info!(
                outage.duration_ms = %duration_ms,
                outage.refused_changes = refused,
                "changes can be written again"
            );
        } else {
            tracing::debug!(
                outage.duration_ms = %duration_ms,
                outage.refused_changes = refused,
                "changes can be written again"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_is_retried_immediately_and_then_with_back_off_up_to_ten_seconds() {
        let start = Instant::now();
        let error = StoreError::Full("no room".to_owned());
        let mut outage = OutageLog::default().begin(&error, start);
        assert_eq!(outage.next_attempt(), start);
        let mut pauses = Vec::new();
        for _ in 0..40 {
            let now = outage.next_attempt();
            outage.failed_again(&error, now);
            pauses.push(outage.next_attempt() - now);
        }
        assert_eq!(pauses[..3], [250, 500, 1000].map(Duration::from_millis));
        assert!(pauses.is_sorted());
        assert_eq!(pauses.last(), Some(&MAX_PAUSE));
    }

    #[test]
    fn a_full_disk_and_a_broken_one_have_different_answers() {
        let start = Instant::now();
        let full = StoreError::Full("no room".to_owned());
        let broken = StoreError::Write("I/O error".to_owned());
        let mut outage = OutageLog::default().begin(&broken, start);
        assert_eq!(outage.answer, WriteError::Store);
        outage.failed_again(&full, start);
        assert_eq!(outage.answer, WriteError::Full);
    }

    /// A disk on the edge of full, and a simulator that never stops, wrote a line per change.
    #[test]
    fn outages_in_quick_succession_are_logged_once() {
        let start = Instant::now();
        let error = StoreError::Full("no room".to_owned());
        let mut log = OutageLog::default();
        let seconds = |seconds| start + Duration::from_secs(seconds);
        let logged = [0, 1, 30, 59, 61, 62, 200].map(|at| log.begin(&error, seconds(at)).is_logged);
        assert_eq!(logged, [true, false, false, false, true, false, true]);
    }

    /// The second outage within a minute was not logged, however long it lasted.
    #[test]
    fn a_long_outage_is_logged_even_if_it_follows_another() {
        let start = Instant::now();
        let error = StoreError::Unavailable("no leader".to_owned());
        let mut log = OutageLog::default();
        log.begin(&error, start);
        let began = start + Duration::from_secs(2);
        let mut outage = log.begin(&error, began);
        outage.failed_again(&error, began + LOGGED_AFTER / 2);
        assert!(!outage.is_logged);
        outage.failed_again(&error, began + LOGGED_AFTER);
        assert!(outage.is_logged);
    }
}
