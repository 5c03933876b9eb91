//! How many connections each address has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use super::Source;

/// Seats, so many for each source. As many sources are remembered as have a seat.
pub struct AddressLimiter {
    limit: u32,
    seated: Arc<AddressCounts>,
}

type AddressCounts = Mutex<HashMap<Source, u32>>;

/// A seat; given back when it is dropped.
pub struct AddressPermit {
    source: Source,
    seated: Arc<AddressCounts>,
}

impl AddressLimiter {
    pub fn new(limit: u32) -> Self {
        AddressLimiter {
            limit,
            seated: Arc::default(),
        }
    }

    /// `None` when `source` has all of its seats.
    pub fn enter(&self, source: Source) -> Option<AddressPermit> {
        let mut seated = locked(&self.seated);
        let count = seated.entry(source).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(AddressPermit {
            source,
            seated: Arc::clone(&self.seated),
        })
    }
}

impl Drop for AddressPermit {
    fn drop(&mut self) {
        let mut seated = locked(&self.seated);
        if let Some(count) = seated.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                seated.remove(&self.source);
            }
        }
    }
}

fn locked(seated: &AddressCounts) -> MutexGuard<'_, HashMap<Source, u32>> {
    seated.lock().expect("no holder of this lock panics")
}
