//! One memory budget for all unfinished requests and unsent responses together.
//!
//! An HTTP connection counts from its acceptance until it is closed or leaves HTTP, with its buffers
//! and its task. On top come the bytes of a long head, of a body or a WebSocket message that is still
//! arriving, and of a response until it was written to the socket. Bytes that several responses share
//! count once. One address can use a quarter of the budget at most, so that it cannot lock all
//! others out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use prometheus::IntGauge;

use super::AddressKey;

/// Memory of an HTTP connection without a request: hyper's read and write buffers (8 KiB each), and
/// its task. Measured as growth of the process over 2,000 idle connections.
pub const CONNECTION_BYTES: usize = 24 * 1024;

/// Memory of a request that is being answered: its parsed head, and the futures around its handler.
/// Measured like `CONNECTION_BYTES`, over long polls.
pub const REQUEST_BYTES: usize = 30 * 1024;

/// One address may use the budget divided by this.
const SHARES: usize = 4;

/// The budget is low when more than this fraction is used. Responses then close their connection,
/// because idle connections hold buffers too.
const LOW_NUMERATOR: usize = 3;
const LOW_DENOMINATOR: usize = 4;

/// The budget. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct RequestMemory(Arc<Budget>);

struct Budget {
    limit: usize,
    usage: Mutex<MemoryUsage>,
    /// `MemoryUsage::total`, for the metrics.
    gauge: IntGauge,
}

/// Reserved bytes.
#[derive(Default)]
struct MemoryUsage {
    total: usize,
    /// Addresses that use nothing have no entry.
    by_address: HashMap<AddressKey, usize>,
    /// Number of readers of shared bytes, by pointer and length.
    readers: HashMap<(usize, usize), usize>,
}

/// Bytes reserved from the budget; given back when this is dropped.
pub struct MemoryReservation {
    memory: RequestMemory,
    /// `None` if no share of an address applies, as for this machine.
    key: Option<AddressKey>,
    bytes: usize,
}

/// The budget, or the share of an address, is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryExhausted;

/// As `MemoryExhausted`, with the bytes of the response that the budget has no room for.
#[derive(Debug, PartialEq, Eq)]
pub struct ResponseRefused {
    /// The response.
    pub bytes: Bytes,
}

impl RequestMemory {
    /// Creates a budget of `limit` bytes.
    pub fn new(limit: usize) -> Self {
        let gauge = IntGauge::new(
            "petstore_request_buffer_bytes",
            "Memory that unfinished requests and unsent responses use.",
        );
        RequestMemory(Arc::new(Budget {
            limit,
            usage: Mutex::default(),
            gauge: gauge.expect("metric names are fixed and valid"),
        }))
    }

    /// Returns the metric of the reserved bytes.
    pub fn gauge(&self) -> IntGauge {
        self.0.gauge.clone()
    }

    /// Reserves the bytes of a response until the last clone of the result is dropped: in the share
    /// of `key`, or once for all readers if something else holds the bytes too.
    ///
    /// # Errors
    /// `ResponseRefused` if the budget, or the share of `key`, has no room.
    pub fn reserve_response(
        &self,
        key: Option<AddressKey>,
        bytes: Bytes,
    ) -> Result<Bytes, ResponseRefused> {
        let (bytes, reservation) = match bytes.try_into_mut() {
            Ok(own) => {
                let mut reservation = self.reserve_none(key);
                // The capacity of a string that grew is up to twice its length.
                let resized = reservation.resize_response(own.capacity());
                (
                    own.freeze(),
                    resized.map(|()| ResponseMemory::Own(reservation)),
                )
            }
            Err(bytes) => {
                let reservation = SharedReservation::new(self, &bytes);
                (bytes, reservation.map(ResponseMemory::Shared))
            }
        };
        let Ok(reservation) = reservation else {
            return Err(ResponseRefused { bytes });
        };
        Ok(Bytes::from_owner(ReservedBytes {
            _reservation: reservation,
            bytes,
        }))
    }

    /// Opens a reservation of 0 bytes, in the share of `key`.
    pub fn reserve_none(&self, key: Option<AddressKey>) -> MemoryReservation {
        MemoryReservation {
            memory: self.clone(),
            key,
            bytes: 0,
        }
    }

    /// Returns true if so much is used that idle connections should be closed.
    pub fn is_low(&self) -> bool {
        self.usage().total >= self.0.limit / LOW_DENOMINATOR * LOW_NUMERATOR
    }

    fn set_total(&self, usage: &mut MemoryUsage, bytes: usize) {
        usage.total = bytes;
        self.0.gauge.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    fn usage(&self) -> MutexGuard<'_, MemoryUsage> {
        self.0.usage.lock().expect("no holder of this lock panics")
    }
}

impl MemoryReservation {
    /// Changes the number of reserved bytes.
    ///
    /// # Errors
    /// `MemoryExhausted` if that is more than before and there is no room; nothing changes then.
    pub fn resize(&mut self, bytes: usize) -> Result<(), MemoryExhausted> {
        self.set(bytes, bytes)
    }

    /// As `resize`, but of a response longer than half of a share only that half is checked against
    /// the share: an address that uses little gets every response that the whole budget has room for.
    fn resize_response(&mut self, bytes: usize) -> Result<(), MemoryExhausted> {
        let half = self.memory.0.limit / SHARES / 2;
        self.set(bytes, bytes.min(half))
    }

