//! The login throttle: limits failed sign-ins per name and per address (for IPv6, per /64).
//!
//! A failed sign-in takes a token from the bucket of its name and from the bucket of its address. Above
//! half of the capacity the next sign-in is delayed; at an empty bucket it is refused. A refused one
//! takes nothing, so no account is locked out for longer than a token takes to come back. A
//! name that signed in from an address before has a bucket of its own for that address: guesses from
//! other addresses empty another bucket.
//!
//! The tables have fixed sizes. Two names may share a bucket; the hash is random, so an attacker cannot know which.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::limits::{AddressKey, RateLimit, RateLimiter};

/// Buckets of names, and of addresses: 128 KiB each.
const BUCKETS: usize = 8192;

/// Pairs of a name and an address that have signed in, of which this many are remembered.
const KNOWN_PAIRS: usize = 1024;

/// Failures per name: ten, then one a minute, so at most 1,440 guesses a day from everywhere together.
const PER_NAME: RateLimit = RateLimit::new(10, Duration::from_mins(1));

/// Failures per address, which may be a whole office.
const PER_ADDRESS: RateLimit = RateLimit::new(30, Duration::from_secs(20));

/// The longest delay of a sign-in that is not refused.
const MAX_DELAY: Duration = Duration::from_secs(2);

/// Too many sign-ins failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginThrottled {
    /// The time after which another one is possible.
    pub retry_after: Duration,
}

/// A sign-in that was let through. It counts as failed unless it is cancelled or succeeds.
#[must_use]
pub struct LoginAttempt {
    /// How long to wait before the password is compared.
    pub delay: Duration,
    /// True if this name has signed in from this address before.
    pub is_known: bool,
    name: NameKey,
    address: AddressKey,
    pair: u64,
}

/// The key of a name's bucket.
#[derive(Hash)]
enum NameKey {
    /// The name, from any address.
    AnyAddress(String),
    /// The name from an address where it signed in before, as the hash of both.
    KnownAddress(u64),
}

/// Limits failed sign-ins.
pub struct LoginThrottle<H = RandomState> {
    names: RateLimiter<H>,
    addresses: RateLimiter<H>,
    /// Hashes of known pairs, each in the slot that its hash selects, until another overwrites it.
    known: Mutex<Vec<u64>>,
    hasher: H,
}

impl LoginThrottle {
    /// Creates a throttle without failures.
    pub fn new() -> Self {
        Self::with_hasher(&RandomState::new())
    }
}

impl<H: BuildHasher + Clone> LoginThrottle<H> {
    /// As `new`. `hasher` decides which keys share a bucket.
    fn with_hasher(hasher: &H) -> Self {
        let limiter = |limit| RateLimiter::with_hasher(limit, BUCKETS, hasher.clone());
        LoginThrottle {
            names: limiter(PER_NAME),
            addresses: limiter(PER_ADDRESS),
            known: Mutex::new(vec![0; KNOWN_PAIRS]),
            hasher: hasher.clone(),
        }
    }

    /// Counts a sign-in. It is counted before its password is compared, so that concurrent ones cannot
    /// exceed the limit.
    ///
    /// # Errors
    /// `LoginThrottled`, also for a name without an account.
    pub fn begin(
        &self,
        name: &str,
        address: IpAddr,
        now: Instant,
    ) -> Result<LoginAttempt, LoginThrottled> {
        let address = AddressKey::from(address);
        let pair = self.hasher.hash_one((name, address));
        let is_known = self.known()[slot(pair)] == pair;
        let name = if is_known {
            NameKey::KnownAddress(pair)
        } else {
            NameKey::AnyAddress(name.to_owned())
        };
        let used = self
            .names
            .used(&name, now)
            .max(self.addresses.used(&address, now));
        let refused = |wait: Duration| LoginThrottled { retry_after: wait };
        self.names
            .try_take(&name, now)
            .map_err(|wait| refused(wait.max(self.addresses.wait(&address, now))))?;
        self.addresses.try_take(&address, now).map_err(|wait| {
            self.names.put_back(&name);
            refused(wait)
        })?;
        Ok(LoginAttempt {
            delay: MAX_DELAY.mul_f64((used * 2.0 - 1.0).clamp(0.0, 1.0)),
            is_known,
            name,
            address,
            pair,
        })
    }

    /// Takes back an attempt if its password could not be compared.
    pub fn cancel(&self, attempt: &LoginAttempt) {
        self.names.put_back(&attempt.name);
        self.addresses.put_back(&attempt.address);
    }

