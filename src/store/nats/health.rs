//! The health of the engine as this node sees it: whether it answers, how long the board has been out
//! of date, and how far the clocks differ.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::client::{NatsClient, unavailable};
use crate::model::Timestamp;
use crate::store::{Following, StoreError};

/// Time without an answer after which nothing is written any more.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(4);

/// Time without an answer after which the metrics show the engine as not writable. Writes are not
/// refused yet: a server under load may be that slow.
const RESPONSIVE_TIMEOUT: Duration = Duration::from_millis(900);

/// Time without an answer after which viewers are notified that the board may be out of date.
const STALE_AFTER: Duration = Duration::from_secs(5);

/// Difference of the clocks that is logged.
const LOGGED_DIFFERENCE_MS: u64 = 5_000;

/// A circuit breaker in front of the engine: it opens after a failure or without answers, and closes
/// when a later request is answered.
pub struct EngineHealth {
    client: NatsClient,
    state: watch::Sender<HealthState>,
    /// Notified when the engine becomes suspect, so that a request is sent to it immediately.
    pub suspected: Notify,
}

#[derive(Clone, Copy)]
struct HealthState {
    /// When the last answered request was sent; `None` while the engine is suspect.
    answered: Option<Instant>,
    /// The last failure. An answer to an earlier request proves nothing.
    failed: Option<Instant>,
    /// When the write was sent whose outcome is not known yet.
    writing_since: Option<Instant>,
}

impl EngineHealth {
    /// Creates the health of an engine that has just answered over `client`.
    pub fn new(client: NatsClient) -> Self {
        EngineHealth {
            client,
            state: watch::Sender::new(HealthState {
                answered: Some(Instant::now()),
                failed: None,
                writing_since: None,
            }),
            suspected: Notify::new(),
        }
    }

    /// Records that the engine answered a request sent at `sent`, and that this node has caught up
    /// with it.
    pub fn record_answer(&self, sent: Instant) {
        self.state.send_modify(|state| {
            if state.failed.is_none_or(|failed| failed < sent) {
                state.answered = state.answered.max(Some(sent));
            }
        });
    }

    /// Marks the engine as suspect after a failure, or an answer that contradicts changes
    /// that this node has applied.
    /// Nothing is written until the engine has answered a request that is sent from now on.
    pub fn mark_suspect(&self) {
        self.state.send_modify(|state| {
            state.answered = None;
            state.failed = Some(Instant::now());
        });
        self.suspected.notify_one();
    }

    /// Records that a write was sent, or, with `None`, that its outcome is known.
    pub fn set_writing(&self, since: Option<Instant>) {
        self.state.send_modify(|state| state.writing_since = since);
    }

    /// Waits until the engine has answered a request that was sent after `sent`.
    pub async fn wait_for_answer_after(&self, sent: Instant) {
        let mut state = self.state.subscribe();
        // Fails only when the node has ended, and the caller with it.
        let _ = state
            .wait_for(|state| state.answered.is_some_and(|answered| answered > sent))
            .await;
    }

    /// Returns true if the engine answers.
    pub fn is_healthy(&self) -> bool {
        self.has_answered_within(ANSWER_TIMEOUT)
    }

    /// Returns true if the engine answers requests and writes without delay.
    pub fn is_responsive(&self) -> bool {
        let writing_since = self.state.borrow().writing_since;
        self.has_answered_within(RESPONSIVE_TIMEOUT)
            && writing_since.is_none_or(|since| since.elapsed() < RESPONSIVE_TIMEOUT)
    }

    fn has_answered_within(&self, limit: Duration) -> bool {
        let answered = self.state.borrow().answered;
        self.client.is_connected() && answered.is_some_and(|answered| answered.elapsed() < limit)
    }

    /// Checks that the engine answers.
    ///
    /// # Errors
    /// `Unavailable` if it does not, or if this node has not caught up with it.
    pub fn check(&self) -> Result<(), StoreError> {
        if self.is_healthy() {
            Ok(())
        } else {
            Err(unavailable("it does not answer"))
        }
    }

    /// Checks that the engine answers and that its server is new enough to be written to.
    ///
    /// # Errors
    /// `Unavailable`; nothing was sent yet, so nothing was written.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        self.check()?;
        let checked = self.client.check_version().await;
        checked.map_err(|error| {
            // Otherwise the outage that begins now would seem to end immediately.
            self.mark_suspect();
            unavailable(error)
        })
    }
}

