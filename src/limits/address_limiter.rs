//! Counts the connections of each address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use super::AddressKey;

/// Grants each address a limited number of permits. Only addresses that hold a permit take memory.
pub struct AddressLimiter {
    limit: u32,
    counts: Arc<AddressCounts>,
}

type AddressCounts = Mutex<HashMap<AddressKey, u32>>;

/// Permission for one connection of an address; given back when it is dropped.
pub struct AddressPermit {
    key: AddressKey,
    counts: Arc<AddressCounts>,
}

impl AddressLimiter {
    /// Creates a limiter that grants `limit` permits to each address.
    pub fn new(limit: u32) -> Self {
        AddressLimiter {
            limit,
            counts: Arc::default(),
        }
    }

    /// Returns a permit, or `None` if the address holds as many as it may.
    pub fn try_acquire(&self, key: AddressKey) -> Option<AddressPermit> {
        let mut counts = lock(&self.counts);
        let count = counts.entry(key).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(AddressPermit {
            key,
            counts: Arc::clone(&self.counts),
        })
    }
}

impl Drop for AddressPermit {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

fn lock(counts: &AddressCounts) -> MutexGuard<'_, HashMap<AddressKey, u32>> {
    counts.lock().expect("no holder of this lock panics")
}
