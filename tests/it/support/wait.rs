//! Waits for conditions with a time limit.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

/// The time limit: far above what anything takes, even an election in a cluster on a busy machine.
pub const LIMIT: Duration = Duration::from_mins(1);

/// Interval at which a condition is checked.
const CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// Returns the output of `future`, or panics after the time limit.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let output = timeout(LIMIT, future).await;
    output.unwrap_or_else(|_| panic!("timed out after {LIMIT:?}: {what}"))
}

/// Waits until `condition` is true.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let mut checks = interval(CHECK_INTERVAL);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    within(what, async {
        while !condition().await {
            checks.tick().await;
        }
    })
    .await;
}
