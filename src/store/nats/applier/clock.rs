//! Compares this machine's clock with the servers'.
//!
//! Each answer about the stream carries the time of the server that leads it. Every node compares
//! with that, so nodes that agree with it agree with each other.

use std::time::Duration;

use crate::model::Moment;
use crate::store::nats::node::Node;

/// A difference that is reported.
const REPORTED: Duration = Duration::from_secs(5);

/// What was reported so far.
#[derive(Default)]
pub struct ClockComparison {
    is_off: bool,
}

impl ClockComparison {
    /// Compares with `server_time`, out of an answer that took `took`. Reports a difference over 5 s
    /// once, and its end.
    pub fn compare(&mut self, node: &Node, took: Duration, server_time: Option<Moment>) {
        let Some(server_time) = server_time else {
            return;
        };
        let ahead_ms = (Moment::now().micros() - server_time.micros()) / 1000;
        // The answer was made at some time within `took`.
        let within_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        let ahead_ms = ahead_ms
            .clamp(0, within_ms)
            .abs_diff(ahead_ms)
            .cast_signed()
            * ahead_ms.signum();
        if let Some(follower) = node.following.get() {
            follower.clock_compared(ahead_ms);
        }
        let is_off = u128::from(ahead_ms.unsigned_abs()) > REPORTED.as_millis();
        if is_off == self.is_off {
            return;
        }
        self.is_off = is_off;
        if is_off {
            tracing::error!(
                ahead_ms,
                "the clock of this machine differs from the engine's by more than 5 s; \
                 synchronize the clocks of all machines, with chrony for example"
            );
        } else {
            tracing::info!(
                ahead_ms,
                "the clock of this machine agrees with the engine's again"
            );
        }
    }
}
