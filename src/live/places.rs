//! How many viewers there are, and room for no more than that.

use std::sync::Arc;
use std::time::Duration;

use prometheus::IntGauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::Transport;
use crate::error::Failure;
use crate::metrics::Metrics;

/// Seconds after which a viewer who was turned away may come back.
const FULL_RETRY_SECONDS: u64 = 5;

/// Before this nobody comes back after a stop: it is about what a restart takes, and who comes too
/// early only has to come again.
const SPREAD_START: Duration = Duration::from_secs(1);

/// Reconnects after a stop are spread over this much time per viewer, so that the server is not
/// met by all of them in its first instant; within the bounds below.
const SPREAD_PER_VIEWER: Duration = Duration::from_micros(500);
const SPREAD_MIN: Duration = Duration::from_millis(500);
const SPREAD_MAX: Duration = Duration::from_secs(30);

/// The places for viewers. Cheap to clone; clones share them.
#[derive(Clone)]
pub struct Places {
    free: Arc<Semaphore>,
    limit: usize,
    metrics: Metrics,
    stop: CancellationToken,
}

/// A viewer's place; given back when it is dropped.
pub struct Place {
    _permit: OwnedSemaphorePermit,
    counted: Option<IntGauge>,
}

impl Places {
    /// Room for `limit` viewers until `stop`.
    pub fn new(limit: usize, metrics: Metrics, stop: CancellationToken) -> Self {
        Places {
            free: Arc::new(Semaphore::new(limit)),
            limit,
            metrics,
            stop,
        }
    }

    /// Gives a viewer a place.
    ///
    /// # Errors
    /// 503 with `Retry-After` when all are taken, or the server is stopping.
    pub fn admit(&self, transport: Transport) -> Result<Place, Failure> {
        let mut place = self.admit_uncounted()?;
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
    pub fn admit_uncounted(&self) -> Result<Place, Failure> {
        if self.stop.is_cancelled() {
            let detail = "The server is stopping.";
            return Err(Failure::unavailable(detail, FULL_RETRY_SECONDS));
        }
        let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() else {
            self.metrics.refused.with_label_values(&["viewers"]).inc();
            let detail = format!(
                "{} viewers are watching, which is as many as this server takes.",
                self.limit
            );
            return Err(Failure::unavailable(detail, FULL_RETRY_SECONDS));
        };
        Ok(Place {
            _permit: permit,
            counted: None,
        })
    }

    /// How long this viewer should wait before it comes back after a stop: a point by chance in a
    /// window that grows with the number of viewers.
    pub fn retry_ms(&self) -> u64 {
        let viewers = self.limit - self.free.available_permits();
        let viewers = u32::try_from(viewers).unwrap_or(u32::MAX);
        let window = SPREAD_PER_VIEWER
            .saturating_mul(viewers)
            .clamp(SPREAD_MIN, SPREAD_MAX);
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        rand::random_range(ms(SPREAD_START)..=ms(SPREAD_START + window))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(gauge) = &self.counted {
            gauge.dec();
        }
    }
}
