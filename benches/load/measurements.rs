//! What all viewers together received: the changes, the figures of the measured time, and faults.

use std::time::{SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;

use crate::check::change_log::ChangeLog;
use crate::check::viewer_record::ViewerRecord;
use crate::client::message::{Heading, Kind, heading, retry_ms_of};

/// Faults whose text is kept; the others are only counted.
const MAX_FAULTS: usize = 5;

/// Upper limit of the latency histogram in microseconds: ten minutes.
const MAX_LATENCY: u64 = 600_000_000;

pub struct Measurements {
    pub change_log: ChangeLog,
    /// Microseconds from commit to receipt of the measured deliveries.
    pub latency: Histogram<u64>,
    /// Deliveries while measuring.
    pub deliveries: u64,
    /// Deliveries since the start.
    pub total: u64,
    pub is_measuring: bool,
    pub faults: Vec<String>,
    pub faults_count: u64,
    /// Viewers that received `bye`.
    pub byes: u64,
}

impl Measurements {
    /// Creates measurements of the changes after `floor`.
    pub fn new(floor: u64) -> Self {
        Measurements {
            change_log: ChangeLog::new(floor),
            latency: Histogram::new_with_bounds(1, MAX_LATENCY, 3)
                .expect("the bounds of the histogram are constants"),
            deliveries: 0,
            total: 0,
            is_measuring: false,
            faults: Vec::new(),
            faults_count: 0,
            byes: 0,
        }
    }

    /// Starts to measure, from zero.
    pub fn start(&mut self) {
        self.latency.reset();
        self.deliveries = 0;
        self.is_measuring = true;
    }

    /// Records a message that a viewer received at `now`. Returns its kind.
    pub fn record_message(
        &mut self,
        record: &mut ViewerRecord,
        json: &[u8],
        now: i64,
        is_counted: bool,
    ) -> Kind {
        let Heading { kind, rev } = heading(json);
        let recorded = match (kind, rev) {
            (Kind::Change, Some(rev)) => self.record_change(record, rev, json, now, is_counted),
            (Kind::Hello, Some(rev)) => record.hello(rev),
            (Kind::Snapshot, Some(rev)) => record.snapshot(rev),
            (Kind::Heartbeat, Some(rev)) => record.heartbeat(rev, now),
            (Kind::Bye, _) => {
                self.byes += 1;
                record.retry_ms = retry_ms_of(json);
                Ok(())
            }
            (Kind::Other, _) => Ok(()),
            (_, None) => Err(format!("{kind:?} without a cursor")),
        };
        if let Err(fault) = recorded {
            self.add_fault(fault);
        }
        kind
    }

    fn record_change(
        &mut self,
        record: &mut ViewerRecord,
        rev: u64,
        json: &[u8],
        now: i64,
        is_counted: bool,
    ) -> Result<(), String> {
        let since = self.change_log.add(rev, json)?;
        if let Some(pet) = record.pet
            && self
                .change_log
                .get(rev)
                .is_some_and(|change| change.pet != pet)
        {
            return Err(format!("rev {rev} to a viewer of pet {pet} only"));
        }
        record.change(rev, now)?;
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

    /// Records a fault.
    pub fn add_fault(&mut self, fault: String) {
        self.faults_count += 1;
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault);
        }
    }
}

/// Reads the wall clock, from which commits have their timestamps, in microseconds.
pub fn now_micros() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_micros()).unwrap_or(0))
}
