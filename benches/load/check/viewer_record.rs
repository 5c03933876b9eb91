//! Record of the messages to one viewer: enough to show that nothing was lost.
//!
//! A viewer of all pets must receive every rev. Gaps in the revs are recorded. A gap is allowed if the
//! viewer was behind: each change in the gap must have been replaced by a newer status of its pet before
//! the viewer received what follows. `loss` checks that.

use std::ops::RangeInclusive;

/// Gaps of one viewer that are recorded. A viewer with more cannot be checked.
const MAX_GAPS: usize = 10_000;

/// Revs that a viewer did not receive.
pub struct Gap {
    pub revs: RangeInclusive<u64>,
    /// Time at which what follows was received, in microseconds since the Unix epoch.
    pub seen_at: i64,
}

#[derive(Default)]
pub struct ViewerRecord {
    /// The pet that is watched; `None` for all.
    pub pet: Option<u64>,
    /// The rev at which the viewer started; set by the first message.
    pub start: Option<u64>,
    /// The newest rev that the viewer reached.
    pub last: u64,
    /// Revs that a viewer of all pets did not receive, ascending.
    pub gaps: Vec<Gap>,
    /// Revs that a viewer of one pet received, ascending.
    pub received: Vec<u64>,
    /// The rev of the newest snapshot after the start, which covers all revs up to it.
    pub snapshot_rev: u64,
    /// Number of changes that were skipped because the viewer was behind.
    pub skipped: u64,
    pub deliveries: u64,
    pub heartbeats: u64,
    /// The delay before reconnecting that `bye` asked for, in milliseconds.
    pub retry_ms: Option<u64>,
}

impl ViewerRecord {
    pub fn new(pet: Option<u64>) -> Self {
        ViewerRecord {
            pet,
            ..ViewerRecord::default()
        }
    }

    /// Records a hello. Later hellos of a poller have its current rev, or that of the next snapshot.
    pub fn hello(&mut self, rev: u64) -> Result<(), String> {
        match self.start {
            None => {
                self.start = Some(rev);
                self.last = rev;
                Ok(())
            }
            Some(_) if rev >= self.last => Ok(()),
            Some(_) => Err(format!("sent back to {rev} from {}", self.last)),
        }
    }

    /// Records a change.
    pub fn change(&mut self, rev: u64, now: i64) -> Result<(), String> {
        if self.start.is_none() {
            self.start = Some(rev - 1);
            self.last = rev - 1;
        }
        if rev <= self.last {
            return Err(format!("rev {rev} after {}", self.last));
        }
        match self.pet {
            Some(_) => self.received.push(rev),
            None => self.record_gap(rev, now)?,
        }
        self.last = rev;
        self.deliveries += 1;
        Ok(())
    }

    /// Records a snapshot. If it is newer than the viewer's rev, the viewer was behind.
    pub fn snapshot(&mut self, rev: u64) -> Result<(), String> {
        let Some(start) = self.start else {
            return self.hello(rev);
        };
        if rev < self.last {
            return Err(format!("a snapshot of {rev} after {}", self.last));
        }
        if rev > start {
            self.skipped += rev - self.last;
            self.snapshot_rev = rev;
            self.gaps.clear();
        }
        self.last = rev;
        Ok(())
    }

    /// Records a heartbeat, after which nothing up to `rev` is still to come.
    pub fn heartbeat(&mut self, rev: u64, now: i64) -> Result<(), String> {
        self.heartbeats += 1;
        if rev < self.last {
            return Err(format!("a heartbeat of {rev} after {}", self.last));
        }
        if self.pet.is_none() {
            self.record_gap(rev + 1, now)?;
        }
        self.last = rev;
        Ok(())
    }

    /// Returns true if the viewer received `rev`, or a snapshot that covers it.
    pub fn has_received(&self, rev: u64) -> bool {
        let is_covered = self.start.is_some_and(|start| rev <= start) || rev <= self.snapshot_rev;
        is_covered
            || match self.pet {
                Some(_) => self.received.binary_search(&rev).is_ok(),
                None => rev <= self.last && !self.is_in_gap(rev),
            }
    }

    fn is_in_gap(&self, rev: u64) -> bool {
        let after = self.gaps.partition_point(|gap| *gap.revs.start() <= rev);
        after > 0 && self.gaps[after - 1].revs.contains(&rev)
    }

    /// Records the gap before `rev`, if there is one.
    fn record_gap(&mut self, rev: u64, now: i64) -> Result<(), String> {
        let missing = rev - 1 - self.last;
        if missing > 0 {
            if self.gaps.len() == MAX_GAPS {
                return Err("too many gaps to check".to_owned());
            }
            self.gaps.push(Gap {
                revs: self.last + 1..=rev - 1,
                seen_at: now,
            });
            self.skipped += missing;
        }
        Ok(())
    }
}
