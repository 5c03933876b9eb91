//! A bucket that leaks: how full it is tells how many tries have failed lately.

use std::time::Duration;

use tokio::time::Instant;

/// The longest that a try is slowed down.
pub const SLOWEST: Duration = Duration::from_secs(2);

/// What a kind of bucket holds, and after how long it loses a drop.
pub struct Bucket {
    /// In drops.
    pub size: f64,
    pub leak: Duration,
}

/// What is in a bucket, and since when nobody looked.
#[derive(Clone, Copy)]
pub struct Level {
    drops: f64,
    at: Instant,
}

impl Level {
    pub fn empty(now: Instant) -> Self {
        Level {
            drops: 0.0,
            at: now,
        }
    }

    /// What is left of it now.
    pub fn leaked(self, bucket: &Bucket, now: Instant) -> Level {
        let passed = now.saturating_duration_since(self.at);
        let leaked = passed.as_secs_f64() / bucket.leak.as_secs_f64();
        Level {
            drops: (self.drops - leaked).max(0.0),
            at: now,
        }
    }

    pub fn with_a_drop(self) -> Level {
        Level {
            drops: self.drops + 1.0,
            ..self
        }
    }

    pub fn take_a_drop(&mut self) {
        self.drops = (self.drops - 1.0).max(0.0);
    }

    /// How long until one more drop fits.
    pub fn until_room(self, bucket: &Bucket) -> Duration {
        bucket
            .leak
            .mul_f64((self.drops + 1.0 - bucket.size).max(0.0))
    }

    /// Nothing until it is half full, then up to the slowest.
    pub fn pause(self, bucket: &Bucket) -> Duration {
        let above_half = (self.drops / bucket.size - 0.5).max(0.0);
        SLOWEST.mul_f64((above_half * 2.0).min(1.0))
    }
}
