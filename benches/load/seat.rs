//! What one viewer was given: enough to prove in the end that nothing was lost.
//!
//! A viewer of everything must see every rev. A hole in the revs is kept; it is forgiven when the
//! viewer was behind: then each change in it has to be one that a newer status of its pet had
//! replaced by the time the viewer was given what follows. `verdict` decides that.

use std::ops::RangeInclusive;

/// Holes of one viewer that are kept. One that has more is beyond what this bench can judge.
const HOLES_LIMIT: usize = 10_000;

/// Revs that a viewer was not given.
pub struct Hole {
    pub revs: RangeInclusive<u64>,
    /// When what follows was received, in microseconds since the Unix epoch.
    pub seen_at: i64,
}

#[derive(Default)]
pub struct AddressPermit {
    /// The only pet that is watched, or all.
    pub pet: Option<u64>,
    /// Where it began; set by the first message.
    pub start: Option<u64>,
    /// The newest rev it was brought to.
    pub last: u64,
    /// Revs it was not given, rising; for a viewer of everything.
    pub holes: Vec<Hole>,
    /// Revs it was given, rising; for a viewer of one pet.
    pub given: Vec<u64>,
    /// The newest snapshot it was given after the start: nothing up to here is missing.
    pub snapshot: u64,
    /// Changes it was not given because it was behind.
    pub skipped: u64,
    pub deliveries: u64,
    pub heartbeats: u64,
    /// How long the server asked it to stay away, in milliseconds, when it said `bye`.
    pub retry_ms: Option<u64>,
}

impl AddressPermit {
    pub fn of(pet: Option<u64>) -> Self {
        AddressPermit {
            pet,
            ..AddressPermit::default()
        }
    }

    /// Takes where the viewer starts from; later ones of a poller say where it is, or where the
    /// snapshot that follows brings it.
    pub fn begin(&mut self, rev: u64) -> Result<(), String> {
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

    /// Takes a change.
    pub fn take(&mut self, rev: u64, now: i64) -> Result<(), String> {
        if self.start.is_none() {
            self.start = Some(rev - 1);
            self.last = rev - 1;
        }
        if rev <= self.last {
            return Err(format!("rev {rev} after {}", self.last));
        }
        match self.pet {
            Some(_) => self.given.push(rev),
            None => self.skip(rev, now)?,
        }
        self.last = rev;
        self.deliveries += 1;
        Ok(())
    }

    /// Takes a snapshot; one that brings the viewer further means that it was behind.
    pub fn take_snapshot(&mut self, rev: u64) -> Result<(), String> {
        let Some(start) = self.start else {
            return self.begin(rev);
        };
        if rev < self.last {
            return Err(format!("a snapshot of {rev} after {}", self.last));
        }
        if rev > start {
            self.skipped += rev - self.last;
            self.snapshot = rev;
            self.holes.clear();
        }
        self.last = rev;
        Ok(())
    }

    /// Takes a heartbeat, which says that nothing up to `rev` is still to come.
    pub fn take_heartbeat(&mut self, rev: u64, now: i64) -> Result<(), String> {
        self.heartbeats += 1;
        if rev < self.last {
            return Err(format!("a heartbeat of {rev} after {}", self.last));
        }
        if self.pet.is_none() {
            self.skip(rev + 1, now)?;
        }
        self.last = rev;
        Ok(())
    }

    pub fn is_given(&self, rev: u64) -> bool {
        let is_covered = self.start.is_some_and(|start| rev <= start) || rev <= self.snapshot;
        is_covered
            || match self.pet {
                Some(_) => self.given.binary_search(&rev).is_ok(),
                None => rev <= self.last && !self.is_hole(rev),
            }
    }

    fn is_hole(&self, rev: u64) -> bool {
        let after = self.holes.partition_point(|hole| *hole.revs.start() <= rev);
        after > 0 && self.holes[after - 1].revs.contains(&rev)
    }

    /// Keeps the hole before `rev`, if there is one.
    fn skip(&mut self, rev: u64, now: i64) -> Result<(), String> {
        let missing = rev - 1 - self.last;
        if missing > 0 {
            if self.holes.len() == HOLES_LIMIT {
                return Err("more holes than can be judged".to_owned());
            }
            self.holes.push(Hole {
                revs: self.last + 1..=rev - 1,
                seen_at: now,
            });
            self.skipped += missing;
        }
        Ok(())
    }
}