/// How long this node's copy of the stream has been out of date, and whether viewers were notified.
pub struct Staleness {
    current_at: Instant,
    current_at_time: Timestamp,
    is_reported: bool,
    cause: Option<String>,
}

impl Staleness {
    /// Creates the staleness of a copy that is current now.
    pub fn new() -> Self {
        Staleness {
            current_at: Instant::now(),
            current_at_time: Timestamp::now(),
            is_reported: false,
            cause: None,
        }
    }

    /// Records that the copy holds everything that the engine had `age` ago.
    pub fn set_current(&mut self, age: Duration) {
        self.current_at = Instant::now().checked_sub(age).unwrap_or(self.current_at);
        let age_micros = i64::try_from(age.as_micros()).unwrap_or_default();
        self.current_at_time = Timestamp::from_micros(Timestamp::now().micros() - age_micros);
    }

    /// Sets the error of the last request, if it failed.
    pub fn set_cause(&mut self, error: Option<&StoreError>) {
        self.cause = error.map(StoreError::to_string);
    }

    /// Returns the time at which viewers must be notified.
    pub fn deadline(&self) -> Instant {
        self.current_at + STALE_AFTER
    }

    /// Tells the follower when the copy becomes stale, and when it is current again.
    pub fn report(&mut self, following: &Following) {
        let is_stale = self.current_at.elapsed() >= STALE_AFTER;
        if is_stale == self.is_reported {
            return;
        }
        self.is_reported = is_stale;
        if is_stale {
            let cause = self.cause.as_deref().unwrap_or("it does not answer");
            tracing::error!(
                cause,
                "the engine is out of reach; viewers are notified that the board may be out of date"
            );
        } else {
            tracing::info!("the engine is back, and this node has caught up with it");
        }
        if let Some(follower) = following.get() {
            follower.set_unreachable_since(is_stale.then_some(self.current_at_time));
        }
    }
}

/// The difference between this machine's clock and the engine's.
///
/// Each answer about the stream contains the time of its leader. Every node compares its clock with
/// that, so the clocks of nodes that agree with the leader agree with each other.
#[derive(Default)]
pub struct ClockDifference(Mutex<(Option<i64>, bool)>);

impl ClockDifference {
    /// Returns how many milliseconds this machine's clock is ahead; `None` before the first answer.
    pub fn ahead_ms(&self) -> Option<i64> {
        self.0.lock().expect("no holder of this lock panics").0
    }

    /// Compares with `server_time`, from an answer that took `took`. Tells the follower, and logs a
    /// difference over 5 s once, and its end.
    pub fn update(&self, following: &Following, took: Duration, server_time: Option<Timestamp>) {
        let Some(server_time) = server_time else {
            return;
        };
        let ahead_ms = (Timestamp::now().micros() - server_time.micros()) / 1000;
        // The server read its clock at some time within `took`.
        let took_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        let ahead_ms = ahead_ms - ahead_ms.clamp(0, took_ms);
        let is_off = ahead_ms.unsigned_abs() > LOGGED_DIFFERENCE_MS;
        let (_, was_off) = std::mem::replace(
            &mut *self.0.lock().expect("no holder of this lock panics"),
            (Some(ahead_ms), is_off),
        );
        if let Some(follower) = following.get() {
            follower.set_clock_offset(ahead_ms);
        }
        if is_off && !was_off {
            tracing::error!(
                clock.ahead_ms = ahead_ms,
                "the clock of this machine differs from the engine's by more than 5 s; \
                 synchronize the clocks of all machines, with chrony for example"
            );
        } else if was_off && !is_off {
            tracing::info!(
                clock.ahead_ms = ahead_ms,
                "the clock of this machine agrees with the engine's again"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MICROS: i64 = 3_600_000_000;

    #[test]
    fn a_difference_over_5_s_counts_as_off_unless_the_answer_took_that_long() {
        let difference = ClockDifference::default();
        let is_off = |ahead_micros: i64, took: Duration| {
            let shown = Timestamp::from_micros(Timestamp::now().micros() - ahead_micros);
            difference.update(&Following::default(), took, Some(shown));
            difference.0.lock().unwrap().1
        };
        assert!(!is_off(4_000_000, Duration::ZERO));
        assert!(!is_off(6_000_000, Duration::from_secs(2)));
        assert!(is_off(8 * 24 * HOUR_MICROS, Duration::ZERO));
        let hours = difference.ahead_ms().unwrap() / 3_600_000;
        assert_eq!(hours, 8 * 24);
        assert!(is_off(-HOUR_MICROS, Duration::from_secs(2)));
        assert!(!is_off(0, Duration::ZERO));
    }
}
