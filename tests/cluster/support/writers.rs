//! Writes at a steady rate at all nodes, and a record of their outcomes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::support::{rev_of, within};

/// Number of pets that are written to.
pub const PETS: u64 = 48;

const STATUSES: [&str; 4] = ["eating", "bathing", "playing", "sleeping"];

/// Maximum of concurrent writes; during an outage each may take seconds.
const MAX_IN_FLIGHT: usize = 64;

/// A write that was acknowledged.
#[derive(Debug)]
pub struct AcknowledgedWrite {
    pub cursor: String,
    pub pet: u64,
    pub status: &'static str,
    pub sent: Instant,
    pub acknowledged: Instant,
}

/// The outcomes of all writes.
#[derive(Default)]
pub struct WriteRecord {
    pub acknowledged: Vec<AcknowledgedWrite>,
    /// Writes without an answer, or whose answer says that the outcome is unknown.
    pub unknown: usize,
    /// Writes that were certainly not made.
    pub refused: usize,
    /// The pet, the status and the detail of those.
    refusals: Vec<(u64, &'static str, String)>,
}

enum WriteOutcome {
    Acknowledged(AcknowledgedWrite),
    Unknown,
    Refused(u64, &'static str, String),
}

pub struct Writers {
    stop: oneshot::Sender<()>,
    acknowledged: watch::Receiver<usize>,
    /// The node that is not written to.
    avoided: Arc<AtomicUsize>,
    task: JoinHandle<WriteRecord>,
}

impl Writers {
    /// Starts to write at the nodes at `bases` in turn.
    pub fn start(bases: Vec<String>, per_second: u32) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (progress, acknowledged) = watch::channel(0);
        let avoided = Arc::new(AtomicUsize::new(usize::MAX));
        let writes = write(bases, per_second, Arc::clone(&avoided), progress, stopped);
        Writers {
            stop,
            acknowledged,
            avoided,
            task: tokio::spawn(writes),
        }
    }

    /// Waits until `count` more writes were acknowledged, each within the limit.
    pub async fn wait_for_acknowledged(&self, count: usize) {
        let mut acknowledged = self.acknowledged.clone();
        let mut now = *acknowledged.borrow();
        let enough = now + count;
        while now < enough {
            let more = acknowledged.wait_for(|acknowledged| *acknowledged > now);
            now = *within("another acknowledged write", more).await.unwrap();
        }
    }

    /// Writes only at the other nodes from now on.
    pub fn avoid(&self, node: usize) {
        self.avoided.store(node, Ordering::Relaxed);
    }

    /// Stops, and returns the outcomes when all writes were answered.
    pub async fn stop(self) -> WriteRecord {
        // Fails when the task has panicked, which the next line reports.
        let _ = self.stop.send(());
        within("the last answers", self.task).await.unwrap()
    }
}

async fn write(
    bases: Vec<String>,
    per_second: u32,
    avoided: Arc<AtomicUsize>,
    progress: watch::Sender<usize>,
    mut stopped: oneshot::Receiver<()>,
) -> WriteRecord {
    let client = Client::builder().no_proxy().build().unwrap();
    let mut ticks = interval(Duration::from_secs(1) / per_second);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut in_flight, mut writes) = (JoinSet::new(), WriteRecord::default());
    for turn in 0.. {
        tokio::select! {
            _ = &mut stopped => break,
            _ = ticks.tick() => {}
        }
        let mut node = turn % bases.len();
        if node == avoided.load(Ordering::Relaxed) {
            node = (node + 1) % bases.len();
        }
        if in_flight.len() < MAX_IN_FLIGHT {
            in_flight.spawn(set_status(client.clone(), bases[node].clone(), turn));
        }
        while let Some(outcome) = in_flight.try_join_next() {
            writes.add(outcome.unwrap());
        }
        progress.send_replace(writes.acknowledged.len());
    }
    while let Some(outcome) = in_flight.join_next().await {
        writes.add(outcome.unwrap());
    }
    writes
}

async fn set_status(client: Client, base: String, turn: usize) -> WriteOutcome {
    let pet = turn as u64 % PETS + 1;
    let status = STATUSES[turn / 7 % STATUSES.len()];
    let request = client.put(format!("{base}/api/v1/pets/{pet}/status"));
    let sent = Instant::now();
    let Ok(answer) = request.json(&json!({ "status": status })).send().await else {
        return WriteOutcome::Unknown;
    };
    let code = answer.status().as_u16();
    let Ok(answer) = answer.json::<Value>().await else {
        return WriteOutcome::Unknown;
    };
    let detail = answer["detail"].as_str().unwrap_or_default();
    match code {
        200 => WriteOutcome::Acknowledged(AcknowledgedWrite {
            cursor: answer["cursor"].as_str().unwrap().to_owned(),
            pet,
            status,
            sent,
            acknowledged: Instant::now(),
        }),
        503 if detail.contains("may still be applied") => WriteOutcome::Unknown,
        409 | 503 => WriteOutcome::Refused(pet, status, detail.to_owned()),
        _ => panic!("{answer}"),
    }
}

impl WriteRecord {
    fn add(&mut self, outcome: WriteOutcome) {
        match outcome {
            WriteOutcome::Acknowledged(write) => self.acknowledged.push(write),
            WriteOutcome::Unknown => self.unknown += 1,
            WriteOutcome::Refused(pet, status, detail) => {
                self.refused += 1;
                self.refusals.push((pet, status, detail));
            }
        }
    }

    /// Asserts that each acknowledged write is among the changes that were seen, once and as it was
    /// sent, and that the other changes are at most those of unknown outcome.
    pub fn assert_kept(&self, changes: &[(u64, String)]) {
        for write in &self.acknowledged {
            let rev = rev_of(&write.cursor);
            let index = changes.binary_search_by_key(&rev, |(rev, _)| *rev);
            let index = index.unwrap_or_else(|_| panic!("lost: {write:?}"));
            let change: Value = serde_json::from_str(&changes[index].1).unwrap();
            assert_eq!(change["cursor"], write.cursor.as_str());
            assert_eq!(change["pet"], write.pet, "{write:?} is {change}");
            assert_eq!(change["status"], write.status, "{write:?} is {change}");
        }
        let mut cursors: Vec<&str> = self
            .acknowledged
            .iter()
            .map(|write| &*write.cursor)
            .collect();
        cursors.sort_unstable();
        cursors.dedup();
        assert_eq!(
            cursors.len(),
            self.acknowledged.len(),
            "a cursor was used twice"
        );
        let others = changes.len() - cursors.len();
        assert!(
            others <= self.unknown,
            "{others} changes were not acknowledged, and {} outcomes were unknown: {:?}; refused: {:?}",
            self.unknown,
            self.unacknowledged(changes),
            self.refusals
        );
    }

    fn unacknowledged<'a>(&self, changes: &'a [(u64, String)]) -> Vec<&'a str> {
        let revs = self.acknowledged.iter().map(|write| rev_of(&write.cursor));
        let revs: Vec<u64> = revs.collect();
        let others = changes.iter().filter(|(rev, _)| !revs.contains(rev));
        others.map(|(_, message)| &**message).collect()
    }

    /// Returns the time from `failed_at` until a write was acknowledged that was sent after it.
    pub fn resumed_after(&self, failed_at: Instant) -> Duration {
        let later = self
            .acknowledged
            .iter()
            .filter(|write| write.sent >= failed_at);
        let acknowledged = later.map(|write| write.acknowledged).min();
        acknowledged
            .expect("writes resumed")
            .duration_since(failed_at)
    }
}
