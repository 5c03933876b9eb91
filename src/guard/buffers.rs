//! One budget for the memory of all unfinished requests together.
//!
//! An HTTP connection counts from its acceptance until it is closed or leaves HTTP, with the memory of
//! its buffers and its task. On top come the bytes of a long head, and of a body or a WebSocket message
//! that is still arriving. One source holds a part of the budget at most, so that a single address
//! cannot lock everyone else out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use super::Source;

/// Memory of an HTTP connection without a request: hyper's read and write buffers (8 KiB each), and
/// its task. Measured as growth of the process over 2,000 idle connections.
pub const CONNECTION_BYTES: usize = 24 * 1024;

/// Memory of a request that is being answered: its parsed head, and the futures around its handler.
/// Measured like `CONNECTION_BYTES`, over long polls.
pub const REQUEST_BYTES: usize = 30 * 1024;

/// One source holds this part of the budget at most.
const PART_OF_A_SOURCE: usize = 4;

/// Above this part of the budget, answers close their connection: idle connections hold buffers too.
const SCARCE_NUMERATOR: usize = 3;
const SCARCE_DENOMINATOR: usize = 4;

/// The budget. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Buffers(Arc<Shared>);

struct Shared {
    limit: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    bytes: usize,
    /// Bytes of each source; sources without any are left out.
    by_source: HashMap<Source, usize>,
}

/// Bytes taken from the budget; given back when this is dropped.
pub struct Buffered {
    budget: Buffers,
    /// `None` if no share of a source applies, as for this machine.
    source: Option<Source>,
    bytes: usize,
}

/// The budget, or the part of it that a source may have, is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuffersFull;

impl Buffers {
    pub fn new(limit: usize) -> Self {
        Buffers(Arc::new(Shared {
            limit,
            held: Mutex::default(),
        }))
    }

    /// Opens an account of 0 bytes for `source`.
    pub fn empty(&self, source: Option<Source>) -> Buffered {
        Buffered {
            budget: self.clone(),
            source,
            bytes: 0,
        }
    }

    /// Returns true if the budget is so short that idle connections should be closed.
    pub fn is_scarce(&self) -> bool {
        self.held().bytes >= self.0.limit / SCARCE_DENOMINATOR * SCARCE_NUMERATOR
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().expect("no holder of this lock panics")
    }
}

impl Buffered {
    /// Changes the number of bytes that are taken.
    ///
    /// # Errors
    /// When that is more than before and the budget has no room for it; the number then stays.
    pub fn resize(&mut self, bytes: usize) -> Result<(), BuffersFull> {
        if bytes == self.bytes {
            return Ok(());
        }
        let limit = self.budget.0.limit;
        let mut held = self.budget.held();
        let all = held.bytes - self.bytes + bytes;
        let of_source = self.source.map(|source| {
            let before = held.by_source.get(&source).copied().unwrap_or_default();
            (source, before - self.bytes + bytes)
        });
        let is_over = all > limit
            || of_source.is_some_and(|(_, of_source)| of_source > limit / PART_OF_A_SOURCE);
        if bytes > self.bytes && is_over {
            return Err(BuffersFull);
        }
        held.bytes = all;
        match of_source {
            Some((source, 0)) => drop(held.by_source.remove(&source)),
            Some((source, bytes)) => drop(held.by_source.insert(source, bytes)),
            None => {}
        }
        drop(held);
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Buffered {
    fn drop(&mut self) {
        // Giving back never fails.
        let _ = self.resize(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn source(last: u8) -> Option<Source> {
        Some(Source::of(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))))
    }

    #[test]
    fn all_together_hold_no_more_than_the_budget_and_get_it_back() {
        let budget = Buffers::new(1000);
        let mut held: Vec<_> = (0..4).map(|last| budget.empty(source(last))).collect();
        for buffered in &mut held {
            assert_eq!(buffered.resize(250), Ok(()));
        }
        assert!(budget.is_scarce());
        let mut more = budget.empty(None);
        assert_eq!(more.resize(1), Err(BuffersFull));
        assert_eq!(held[0].resize(100), Ok(()));
        assert_eq!(more.resize(150), Ok(()));
        assert_eq!(more.resize(151), Err(BuffersFull));
        assert_eq!(more.resize(150), Ok(()), "what was held stays");
        drop((held, more));
        assert_eq!(budget.held().bytes, 0);
        assert!(budget.held().by_source.is_empty());
        assert!(!budget.is_scarce());
    }

    #[test]
    fn one_source_holds_a_quarter_at_most_over_all_its_connections() {
        let budget = Buffers::new(1000);
        let (mut first, mut second) = (budget.empty(source(1)), budget.empty(source(1)));
        assert_eq!(first.resize(200), Ok(()));
        assert_eq!(second.resize(51), Err(BuffersFull));
        assert_eq!(second.resize(50), Ok(()));
        assert_eq!(budget.empty(source(2)).resize(250), Ok(()));
        assert_eq!(budget.empty(None).resize(750), Ok(()), "not one source");
        drop(first);
        assert_eq!(second.resize(250), Ok(()));
    }
}