    /// Reserves `bytes`, if the share of the address has room for `checked` of them.
    fn set(&mut self, bytes: usize, checked: usize) -> Result<(), MemoryExhausted> {
        if bytes == self.bytes {
            return Ok(());
        }
        let limit = self.memory.0.limit;
        let mut usage = self.memory.usage();
        let total = usage.total - self.bytes + bytes;
        let of_address = self.key.map(|key| {
            let before = usage.by_address.get(&key).copied().unwrap_or_default();
            (key, before - self.bytes + bytes)
        });
        let is_over = total > limit
            || of_address
                .is_some_and(|(_, of_address)| of_address - bytes + checked > limit / SHARES);
        if bytes > self.bytes && is_over {
            return Err(MemoryExhausted);
        }
        self.memory.set_total(&mut usage, total);
        match of_address {
            Some((key, 0)) => drop(usage.by_address.remove(&key)),
            Some((key, bytes)) => drop(usage.by_address.insert(key, bytes)),
            None => {}
        }
        drop(usage);
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for MemoryReservation {
    fn drop(&mut self) {
        // Giving back never fails.
        let _ = self.resize(0);
    }
}

/// Bytes of a response with their reservation.
struct ReservedBytes {
    /// Dropped before the bytes, so that no other bytes have their address yet.
    _reservation: ResponseMemory,
    bytes: Bytes,
}

impl AsRef<[u8]> for ReservedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[expect(dead_code, reason = "held for the drop of their contents")]
enum ResponseMemory {
    Own(MemoryReservation),
    Shared(SharedReservation),
}

/// One reader of bytes that are reserved once for all of their readers.
struct SharedReservation {
    memory: RequestMemory,
    key: (usize, usize),
}

impl SharedReservation {
    fn new(memory: &RequestMemory, bytes: &Bytes) -> Result<Self, MemoryExhausted> {
        let key = (bytes.as_ptr().addr(), bytes.len());
        let mut usage = memory.usage();
        if let Some(readers) = usage.readers.get_mut(&key) {
            *readers += 1;
        } else {
            let total = usage.total + bytes.len();
            if total > memory.0.limit {
                return Err(MemoryExhausted);
            }
            memory.set_total(&mut usage, total);
            usage.readers.insert(key, 1);
        }
        drop(usage);
        Ok(SharedReservation {
            memory: memory.clone(),
            key,
        })
    }
}

impl Drop for SharedReservation {
    fn drop(&mut self) {
        let mut usage = self.memory.usage();
        let Some(readers) = usage.readers.get_mut(&self.key) else {
            return;
        };
        *readers -= 1;
        if *readers == 0 {
            usage.readers.remove(&self.key);
            let rest = usage.total - self.key.1;
            self.memory.set_total(&mut usage, rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn key(last: u8) -> Option<AddressKey> {
        Some(AddressKey::from(std::net::IpAddr::V4(Ipv4Addr::new(
            192, 0, 2, last,
        ))))
    }

    #[test]
    fn all_reservations_together_stay_within_the_budget_and_are_given_back() {
        let memory = RequestMemory::new(1000);
        let mut reservations: Vec<_> = (0..4).map(|last| memory.reserve_none(key(last))).collect();
        for reservation in &mut reservations {
            assert_eq!(reservation.resize(250), Ok(()));
        }
        assert!(memory.is_low());
        let mut more = memory.reserve_none(None);
        assert_eq!(more.resize(1), Err(MemoryExhausted));
        assert_eq!(reservations[0].resize(100), Ok(()));
        assert_eq!(more.resize(150), Ok(()));
        assert_eq!(more.resize(151), Err(MemoryExhausted));
        assert_eq!(more.resize(150), Ok(()), "a refusal changes nothing");
        drop((reservations, more));
        assert_eq!(memory.usage().total, 0);
        assert!(memory.usage().by_address.is_empty());
        assert!(!memory.is_low());
    }

    #[test]
    fn one_address_uses_a_quarter_at_most_over_all_its_connections() {
        let memory = RequestMemory::new(1000);
        let (mut first, mut second) = (memory.reserve_none(key(1)), memory.reserve_none(key(1)));
        assert_eq!(first.resize(200), Ok(()));
        assert_eq!(second.resize(51), Err(MemoryExhausted));
        assert_eq!(second.resize(50), Ok(()));
        assert_eq!(memory.reserve_none(key(2)).resize(250), Ok(()));
        assert_eq!(
            memory.reserve_none(None).resize(750),
            Ok(()),
            "no share applies"
        );
        drop(first);
        assert_eq!(second.resize(250), Ok(()));
    }

    #[test]
    fn a_response_is_reserved_until_it_is_dropped_and_shared_bytes_once() {
        let memory = RequestMemory::new(8000);
        let own = || Bytes::from(vec![b'x'; 900]);
        let first = memory.reserve_response(key(1), own()).unwrap();
        let second = memory.reserve_response(key(1), own()).unwrap();
        assert_eq!(memory.usage().total, 1800);
        let refused = memory.reserve_response(key(1), own()).unwrap_err();
        assert_eq!(refused.bytes, own());
        let part = first.slice(..10);
        drop((first, second));
        assert_eq!(memory.usage().total, 900, "a part holds all of it");
        drop(part);
        let shared = Bytes::from(vec![b'x'; 5000]);
        let readers: Vec<_> = (0..100)
            .map(|_| memory.reserve_response(key(1), shared.clone()).unwrap())
            .collect();
        assert_eq!(memory.usage().total, 5000);
        drop(shared);
        assert_eq!(
            memory.gauge().get(),
            5000,
            "the readers still hold the bytes"
        );
        drop(readers);
        assert_eq!(memory.usage().total, 0);
        assert!(memory.usage().readers.is_empty());
        let long = memory.reserve_response(key(1), Bytes::from(vec![b'x'; 4000]));
        assert!(
            long.is_ok(),
            "longer than a share, for an address that uses nothing"
        );
        assert!(memory.reserve_response(key(1), own()).is_err());
        assert!(memory.reserve_response(key(2), own()).is_ok());
    }
}
