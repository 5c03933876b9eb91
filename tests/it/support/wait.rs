//! Waiting for a fact, with a limit, and never for a time.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

/// The longest that anything is waited for. Far above what it takes, an election in a cluster and a
/// busy machine included, so that it only ends what would never come.
pub const LIMIT: Duration = Duration::from_mins(1);

/// How often a condition is looked at that nobody tells us about.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What `future` gives, or a failure that says what was waited for in vain.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match timeout(LIMIT, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {LIMIT:?} in vain for {what}"),
    }
}

/// Waits until `condition` holds.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    within(what, async {
        while !condition().await {
            looks.tick().await;
        }
    })
    .await;
}
