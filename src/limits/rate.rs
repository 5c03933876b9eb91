//! Rate limiting by token buckets, in memory of a fixed size.
//!
//! Every rate limit of the program is one of these: writes per address or account, WebSocket
//! messages per viewer, failed logins per name and per address.
//!
//! A bucket is stored as the instant at which it will be full again, so it needs no timer (the
//! generic cell rate algorithm, ITU-T I.371). The caller passes the time, so tests need no clock.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Capacity of a bucket that refills by a number per second, in seconds of refill.
const BURST_SECONDS: u32 = 2;

/// How many tokens a bucket holds, and how fast it refills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Tokens of a full bucket: the largest burst.
    capacity: u32,
    /// The time in which one token comes back.
    refill: Duration,
}

impl RateLimit {
    /// Returns the limit for bursts of `capacity`, where one token comes back per `refill`.
    pub const fn new(capacity: u32, refill: Duration) -> Self {
        RateLimit { capacity, refill }
    }

    /// Returns the limit for `count` per second on average, and twice as many in a burst.
    pub fn per_second(count: u32) -> Self {
        let count = count.max(1);
        RateLimit::new(count * BURST_SECONDS, Duration::from_secs(1) / count)
    }

    /// Time in which an empty bucket becomes full.
    fn refill_all(self) -> Duration {
        self.refill * self.capacity
    }
}

/// One token bucket. A token is taken for each event.
#[derive(Clone, Copy, Debug)]
pub struct TokenBucket {
    full_at: Instant,
}

impl TokenBucket {
    /// Returns a full bucket.
    pub const fn full(now: Instant) -> Self {
        TokenBucket { full_at: now }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// The time until the next token, if the bucket is empty. Asking does not lengthen it.
    pub fn try_take(&mut self, limit: RateLimit, now: Instant) -> Result<(), Duration> {
        let wait = self.wait(limit, now);
        if !wait.is_zero() {
            return Err(wait);
        }
        self.full_at = self.full_at.max(now) + limit.refill;
        Ok(())
    }

    /// Puts a token back that was taken for an event that should not count.
    pub fn put_back(&mut self, limit: RateLimit) {
        self.full_at = self
            .full_at
            .checked_sub(limit.refill)
            .unwrap_or(self.full_at);
    }

    /// Returns the time until there is a token; zero if there is one now.
    pub fn wait(self, limit: RateLimit, now: Instant) -> Duration {
        let missing = self.full_at.saturating_duration_since(now);
        (missing + limit.refill).saturating_sub(limit.refill_all())
    }

    /// Returns the part of the tokens that is taken: 0 for a full bucket, 1 for an empty one.
    pub fn used(self, limit: RateLimit, now: Instant) -> f64 {
        let missing = self.full_at.saturating_duration_since(now);
        missing.div_duration_f64(limit.refill_all())
    }
}

/// Token buckets of one limit for any number of keys, such as addresses or account names.
///
/// The number of buckets is fixed, so that an attacker with many addresses cannot exhaust the
/// memory. Keys whose hashes meet share a bucket. The hash differs in each run, so nobody can choose
/// a key that shares the bucket of somebody else.
pub struct RateLimiter<H = RandomState> {
    limit: RateLimit,
    buckets: Mutex<Box<[TokenBucket]>>,
    hasher: H,
}

impl RateLimiter {
    /// Returns a limiter with `bucket_count` buckets of 16 bytes each, all full.
    pub fn new(limit: RateLimit, bucket_count: usize) -> Self {
        RateLimiter::with_hasher(limit, bucket_count, RandomState::new())
    }
}

impl<H: BuildHasher> RateLimiter<H> {
    /// As `new`. `hasher` decides which keys share a bucket; tests pass one without randomness.
    pub fn with_hasher(limit: RateLimit, bucket_count: usize, hasher: H) -> Self {
        let full = TokenBucket::full(Instant::now());
        RateLimiter {
            limit,
            buckets: Mutex::new(vec![full; bucket_count.max(1)].into()),
            hasher,
        }
    }

    /// Takes a token of `key`.
    ///
    /// # Errors
    /// The time until the next token, if `key` has none.
    pub fn try_take(&self, key: &impl Hash, now: Instant) -> Result<(), Duration> {
        self.with_bucket(key, |bucket| bucket.try_take(self.limit, now))
    }

    /// Puts a token of `key` back that was taken for an event that should not count.
    pub fn put_back(&self, key: &impl Hash) {
        self.with_bucket(key, |bucket| bucket.put_back(self.limit));
    }

    /// Returns the time until `key` has a token; zero if it has one now.
    pub fn wait(&self, key: &impl Hash, now: Instant) -> Duration {
        self.with_bucket(key, |bucket| bucket.wait(self.limit, now))
    }

    /// Returns the part of its tokens that `key` has taken, from 0 to 1.
    pub fn used(&self, key: &impl Hash, now: Instant) -> f64 {
        self.with_bucket(key, |bucket| bucket.used(self.limit, now))
    }

    fn with_bucket<T>(&self, key: &impl Hash, act: impl FnOnce(&mut TokenBucket) -> T) -> T {
        let mut buckets = self.lock();
        let index = self.hasher.hash_one(key) % buckets.len() as u64;
        act(&mut buckets[usize::try_from(index).unwrap_or_default()])
    }

    fn lock(&self) -> MutexGuard<'_, Box<[TokenBucket]>> {
        self.buckets.lock().expect("no holder of this lock panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_empties_the_bucket_and_tokens_come_back_one_by_one() {
        let limiter = RateLimiter::new(RateLimit::per_second(5), 4096);
        let start = Instant::now();
        let burst = (0..100).filter(|_| limiter.try_take(&"key", start).is_ok());
        assert_eq!(burst.count(), 10, "two seconds' worth");
        let wait = limiter.try_take(&"key", start).unwrap_err();
        assert_eq!(wait, Duration::from_millis(200));
        assert_eq!(
            limiter.wait(&"key", start),
            wait,
            "asking again costs nothing"
        );
        assert!(limiter.try_take(&"key", start + wait).is_ok());
        assert!(limiter.try_take(&"key", start + wait).is_err());
        let others = (0..64).filter(|other| limiter.try_take(other, start).is_ok());
        assert!(others.count() >= 62, "keys have buckets of their own");
    }

    #[test]
    fn a_token_that_is_put_back_can_be_taken_again() {
        let limit = RateLimit::new(2, Duration::from_mins(1));
        let now = Instant::now();
        let mut bucket = TokenBucket::full(now);
        assert_eq!(bucket.used(limit, now), 0.0);
        assert!(bucket.try_take(limit, now).is_ok());
        assert_eq!(bucket.used(limit, now), 0.5);
        assert!(bucket.try_take(limit, now).is_ok());
        assert_eq!(bucket.used(limit, now), 1.0);
        assert_eq!(bucket.try_take(limit, now), Err(Duration::from_mins(1)));
        bucket.put_back(limit);
        assert!(bucket.try_take(limit, now).is_ok());
        assert!(
            bucket
                .try_take(limit, now + Duration::from_secs(59))
                .is_err()
        );
        assert!(bucket.try_take(limit, now + Duration::from_mins(1)).is_ok());
    }
}
