//! How many viewers there are, and room for no more than that.

use std::sync::Arc;
use std::time::Duration;

use prometheus::IntGauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::Transport;
use crate::error::Failure;
use crate::limits::{AddressPermit, ClientAddress, ClientLimiter};
use crate::metrics::Metrics;

/// Milliseconds after which someone who was turned away may come back at the earliest: room is
/// made by those who leave, which takes a while.
const FULL_RETRY_MS: u64 = 5000;

/// Milliseconds before which nobody comes back after a stop: about what a restart takes. Who comes
/// too early only has to come again.
const RESTART_MS: u64 = 1000;

/// Those who come back are spread over this much time for each of them, so that the server is not
/// met by all at the same instant; within the bounds below.
const SPREAD_PER_VIEWER: Duration = Duration::from_micros(500);
const SPREAD_MIN: Duration = Duration::from_millis(500);
const SPREAD_MAX: Duration = Duration::from_secs(30);

/// The places for viewers. Cheap to clone; clones share them.
#[derive(Clone)]
pub struct ViewerSlots {
    free: Arc<Semaphore>,
    limit: usize,
    limiter: Arc<ClientLimiter>,
    metrics: Metrics,
    stop: CancellationToken,
}

/// A viewer's place; given back when it is dropped.
pub struct Place {
    _permit: OwnedSemaphorePermit,
    /// Of one who came through a proxy.
    _seat: Option<AddressPermit>,
    counted: Option<IntGauge>,
}

impl ViewerSlots {
    /// Room for `limit` viewers until `stop`.
    pub fn new(
        limit: usize,
        limiter: Arc<ClientLimiter>,
        metrics: Metrics,
        stop: CancellationToken,
    ) -> Self {
        ViewerSlots {
            free: Arc::new(Semaphore::new(limit)),
            limit,
            limiter,
            metrics,
            stop,
        }
    }

    /// Gives a viewer a place.
    ///
    /// # Errors
    /// 503 with `Retry-After` when all are taken, or all of the visitor's address, or the server
    /// is stopping.
    pub fn admit(&self, transport: Transport, visitor: ClientAddress) -> Result<Place, Failure> {
        let mut place = self.admit_uncounted(visitor)?;
        let gauge = self
            .metrics
            .viewers
            .with_label_values(&[transport.as_str()]);
        gauge.inc();
        place.counted = Some(gauge);
        Ok(place)
    }

    /// A place for a socket that takes as much room as a viewer and watches nothing.
    ///
    /// # Errors
    /// As for `admit`.
    pub fn admit_uncounted(&self, visitor: ClientAddress) -> Result<Place, Failure> {
        if self.stop.is_cancelled() {
            let detail = "The server is stopping.";
            return Err(Failure::unavailable(detail, whole_seconds(self.retry_ms())));
        }
        let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() else {
            self.metrics.refused.with_label_values(&["viewers"]).inc();
            let detail = format!(
                "{} viewers are watching, which is as many as this server takes.",
                self.limit
            );
            return Err(Failure::unavailable(detail, full_retry_seconds(self.limit)));
        };
        let seat = self.limiter.admit_viewer(visitor).map_err(|full| {
            self.metrics.refused.with_label_values(&["address"]).inc();
            let detail = format!(
                "{} viewers are watching from your address, which is as many as it may have.",
                full.limit
            );
            Failure::unavailable(detail, full_retry_seconds(0))
        })?;
        Ok(Place {
            _permit: permit,
            _seat: seat,
            counted: None,
        })
    }

    /// How long this viewer should wait before it comes back after a stop.
    pub fn retry_ms(&self) -> u64 {
        RESTART_MS + spread_ms(self.limit - self.free.available_permits())
    }
}

/// What someone is told in `Retry-After` who is one too many beside `count` others.
pub fn full_retry_seconds(count: usize) -> u64 {
    whole_seconds(FULL_RETRY_MS + spread_ms(count))
}

/// As `Retry-After` has it: whole seconds, and never at once.
pub fn whole_seconds(wait_ms: u64) -> u64 {
    wait_ms.div_ceil(1000).max(1)
}

/// A point by chance in a window that grows with the number of those who come back.
fn spread_ms(count: usize) -> u64 {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let window = SPREAD_PER_VIEWER
        .saturating_mul(count)
        .clamp(SPREAD_MIN, SPREAD_MAX);
    rand::random_range(0..=u64::try_from(window.as_millis()).unwrap_or(u64::MAX))
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(gauge) = &self.counted {
            gauge.dec();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The extremes of many draws: the chance that they miss the outer tenths is nil.
    fn extremes(draw: impl Fn() -> u64) -> (u64, u64) {
        let draws = (0..2000).map(|_| draw());
        draws.fold((u64::MAX, 0), |(least, most), drawn| {
            (least.min(drawn), most.max(drawn))
        })
    }

    #[test]
    fn those_who_come_back_are_spread_over_a_window_of_their_number() {
        for (count, window_ms) in [(0, 500), (100, 500), (10_000, 5000), (1_000_000, 30_000)] {
            let (least, most) = extremes(|| spread_ms(count));
            assert!(least < window_ms / 10, "{count}: {least}");
            assert!(
                (window_ms * 9 / 10..=window_ms).contains(&most),
                "{count}: {most}"
            );
        }
    }

    #[test]
    fn those_who_are_too_many_stay_away_for_a_while_and_not_all_for_the_same() {
        let (least, most) = extremes(|| full_retry_seconds(10_000));
        assert!((5..=6).contains(&least) && most == 10, "{least} {most}");
        assert_eq!([0, 1, 1000, 1001].map(whole_seconds), [1, 1, 1, 2]);
    }
}