    /// Takes back a successful attempt, and remembers that the name signed in from this address.
    pub fn succeed(&self, attempt: &LoginAttempt) {
        self.cancel(attempt);
        self.known()[slot(attempt.pair)] = attempt.pair;
    }

    fn known(&self) -> MutexGuard<'_, Vec<u64>> {
        self.known.lock().expect("no holder of this lock panics")
    }
}

fn slot(pair: u64) -> usize {
    usize::try_from(pair % KNOWN_PAIRS as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasherDefault, DefaultHasher};

    use super::*;

    /// Not random: names that a test expects to have buckets of their own would share one in about
    /// one of a hundred runs.
    type FixedHasher = BuildHasherDefault<DefaultHasher>;

    fn throttle() -> (LoginThrottle<FixedHasher>, Instant) {
        (
            LoginThrottle::with_hasher(&FixedHasher::new()),
            Instant::now(),
        )
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Counts the attempts that are let through until one is refused.
    fn attempts(
        throttle: &LoginThrottle<FixedHasher>,
        name: &str,
        from: &str,
        now: Instant,
    ) -> usize {
        let begin = |_: &usize| throttle.begin(name, address(from), now).is_ok();
        (0..1000).take_while(begin).count()
    }

    #[test]
    fn a_name_is_delayed_then_refused_and_gets_one_attempt_a_minute() {
        let (throttle, now) = throttle();
        let begin = |now| throttle.begin("anna", address("192.0.2.1"), now);
        let delays: Vec<Duration> = (0..10).map(|_| begin(now).ok().unwrap().delay).collect();
        assert_eq!(delays[..6], [Duration::ZERO; 6]);
        assert!(
            delays[5..].is_sorted_by(|one, next| one < next),
            "{delays:?}"
        );
        assert!(delays[9] <= MAX_DELAY);
        let refused = begin(now).err().unwrap();
        assert_eq!(refused.retry_after, Duration::from_mins(1));
        for _ in 0..10_000 {
            assert!(begin(now).is_err());
        }
        let later = now + refused.retry_after;
        assert_eq!(
            attempts(&throttle, "anna", "192.0.2.1", later),
            1,
            "refused ones take nothing"
        );
        let much_later = later + Duration::from_mins(10);
        assert_eq!(attempts(&throttle, "anna", "192.0.2.1", much_later), 10);
    }

    #[test]
    fn other_names_or_other_addresses_do_not_raise_the_limit() {
        let (throttle, now) = throttle();
        let count =
            |limit, begin: &dyn Fn(u32) -> bool| (0..limit).take_while(|n| begin(*n)).count();
        let begin = |name: String, from: String| throttle.begin(&name, address(&from), now).is_ok();
        let names = count(1000, &|n| begin(format!("name{n}"), "192.0.2.1".to_owned()));
        let in_a_block = count(1000, &|n| {
            begin(format!("other{n}"), format!("2001:db8::{n:x}"))
        });
        let addresses = count(200, &|n| {
            begin("boris".to_owned(), format!("198.51.100.{n}"))
        });
        assert_eq!((names, in_a_block, addresses), (30, 30, 10));
    }

    /// Otherwise an attacker who keeps guessing would lock the owner of the name out.
    #[test]
    fn an_attacked_name_can_still_sign_in_from_where_it_did_before() {
        let (throttle, now) = throttle();
        let begin = |name, from| throttle.begin(name, address(from), now);
        throttle.succeed(&begin("anna", "192.0.2.1").ok().unwrap());
        for number in 0..100 {
            attempts(&throttle, "anna", &format!("198.51.100.{number}"), now);
        }
        assert!(begin("anna", "203.0.113.9").is_err());
        let unknown = begin("boris", "192.0.2.1").ok().unwrap();
        assert!(!unknown.is_known);
        throttle.cancel(&unknown);
        let known = begin("anna", "192.0.2.1").ok().unwrap();
        assert!(known.is_known);
        throttle.cancel(&known);
        assert_eq!(attempts(&throttle, "anna", "192.0.2.1", now), 10);
    }

    #[test]
    fn a_successful_attempt_costs_nothing_and_any_number_of_names_the_same_memory() {
        let (throttle, now) = throttle();
        for number in 0..100_000_u32 {
            let attempt = throttle.begin(&format!("name{number}"), address("192.0.2.1"), now);
            throttle.succeed(&attempt.ok().unwrap());
        }
        assert_eq!(throttle.known().capacity(), KNOWN_PAIRS);
    }
}
