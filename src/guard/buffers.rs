//! One budget for the memory of all unfinished requests and unsent answers together.
//!
//! An HTTP connection counts from its acceptance until it is closed or leaves HTTP, with the memory of
//! its buffers and its task. On top come the bytes of a long head, of a body or a WebSocket message
//! that is still arriving, and of an answer until it was written to the socket. Bytes that several
//! answers share count once. One source holds a part of the budget at most, so that a single address
//! cannot lock everyone else out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use prometheus::IntGauge;

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
    /// `Held::bytes`, for the metrics.
    gauge: IntGauge,
}

#[derive(Default)]
struct Held {
    bytes: usize,
    /// Bytes of each source; sources without any are left out.
    by_source: HashMap<Source, usize>,
    /// Number of readers, by address and length of the bytes that they share.
    shared: HashMap<(usize, usize), usize>,
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

/// As `BuffersFull`, with the bytes of the answer that there is no room for.
#[derive(Debug, PartialEq, Eq)]
pub struct AnswerRefused {
    pub bytes: Bytes,
}

impl Buffers {
    pub fn new(limit: usize) -> Self {
        Buffers(Arc::new(Shared {
            limit,
            held: Mutex::default(),
            gauge: IntGauge::new(
                "petstore_request_buffer_bytes",
                "Memory that unfinished requests and unsent answers hold.",
            )
            .expect("metric names are fixed and valid"),
        }))
    }

    /// The bytes that are held, as a metric.
    pub fn gauge(&self) -> IntGauge {
        self.0.gauge.clone()
    }

    /// Charges the bytes of an answer until the last clone of the result is dropped: to `source`, or
    /// once for all readers if something else holds the bytes too.
    ///
    /// # Errors
    /// When the budget has no room, or `source` holds its share already.
    pub fn charge(&self, source: Option<Source>, bytes: Bytes) -> Result<Bytes, AnswerRefused> {
        let (bytes, charge) = match bytes.try_into_mut() {
            Ok(own) => {
                let mut buffered = self.empty(source);
                // A string that grew has up to twice its length.
                let room = buffered.resize_for_answer(own.capacity());
                let charge = room.map(|()| Charge::Own(buffered));
                (own.freeze(), charge)
            }
            Err(bytes) => {
                let charge = SharedCharge::take(self, &bytes);
                (bytes, charge.map(Charge::Shared))
            }
        };
        let Ok(charge) = charge else {
            return Err(AnswerRefused { bytes });
        };
        Ok(Bytes::from_owner(Charged {
            _charge: charge,
            bytes,
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

    fn set_bytes(&self, held: &mut Held, bytes: usize) {
        held.bytes = bytes;
        self.0.gauge.set(i64::try_from(bytes).unwrap_or(i64::MAX));
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
        self.set(bytes, bytes)
    }

    /// As `resize`. An answer longer than half of a source's share counts as half of it there: a
    /// source that holds little gets every answer that the whole budget has room for.
    fn resize_for_answer(&mut self, bytes: usize) -> Result<(), BuffersFull> {
        let half = self.budget.0.limit / PART_OF_A_SOURCE / 2;
        self.set(bytes, bytes.min(half))
    }

    /// Holds `bytes`, if the source's share has room for `needed` of them.
    fn set(&mut self, bytes: usize, needed: usize) -> Result<(), BuffersFull> {
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
            || of_source.is_some_and(|(_, of_source)| {
                of_source - bytes + needed > limit / PART_OF_A_SOURCE
            });
        if bytes > self.bytes && is_over {
            return Err(BuffersFull);
        }
        self.budget.set_bytes(&mut held, all);
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

/// Bytes of an answer, with what they take from the budget.
struct Charged {
    /// Given back before the bytes are.
    _charge: Charge,
    bytes: Bytes,
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[expect(dead_code, reason = "held for the drop of what they hold")]
enum Charge {
    Own(Buffered),
    Shared(SharedCharge),
}

/// One reader's part in bytes that are charged once. The bytes outlive it, so that their address
/// stays theirs.
struct SharedCharge {
    budget: Buffers,
    key: (usize, usize),
}

impl SharedCharge {
    fn take(budget: &Buffers, bytes: &Bytes) -> Result<Self, BuffersFull> {
        let key = (bytes.as_ptr().addr(), bytes.len());
        let mut held = budget.held();
        if let Some(readers) = held.shared.get_mut(&key) {
            *readers += 1;
        } else {
            let all = held.bytes + bytes.len();
            if all > budget.0.limit {
                return Err(BuffersFull);
            }
            budget.set_bytes(&mut held, all);
            held.shared.insert(key, 1);
        }
        drop(held);
        Ok(SharedCharge {
            budget: budget.clone(),
            key,
        })
    }
}

impl Drop for SharedCharge {
    fn drop(&mut self) {
        let mut held = self.budget.held();
        let Some(readers) = held.shared.get_mut(&self.key) else {
            return;
        };
        *readers -= 1;
        if *readers == 0 {
            held.shared.remove(&self.key);
            let rest = held.bytes - self.key.1;
            self.budget.set_bytes(&mut held, rest);
        }
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

    #[test]
    fn an_answer_is_charged_until_it_is_dropped_and_shared_bytes_once() {
        let budget = Buffers::new(8000);
        let own = || Bytes::from(vec![b'x'; 900]);
        let first = budget.charge(source(1), own()).unwrap();
        let second = budget.charge(source(1), own()).unwrap();
        assert_eq!(budget.held().bytes, 1800);
        assert_eq!(budget.charge(source(1), own()).unwrap_err().bytes, own());
        let part = first.slice(..10);
        drop((first, second));
        assert_eq!(budget.held().bytes, 900, "a part holds all of it");
        drop(part);
        let kept = Bytes::from(vec![b'x'; 5000]);
        let readers: Vec<_> = (0..100)
            .map(|_| budget.charge(source(1), kept.clone()).unwrap())
            .collect();
        assert_eq!(budget.held().bytes, 5000);
        drop(kept);
        assert_eq!(budget.gauge().get(), 5000, "held by those who read it");
        drop(readers);
        assert_eq!(budget.held().bytes, 0);
        assert!(budget.held().shared.is_empty());
        // One long answer is not too long for a source that holds nothing.
        let long = budget.charge(source(1), Bytes::from(vec![b'x'; 4000]));
        assert!(long.is_ok());
        assert_eq!(budget.charge(source(1), own()).unwrap_err().bytes, own());
        assert!(budget.charge(source(2), own()).is_ok());
    }
}
