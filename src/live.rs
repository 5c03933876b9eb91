//! The live routes: one feed of the hub, brought to a viewer over WebSocket, Server-Sent Events
//! or long polling.
//!
//! The transports share what is here: who is let in, what is said first, what is said when
//! nothing happens, and what is said at the end. No session lives on the server: the cursor in
//! the request is the whole state, so a viewer may come back over any transport.

mod commands;
mod handshake;
mod poll;
mod query;
mod sse;
mod state;
mod ws;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::handshake::{Upgrade, socket_config};
pub use self::poll::poll;
pub use self::sse::sse;
pub use self::state::state;
pub use self::ws::ws;
use crate::auth::Auth;
use crate::error::Failure;
use crate::hub::Hub;
use crate::model::{Cursor, Moment};
use crate::wire::Message;
use crate::writer::Writer;

/// Seconds after which a viewer who was turned away may come back.
const FULL_RETRY_SECONDS: u64 = 5;

/// Reconnects after a stop are spread over this much time per viewer, so that the server is not
/// met by all of them in its first instant; within the bounds below.
const SPREAD_PER_VIEWER: Duration = Duration::from_micros(500);
const SPREAD_MIN: Duration = Duration::from_millis(500);
const SPREAD_MAX: Duration = Duration::from_secs(30);

/// How a viewer is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    WebSocket,
    Sse,
    Poll,
}

impl Transport {
    /// The word used in messages, metrics and addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Transport::WebSocket => "ws",
            Transport::Sse => "sse",
            Transport::Poll => "poll",
        }
    }
}

/// What every live route needs. One for the whole program, shared.
pub struct Live {
    pub hub: Arc<Hub>,
    pub writer: Writer,
    pub auth: Auth,
    /// At most this long between two messages to a viewer.
    pub heartbeat: Duration,
    /// Cancelled when every viewer is to be told `bye`.
    pub stop: CancellationToken,
    /// Owns the tasks of sockets that left HTTP.
    pub tasks: TaskTracker,
    seats: Arc<Semaphore>,
    max_viewers: usize,
}

/// A viewer's place among the viewers; given back when it is dropped.
pub struct Place {
    _permit: OwnedSemaphorePermit,
    counted: Option<prometheus::IntGauge>,
}

impl Live {
    pub fn new(
        hub: Arc<Hub>,
        writer: Writer,
        auth: Auth,
        heartbeat: Duration,
        max_viewers: usize,
    ) -> Self {
        Live {
            hub,
            writer,
            auth,
            heartbeat,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            seats: Arc::new(Semaphore::new(max_viewers)),
            max_viewers,
        }
    }

    /// Gives a viewer a place.
    ///
    /// # Errors
    /// 503 with `Retry-After` when there are `--max-viewers` already, or the server is stopping.
    pub fn admit(&self, transport: Transport) -> Result<Place, Failure> {
        let gauges = &self.hub.metrics().viewers;
        let gauge = gauges.with_label_values(&[transport.as_str()]);
        let mut place = self.admit_uncounted()?;
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
            return Err(Failure::unavailable(
                "The server is stopping.",
                FULL_RETRY_SECONDS,
            ));
        }
        let Ok(permit) = Arc::clone(&self.seats).try_acquire_owned() else {
            let refused = &self.hub.metrics().refused;
            refused.with_label_values(&["viewers"]).inc();
            return Err(Failure::unavailable(
                format!(
                    "{} viewers are watching, which is as many as this server takes.",
                    self.max_viewers
                ),
                FULL_RETRY_SECONDS,
            ));
        };
        Ok(Place {
            _permit: permit,
            counted: None,
        })
    }

    /// First on every connection.
    fn hello(&self, transport: Transport, cursor: Cursor) -> Message<'static> {
        Message::Hello {
            cursor,
            transport: transport.as_str(),
            heartbeat_ms: u64::try_from(self.heartbeat.as_millis()).unwrap_or(u64::MAX),
            server_time: Moment::now(),
        }
    }

    /// When nothing else was sent for `heartbeat`.
    fn heartbeat(&self, cursor: Cursor) -> Message<'static> {
        Message::Heartbeat {
            cursor,
            server_time: Moment::now(),
        }
    }

    /// How long this viewer should wait before it comes back: a place by chance in a window that
    /// grows with the number of viewers.
    fn retry_ms(&self) -> u64 {
        let viewers = self.max_viewers - self.seats.available_permits();
        let viewers = u32::try_from(viewers).unwrap_or(u32::MAX);
        let window = SPREAD_PER_VIEWER
            .saturating_mul(viewers)
            .clamp(SPREAD_MIN, SPREAD_MAX);
        rand::random_range(0..=u64::try_from(window.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Last on a connection that the server ends because it stops.
fn bye(retry_ms: u64) -> Message<'static> {
    Message::Bye {
        reason: "stopping",
        retry_ms,
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(gauge) = &self.counted {
            gauge.dec();
        }
    }
}
