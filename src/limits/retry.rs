//! When a client that was turned away, or lost its connection to a stop, should try again.
//!
//! Retry times are random within a window that grows with the number of clients, so that the
//! server does not meet all of them at the same instant.

use std::time::Duration;

/// Least wait of a client that was refused because the server is full: slots become free as others
/// leave, which takes a while.
const FULL_RETRY_MS: u64 = 5000;

/// Least wait after a stop: about the duration of a restart. A client that returns too early only
/// has to try again.
const RESTART_MS: u64 = 1000;

/// The window grows by this much per client, within the bounds below.
const SPREAD_PER_CLIENT: Duration = Duration::from_micros(500);
const SPREAD_MIN: Duration = Duration::from_millis(500);
const SPREAD_MAX: Duration = Duration::from_secs(30);

/// Returns `Retry-After` for a client that does not fit beside `count` others.
pub fn full_retry_seconds(count: usize) -> u64 {
    whole_seconds(FULL_RETRY_MS + spread_ms(count))
}

/// Returns when one of `count` clients should reconnect after the server stops.
pub fn restart_retry_ms(count: usize) -> u64 {
    RESTART_MS + spread_ms(count)
}

/// Rounds up to whole seconds for `Retry-After`, at least 1.
pub fn whole_seconds(wait_ms: u64) -> u64 {
    wait_ms.div_ceil(1000).max(1)
}

/// Draws a random wait within the window of `count` clients.
fn spread_ms(count: usize) -> u64 {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let window = SPREAD_PER_CLIENT
        .saturating_mul(count)
        .clamp(SPREAD_MIN, SPREAD_MAX);
    rand::random_range(0..=u64::try_from(window.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the extremes of many draws. The probability that they miss the outer tenths is
    /// negligible.
    fn extremes(draw: impl Fn() -> u64) -> (u64, u64) {
        let draws = (0..2000).map(|_| draw());
        draws.fold((u64::MAX, 0), |(least, most), drawn| {
            (least.min(drawn), most.max(drawn))
        })
    }

    #[test]
    fn returning_clients_are_spread_over_a_window_that_grows_with_their_number() {
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
    fn refused_clients_wait_for_seconds_and_not_all_equally_long() {
        let (least, most) = extremes(|| full_retry_seconds(10_000));
        assert!((5..=6).contains(&least) && most == 10, "{least} {most}");
        assert_eq!([0, 1, 1000, 1001].map(whole_seconds), [1, 1, 1, 2]);
    }
}
