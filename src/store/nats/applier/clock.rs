//! Compares this machine's clock with the servers'.
//!
//! Each answer about the stream contains the time of the leader. Every node compares its clock with
//! that, so the clocks of nodes that agree with the leader agree with each other.

use std::time::Duration;

use crate::model::Timestamp;
use crate::store::nats::node::Node;

/// A difference that is reported.
const REPORTED: Duration = Duration::from_secs(5);

/// The difference that was reported last.
#[derive(Default)]
pub struct ClockComparison {
    is_off: bool,
}

impl ClockComparison {
    /// Compares with `server_time`, out of an answer that took `took`. Reports a difference over 5 s
    /// once, and its end.
    pub fn compare(&mut self, node: &Node, took: Duration, server_time: Option<Timestamp>) {
        let Some(ahead_ms) = node.note_engine_time(took, server_time) else {
            return;
        };
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
                clock.ahead_ms = ahead_ms,
                "the clock of this machine differs from the engine's by more than 5 s; \
                 synchronize the clocks of all machines, with chrony for example"
            );
        } else {
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
    use crate::store::AccountStore;
    use crate::store::nats::tests::rig::Rig;

    const HOUR: i64 = 3_600_000_000;

    #[test]
    fn a_difference_over_5_s_is_reported_and_nothing_is_older_than_the_engine_says() {
        let rig = Rig::start(1);
        let engine = rig.connect_deaf();
        let node = &engine.node;
        assert!(node.clock_ahead_ms().is_some(), "compared at the start");
        let mut comparison = ClockComparison::default();
        let mut compare = |ahead: i64, took: Duration| {
            let shown = Timestamp::from_micros(Timestamp::now().micros() - ahead);
            comparison.compare(node, took, Some(shown));
            comparison.is_off
        };
        assert!(!compare(4_000_000, Duration::ZERO));
        assert!(
            !compare(6_000_000, Duration::from_secs(2)),
            "that may be the answer's way"
        );
        assert!(compare(8 * 24 * HOUR, Duration::ZERO));
        let engine_time = engine.engine_time().unwrap();
        let behind = Timestamp::now().since(engine_time);
        assert_eq!(behind.as_secs() / 3600, 8 * 24);
        assert!(compare(-HOUR, Duration::from_secs(2)));
        assert!(!compare(0, Duration::ZERO));
    }
}
