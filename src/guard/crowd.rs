//! How many connections each address has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use super::Source;

/// Seats, so many for each source. As many sources are remembered as have a seat.
pub struct Crowd {
    limit: u32,
    seated: Arc<Seated>,
}

type Seated = Mutex<HashMap<Source, u32>>;

/// A seat; given back when it is dropped.
pub struct Seat {
    source: Source,
    seated: Arc<Seated>,
}

impl Crowd {
    pub fn new(limit: u32) -> Self {
        Crowd {
            limit,
            seated: Arc::default(),
        }
    }

    /// `None` when `source` has all of its seats.
    pub fn enter(&self, source: Source) -> Option<Seat> {
        let mut seated = locked(&self.seated);
        let count = seated.entry(source).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Seat {
            source,
            seated: Arc::clone(&self.seated),
        })
    }
}

impl Drop for Seat {
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

fn locked(seated: &Seated) -> MutexGuard<'_, HashMap<Source, u32>> {
    seated.lock().expect("no holder of this lock panics")
}
