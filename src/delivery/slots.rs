//! Limits how many viewers are connected at the same time.

use std::sync::Arc;

use prometheus::IntGauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::error::Failure;
use crate::limits::{
    AddressPermit, ClientAddress, ClientLimiter, full_retry_seconds, restart_retry_ms,
    whole_seconds,
};
use crate::metrics::Metrics;

/// The ways in which a viewer can be connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// `GET /live/ws`.
    WebSocket,
    /// `GET /live/sse`, Server-Sent Events.
    Sse,
    /// `GET /live/poll`, long polling.
    Poll,
    /// `GET /pets/ID/live.png`, a series of pictures.
    Picture,
}

impl Transport {
    /// Every transport of messages.
    pub const OF_MESSAGES: [Transport; 3] = [Transport::WebSocket, Transport::Sse, Transport::Poll];

    /// Returns the name used in messages, metrics and addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Transport::WebSocket => "ws",
            Transport::Sse => "sse",
            Transport::Poll => "poll",
            Transport::Picture => "picture",
        }
    }
}

/// The slots of all viewers. Clones share them.
#[derive(Clone)]
pub struct ViewerSlots {
    free: Arc<Semaphore>,
    limit: usize,
    limiter: Arc<ClientLimiter>,
    metrics: Metrics,
    stop: CancellationToken,
}

/// The slot of one viewer. Returned when dropped.
pub struct ViewerSlot {
    _total: OwnedSemaphorePermit,
    /// Only for a viewer behind a trusted proxy. Other viewers are counted with their connection.
    _address: Option<AddressPermit>,
    gauge: Option<IntGauge>,
}

impl ViewerSlots {
    /// Creates `limit` slots, which can be taken until `stop` is cancelled.
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

    /// Takes a slot, and counts the viewer in the metrics.
    ///
    /// # Errors
    /// 503 with `Retry-After` when all slots are taken, or all of the visitor's address, when connections run
    /// short, or when the server is stopping.
    pub fn admit(
        &self,
        transport: Transport,
        visitor: ClientAddress,
    ) -> Result<ViewerSlot, Failure> {
        let slot = self.admit_uncounted(visitor)?;
        Ok(self.count(slot, transport))
    }

    /// Takes a slot as `admit` does, if there is one. Counts no refusal.
    pub fn try_admit(&self, transport: Transport, visitor: ClientAddress) -> Option<ViewerSlot> {
        if self.stop.is_cancelled() {
            return None;
        }
        let slot = ViewerSlot {
            _total: Arc::clone(&self.free).try_acquire_owned().ok()?,
            _address: self.limiter.admit_viewer(visitor).ok()?,
            gauge: None,
        };
        Some(self.count(slot, transport))
    }

    /// Counts the viewer in the metrics until its slot is returned.
    fn count(&self, mut slot: ViewerSlot, transport: Transport) -> ViewerSlot {
        let viewers = &self.metrics.viewers;
        let gauge = viewers.with_label_values(&[transport.as_str()]);
        gauge.inc();
        slot.gauge = Some(gauge);
        slot
    }

    /// Takes a slot for a socket that costs as much as a viewer and receives no changes.
    ///
    /// # Errors
    /// As for `admit`.
    pub fn admit_uncounted(&self, visitor: ClientAddress) -> Result<ViewerSlot, Failure> {
        if self.stop.is_cancelled() {
            let detail = "The server is stopping.";
            return Err(Failure::unavailable(detail, whole_seconds(self.retry_ms())));
        }
        if self.limiter.is_short_of_connections() {
            let refused = &self.metrics.refused;
            refused.with_label_values(&["connections"]).inc();
            let detail = "The server is full: connections run short.";
            return Err(Failure::unavailable(detail, full_retry_seconds(self.limit)));
        }
        let Ok(total) = Arc::clone(&self.free).try_acquire_owned() else {
            self.metrics.refused.with_label_values(&["viewers"]).inc();
            let detail = format!(
                "The server is full: it takes at most {} live connections.",
                self.limit
            );
            return Err(Failure::unavailable(detail, full_retry_seconds(self.limit)));
        };
        let address = self.limiter.admit_viewer(visitor).map_err(|full| {
            self.metrics.refused.with_label_values(&["address"]).inc();
            let detail = format!(
                "{} viewers are watching from your address, which is as many as it may have.",
                full.limit
            );
            Failure::unavailable(detail, full_retry_seconds(0))
        })?;
        Ok(ViewerSlot {
            _total: total,
            _address: address,
            gauge: None,
        })
    }

    /// Returns true if another viewer would be refused, from whatever address.
    pub fn is_full(&self) -> bool {
        self.free.available_permits() == 0 || self.limiter.is_short_of_connections()
    }

    /// Returns when a viewer should reconnect after the server stops: random, so that they do not
    /// all return at the same instant.
    pub fn retry_ms(&self) -> u64 {
        restart_retry_ms(self.limit - self.free.available_permits())
    }
}

impl Drop for ViewerSlot {
    fn drop(&mut self) {
        if let Some(gauge) = &self.gauge {
            gauge.dec();
        }
    }
}
