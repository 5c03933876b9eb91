//! Exponential back-off between the attempts to do something that failed.

use std::time::Duration;

/// Returns the pause after `failures` failures in a row: `first` after the first one, then twice the
/// pause before, and at most `max`.
pub fn exponential(first: Duration, max: Duration, failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    first.saturating_mul(1 << doublings).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pause_is_twice_the_one_before_up_to_the_limit() {
        let (first, max) = (Duration::from_millis(250), Duration::from_secs(10));
        let pauses = [0, 1, 2, 3, 7, u32::MAX].map(|failures| exponential(first, max, failures));
        let expected = [250, 250, 500, 1000, 10_000, 10_000].map(Duration::from_millis);
        assert_eq!(pauses, expected);
    }
}
