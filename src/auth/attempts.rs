//! How often somebody may try to sign in.
//!
//! Every try that fails puts a drop into the buckets of its name and of its address; buckets leak
//! steadily. A bucket that is half full slows the next try down, a full one has it refused. A
//! refused try adds nothing, so nobody is locked out for longer than a leak takes. A name is also
//! told apart by where it was signed in from before: whoever guesses from elsewhere fills another
//! bucket than the one the owner uses.
//!
//! The tables have fixed sizes. Two names may share a bucket; which, nobody outside can know.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

/// Buckets of names, and of addresses. 16 bytes each.
const BUCKETS: usize = 8192;

/// Pairs of a name and an address that have signed in, of which so many are remembered.
const KNOWN: usize = 1024;

/// Failures until a name is refused, and after how long each is forgotten: 1,440 guesses a day at
/// most, from everywhere together.
const OF_NAME: Bucket = Bucket {
    size: 10.0,
    leak: Duration::from_secs(60),
};

/// The same for an address, which may be a whole office.
const OF_ADDRESS: Bucket = Bucket {
    size: 30.0,
    leak: Duration::from_secs(20),
};

/// The longest that a try is slowed down.
const SLOWEST: Duration = Duration::from_secs(2);

struct Bucket {
    size: f64,
    leak: Duration,
}

/// What is in a bucket, and since when nobody looked.
#[derive(Clone, Copy)]
struct Level {
    drops: f64,
    at: Instant,
}

/// Too many tries failed; worth another after so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    pub retry_after: Duration,
}

/// A try that was let through and counts as failed until it is `forgiven`.
#[must_use]
pub struct Attempt {
    /// How long to wait before it is looked at.
    pub pause: Duration,
    name: usize,
    address: usize,
    pair: u64,
}

/// Everything that is remembered of tries.
pub struct Attempts<H = RandomState> {
    hasher: H,
    tables: Mutex<Tables>,
}

struct Tables {
    names: Vec<Level>,
    addresses: Vec<Level>,
    /// A pair is at the place that its hash says, until another takes it.
    known: Vec<u64>,
}

impl Attempts {
    pub fn new() -> Self {
        Self::with_hasher(RandomState::new())
    }
}

impl<H: BuildHasher> Attempts<H> {
    /// `hasher` says who shares a bucket.
    fn with_hasher(hasher: H) -> Self {
        let empty = Level {
            drops: 0.0,
            at: Instant::now(),
        };
        Attempts {
            hasher,
            tables: Mutex::new(Tables {
                names: vec![empty; BUCKETS],
                addresses: vec![empty; BUCKETS],
                known: vec![0; KNOWN],
            }),
        }
    }

    /// Lets one try through, or says when to come back.
    ///
    /// Counted before anything is compared, so that tries at the same time do not slip by.
    ///
    /// # Errors
    /// `TooMany`, also for a name that nobody has.
    pub fn begin(&self, name: &str, address: IpAddr) -> Result<Attempt, TooMany> {
        let now = Instant::now();
        let block = block_of(address);
        let pair = self.hasher.hash_one((name, block));
        let mut tables = self.tables();
        let is_known = tables.known[place(pair, KNOWN)] == pair;
        let name = match is_known {
            true => self.place(("known", pair)),
            false => self.place(("name", name)),
        };
        let address = self.place(("address", block));
        let of_name = tables.names[name].leaked(&OF_NAME, now);
        let of_address = tables.addresses[address].leaked(&OF_ADDRESS, now);
        let wait = of_name
            .until_room(&OF_NAME)
            .max(of_address.until_room(&OF_ADDRESS));
        if wait > Duration::ZERO {
            return Err(TooMany { retry_after: wait });
        }
        tables.names[name] = of_name.with_a_drop();
        tables.addresses[address] = of_address.with_a_drop();
        let pause = of_name.pause(&OF_NAME).max(of_address.pause(&OF_ADDRESS));
        Ok(Attempt {
            pause,
            name,
            address,
            pair,
        })
    }

    /// Nothing was compared: the try is taken back.
    pub fn take_back(&self, attempt: &Attempt) {
        let mut tables = self.tables();
        tables.names[attempt.name].take_a_drop();
        tables.addresses[attempt.address].take_a_drop();
    }

    /// The try was right: it is taken back, and this name is known at this address from now on.
    pub fn forgive(&self, attempt: &Attempt) {
        self.take_back(attempt);
        let mut tables = self.tables();
        tables.known[place(attempt.pair, KNOWN)] = attempt.pair;
    }

    fn place(&self, of: impl Hash) -> usize {
        place(self.hasher.hash_one(of), BUCKETS)
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().expect("no holder of this lock panics")
    }
}

impl Level {
    /// What is left of it now.
    fn leaked(self, bucket: &Bucket, now: Instant) -> Level {
        let passed = now.saturating_duration_since(self.at);
        let leaked = passed.as_secs_f64() / bucket.leak.as_secs_f64();
        Level {
            drops: (self.drops - leaked).max(0.0),
            at: now,
        }
    }

    fn with_a_drop(self) -> Level {
        Level {
            drops: self.drops + 1.0,
            ..self
        }
    }

