//! How often somebody may try to sign in.
//!
//! Every try that fails puts a drop into the buckets of its name and of its address (for IPv6, of
//! its /64); buckets leak steadily. A bucket that is half full slows the next try down, a full one
//! has it refused. A refused try adds nothing, so nobody is locked out for longer than a leak
//! takes. A name is also told apart by where it was signed in from before: whoever guesses from
//! elsewhere fills another bucket than the one the owner uses.
//!
//! The tables have fixed sizes. Two names may share a bucket; which, nobody outside can know.

mod bucket;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use self::bucket::{Bucket, Level};
use crate::limits::AddressKey;

/// Buckets of names, and of addresses. 24 bytes each.
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
    /// True if this name has signed in from this address before.
    pub is_known: bool,
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
        let empty = Level::empty(Instant::now());
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
        let source = AddressKey::from(address);
        let pair = self.hasher.hash_one((name, source));
        let mut tables = self.tables();
        let is_known = tables.known[place(pair, KNOWN)] == pair;
        let name = match is_known {
            true => self.place(("known", pair)),
            false => self.place(("name", name)),
        };
        let address = self.place(("address", source));
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
            is_known,
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

fn place(hash: u64, size: usize) -> usize {
    usize::try_from(hash % size as u64).unwrap_or(0)
}
