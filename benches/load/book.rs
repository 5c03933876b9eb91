//! What the whole fleet was given: the ledger, the figures of the time that is measured, and what
//! went wrong.

use std::time::{SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;

use crate::client::message::{Heading, Kind, heading, retry_ms_of};
use crate::ledger::Ledger;
use crate::seat::AddressPermit;

/// Faults that are shown; the rest is only counted.
const FAULTS_SHOWN: usize = 5;

/// The longest latency that is told apart, in microseconds: ten minutes.
const LATENCY_LIMIT: u64 = 600_000_000;

pub struct Book {
    pub ledger: Ledger,
    /// Microseconds from commit to receipt, of the deliveries that are measured.
    pub latency: Histogram<u64>,
    /// Deliveries while measuring.
    pub deliveries: u64,
    /// Deliveries since the start.
    pub total: u64,
    pub is_measuring: bool,
    pub faults: Vec<String>,
    pub faults_count: u64,
    /// Viewers that the server told to go.
    pub byes: u64,
}

impl Book {
    /// A book of the changes after `floor`.
    pub fn after(floor: u64) -> Self {
        Book {
            ledger: Ledger::after(floor),
            latency: Histogram::new_with_bounds(1, LATENCY_LIMIT, 3)
                .expect("the bounds of the histogram are constants"),
            deliveries: 0,
            total: 0,
            is_measuring: false,
            faults: Vec::new(),
            faults_count: 0,
            byes: 0,
        }
    }

    /// Starts to measure, from nothing.
    pub fn measure(&mut self) {
        self.latency.reset();
        self.deliveries = 0;
        self.is_measuring = true;
    }

    /// Takes one message that a viewer received at `now`; says what it was.
    pub fn take(
        &mut self,
        seat: &mut AddressPermit,
        json: &[u8],
        now: i64,
        is_counted: bool,
    ) -> Kind {
        let Heading { kind, rev } = heading(json);
        let taken = match (kind, rev) {
            (Kind::Change, Some(rev)) => self.take_change(seat, rev, json, now, is_counted),
            (Kind::Hello, Some(rev)) => seat.begin(rev),
            (Kind::Snapshot, Some(rev)) => seat.take_snapshot(rev),
            (Kind::Heartbeat, Some(rev)) => seat.take_heartbeat(rev, now),
            (Kind::Bye, _) => {
                self.byes += 1;
                seat.retry_ms = retry_ms_of(json);
                Ok(())
            }
            (Kind::Other, _) => Ok(()),
            (_, None) => Err(format!("{kind:?} without a cursor")),
        };
        if let Err(fault) = taken {
            self.fault(fault);
        }
        kind
    }

    fn take_change(
        &mut self,
        seat: &mut AddressPermit,
        rev: u64,
        json: &[u8],
        now: i64,
        is_counted: bool,
    ) -> Result<(), String> {
        let since = self.ledger.enter(rev, json)?;
        if let Some(pet) = seat.pet
            && self.ledger.get(rev).is_some_and(|change| change.pet != pet)
        {
            return Err(format!("rev {rev} to a viewer of pet {pet} only"));
        }
        seat.take(rev, now)?;
        if is_counted {
            self.total += 1;
            if self.is_measuring {
                self.deliveries += 1;
                let latency = u64::try_from(now - since).unwrap_or(0);
                self.latency.saturating_record(latency);
            }
        }
        Ok(())
    }

    pub fn fault(&mut self, fault: String) {
        self.faults_count += 1;
        if self.faults.len() < FAULTS_SHOWN {
            self.faults.push(fault);
        }
    }
}

/// The wall clock in microseconds: the one that commits are stamped with.
pub fn now_micros() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_micros()).unwrap_or(0))
}
