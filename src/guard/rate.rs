//! How often something may happen: so many times a second on average, and more at once after a
//! quiet moment.
//!
//! The generic cell rate algorithm (ITU-T I.371): one instant per source says everything.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What may happen at once after a quiet moment, in seconds of the average.
const BURST_SECONDS: u32 = 2;

/// Sources that are told apart by a meter. Those who share a place share a rate; who shares with
/// whom is different in each run, so nobody can choose. 64 KiB.
const PLACES: usize = 4096;

/// An average and a burst.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    interval: Duration,
    burst: Duration,
}

impl Rate {
    pub fn per_second(count: u32) -> Self {
        Rate {
            interval: Duration::from_secs(1) / count.max(1),
            burst: Duration::from_secs(u64::from(BURST_SECONDS)),
        }
    }

    /// Counts one at `now`. `due` is when the last one would have come at the average rate.
    ///
    /// # Errors
    /// How long it is too early; then it is not counted.
    pub fn take(self, due: &mut Instant, now: Instant) -> Result<(), Duration> {
        let next = (*due).max(now) + self.interval;
        let early = next.duration_since(now).saturating_sub(self.burst);
        if !early.is_zero() {
            return Err(early);
        }
        *due = next;
        Ok(())
    }
}

/// A rate for each of any number of sources, in memory of a fixed size.
pub struct Meter {
    rate: Rate,
    places: Mutex<Box<[Instant]>>,
    hasher: RandomState,
}

impl Meter {
    pub fn new(rate: Rate) -> Self {
        Meter {
            rate,
            places: Mutex::new(vec![Instant::now(); PLACES].into()),
            hasher: RandomState::new(),
        }
    }

    /// Counts one of `source`, which may be an address or an account.
    ///
    /// # Errors
    /// How long it is too early; then it is not counted.
    pub fn take(&self, source: &impl Hash, now: Instant) -> Result<(), Duration> {
        let hash = self.hasher.hash_one(source);
        let place = usize::try_from(hash % PLACES as u64).unwrap_or_default();
        let mut places = self.places.lock().expect("no holder of this lock panics");
        self.rate.take(&mut places[place], now)
    }
}
