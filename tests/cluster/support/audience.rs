//! Viewers over every transport that reconnect with their cursor, as the page does, and a record of
//! what each of them saw.
//!
//! Each viewer is a bare socket, so that thousands fit beside the cluster. Every message is compared
//! with what other viewers got under the same cursor.

mod message_parser;
mod viewer;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use self::viewer::AudienceViewer;
pub use self::viewer::ViewerRecord;

/// Of fifteen viewers, seven use WebSocket, seven use Server-Sent Events, and one polls.
const TRANSPORTS: [&str; 15] = [
    "ws", "sse", "ws", "sse", "ws", "sse", "ws", "sse", "ws", "sse", "ws", "sse", "ws", "sse",
    "poll",
];

/// Viewers that connect concurrently.
const CONCURRENT_JOINS: usize = 256;

/// Limit until all viewers have joined, or have seen the last change; far above what it takes.
const LIMIT: Duration = Duration::from_mins(2);

/// What all viewers of an audience share.
struct Shared {
    balancer: SocketAddr,
    /// The last rev, once it is known.
    last: watch::Receiver<Option<u64>>,
    joining: Semaphore,
    joined: watch::Sender<usize>,
    /// The message of each change that a viewer saw, by rev, without the last field: `after` depends on
    /// the viewer.
    changes: Mutex<BTreeMap<u64, Box<[u8]>>>,
    /// The rev of each viewer.
    revs: Vec<AtomicU64>,
    faults: Mutex<Vec<String>>,
}

impl Shared {
    /// Records the message of the change `rev`, or compares it with what other viewers got.
    fn record_change(&self, rev: u64, json: &[u8]) -> Result<(), String> {
        let end =
            memchr::memmem::rfind(json, b",\"after\":").expect("a change names the one before");
        let json = &json[..end];
        let mut changes = self.changes.lock().unwrap();
        let known = changes.entry(rev).or_insert_with(|| json.into());
        if **known == *json {
            return Ok(());
        }
        let (known, json) = (
            String::from_utf8_lossy(known),
            String::from_utf8_lossy(json),
        );
        Err(format!("{known} for one viewer, {json} for another"))
    }
}

pub struct Audience {
    shared: Arc<Shared>,
    last: watch::Sender<Option<u64>>,
    viewers: JoinSet<ViewerRecord>,
}

/// What an audience saw.
pub struct AudienceRecord {
    pub viewers: Vec<ViewerRecord>,
    /// The rev and message of every change that a viewer saw.
    pub changes: Vec<(u64, String)>,
}

impl Audience {
    /// Connects `count` viewers over the balancer, and waits until all have joined.
    pub async fn join(balancer: SocketAddr, count: usize) -> Self {
        let (last, watching) = watch::channel(None);
        let shared = Arc::new(Shared {
            balancer,
            last: watching,
            joining: Semaphore::new(CONCURRENT_JOINS),
            joined: watch::Sender::new(0),
            changes: Mutex::default(),
            revs: (0..count).map(|_| AtomicU64::new(0)).collect(),
            faults: Mutex::default(),
        });
        let mut viewers = JoinSet::new();
        for number in 0..count {
            let transport = TRANSPORTS[number % TRANSPORTS.len()];
            viewers.spawn(AudienceViewer::new(number, transport, Arc::clone(&shared)).watch());
        }
        let mut joined = shared.joined.subscribe();
        let all = timeout(LIMIT, joined.wait_for(|joined| *joined == count));
        let is_complete = all.await.is_ok();
        assert!(is_complete, "{} of {count} joined", *shared.joined.borrow());
        Audience {
            shared,
            last,
            viewers,
        }
    }

    /// Waits until every viewer has seen the last change, at rev `last`.
    pub async fn finish(mut self, last: u64) -> AudienceRecord {
        self.last.send_replace(Some(last));
        let deadline = Instant::now() + LIMIT;
        let mut viewers = Vec::new();
        while let Ok(Some(seen)) = timeout_at(deadline, self.viewers.join_next()).await {
            viewers.push(seen.unwrap());
        }
        let faults = self.shared.faults.lock().unwrap();
        let (count, first) = (faults.len(), &faults[..faults.len().min(5)]);
        assert!(faults.is_empty(), "{count} faults: {first:?}");
        let revs = self
            .shared
            .revs
            .iter()
            .map(|rev| rev.load(Ordering::Relaxed));
        let late: Vec<(usize, u64)> = revs.enumerate().filter(|(_, rev)| *rev < last).collect();
        assert!(
            self.viewers.is_empty(),
            "not every viewer saw {last} within {LIMIT:?}; the others and their revs: {late:?}"
        );
        let changes = self.shared.changes.lock().unwrap();
        let changes = changes.iter();
        // Closes the object whose last field was left out.
        let changes = changes.map(|(rev, json)| (*rev, String::from_utf8_lossy(json) + "}"));
        let changes = changes.map(|(rev, json)| (rev, json.into_owned()));
        let changes = changes.collect();
        AudienceRecord { viewers, changes }
    }
}

impl AudienceRecord {
    /// Asserts that each viewer saw exactly the changes after its first rev, once and in order.
    pub fn assert_exact(&self) {
        let revs: Vec<u64> = self.changes.iter().map(|(rev, _)| *rev).collect();
        for viewer in &self.viewers {
            let expected = &revs[revs.partition_point(|rev| *rev <= viewer.first)..];
            assert!(!expected.is_empty(), "the audience saw no change");
            if viewer.revs != expected {
                let is_missed = |rev: &&u64| !viewer.revs.contains(rev);
                let missed: Vec<&u64> = expected.iter().filter(is_missed).collect();
                panic!(
                    "{} from {} on: missed {missed:?}, repeated or out of order if none",
                    viewer.name, viewer.first
                );
            }
        }
    }

    /// Returns the number of messages that all viewers got.
    pub fn deliveries(&self) -> usize {
        self.viewers.iter().map(|viewer| viewer.revs.len()).sum()
    }

    /// Returns how long viewers that lost their connection at `killed` or later received nothing from
    /// then on, without their back-off, in ascending order. Some lose a connection later for other
    /// reasons: nginx closes one after 1,000 requests.
    pub fn downtimes(&self, killed: Instant) -> Vec<Duration> {
        let reconnects = self.viewers.iter().flat_map(|viewer| &viewer.reconnects);
        let downtimes = reconnects.map(|reconnect| {
            let silence = reconnect
                .at
                .duration_since(reconnect.last_message.max(killed));
            silence.saturating_sub(reconnect.back_off)
        });
        let mut downtimes: Vec<Duration> = downtimes.collect();
        downtimes.sort_unstable();
        downtimes
    }

    /// Returns how many viewers were notified that the board may be old.
    pub fn notified_stale(&self) -> usize {
        let is_told = |viewer: &&ViewerRecord| viewer.stales > 0;
        self.viewers.iter().filter(is_told).count()
    }
}