    fn take_a_drop(&mut self) {
        self.drops = (self.drops - 1.0).max(0.0);
    }

    /// How long until one more drop fits.
    fn until_room(self, bucket: &Bucket) -> Duration {
        bucket
            .leak
            .mul_f64((self.drops + 1.0 - bucket.size).max(0.0))
    }

    /// Nothing until it is half full, then up to the slowest.
    fn pause(self, bucket: &Bucket) -> Duration {
        let above_half = (self.drops / bucket.size - 0.5).max(0.0);
        SLOWEST.mul_f64((above_half * 2.0).min(1.0))
    }
}

fn place(hash: u64, size: usize) -> usize {
    usize::try_from(hash % size as u64).unwrap_or(0)
}

/// An IPv4 address, or the /64 of an IPv6 one: whoever has one address there has all of them.
fn block_of(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => u64::from(u32::from(address)),
        IpAddr::V6(address) => u64::try_from(u128::from(address) >> 64).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasherDefault, DefaultHasher};

    use tokio::time::advance;

    use super::*;

    /// The same buckets in every run: with others each time, names that a test tells apart share
    /// one in about a hundred runs.
    type Fixed = BuildHasherDefault<DefaultHasher>;

    fn attempts() -> Attempts<Fixed> {
        Attempts::with_hasher(Fixed::new())
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// How many tries are let through until one is refused.
    fn tries(attempts: &Attempts<Fixed>, name: &str, from: &str) -> usize {
        let tries = (0..1000).take_while(|_| attempts.begin(name, address(from)).is_ok());
        tries.count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_slowed_then_refused_and_let_in_again_one_by_one() {
        let attempts = attempts();
        let mut pauses = Vec::new();
        for _ in 0..10 {
            let attempt = attempts.begin("anna", address("192.0.2.1")).unwrap();
            pauses.push(attempt.pause);
        }
        assert_eq!(pauses[..5], [Duration::ZERO; 5]);
        assert!(
            pauses[6..].windows(2).all(|pair| pair[0] < pair[1]),
            "{pauses:?}"
        );
        assert!(pauses[9] <= SLOWEST);
        let refused = attempts.begin("anna", address("192.0.2.1")).err().unwrap();
        assert!(refused.retry_after <= OF_NAME.leak);
        advance(refused.retry_after).await;
        assert_eq!(tries(&attempts, "anna", "192.0.2.1"), 1);
        advance(OF_NAME.leak * 10).await;
        assert_eq!(tries(&attempts, "anna", "192.0.2.1"), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn refused_tries_lengthen_nothing() {
        let attempts = attempts();
        tries(&attempts, "anna", "192.0.2.1");
        for _ in 0..10_000 {
            assert!(attempts.begin("anna", address("192.0.2.1")).is_err());
        }
        advance(OF_NAME.leak).await;
        assert!(attempts.begin("anna", address("192.0.2.1")).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn changing_the_name_or_the_address_does_not_help() {
        let attempts = attempts();
        let names = (0..1000).take_while(|number| {
            let name = format!("name{number}");
            attempts.begin(&name, address("192.0.2.1")).is_ok()
        });
        assert_eq!(names.count(), 30);
        let within_a_block = (0..1000).take_while(|number| {
            let from = format!("2001:db8::{number:x}");
            let name = format!("other{number}");
            attempts.begin(&name, address(&from)).is_ok()
        });
        assert_eq!(within_a_block.count(), 30);
        let addresses = (0..200).take_while(|number| {
            let from = format!("198.51.100.{number}");
            attempts.begin("boris", address(&from)).is_ok()
        });
        assert_eq!(addresses.count(), 10);
    }

    /// Whoever keeps guessing at a name would otherwise keep its owner out.
    #[tokio::test(start_paused = true)]
    async fn a_name_that_is_attacked_is_let_in_from_where_it_signed_in_before() {
        let attempts = attempts();
        let attempt = attempts.begin("anna", address("192.0.2.1")).unwrap();
        attempts.forgive(&attempt);
        for number in 0..100 {
            tries(&attempts, "anna", &format!("198.51.100.{number}"));
        }
        assert!(attempts.begin("anna", address("203.0.113.9")).is_err());
        assert_eq!(tries(&attempts, "anna", "192.0.2.1"), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_try_that_was_right_costs_nothing() {
        let attempts = attempts();
        for _ in 0..1000 {
            let attempt = attempts.begin("anna", address("192.0.2.1")).unwrap();
            attempts.forgive(&attempt);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_million_names_take_no_more_memory_than_one() {
        let attempts = attempts();
        let size = |attempts: &Attempts<Fixed>| {
            let tables = attempts.tables();
            tables.names.capacity() + tables.addresses.capacity() + tables.known.capacity()
        };
        let before = size(&attempts);
        for number in 0..1_000_000_u32 {
            let from = IpAddr::from(number.to_be_bytes());
            if let Ok(attempt) = attempts.begin(&number.to_string(), from) {
                attempts.forgive(&attempt);
            }
        }
        assert_eq!(size(&attempts), before);
    }
}
