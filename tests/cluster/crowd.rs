//! A crowd of viewers over every transport, who come back with their cursor when they lose their
//! connection, as the page does; and what each of them saw.
//!
//! Each viewer is a bare socket, so that thousands fit beside the cluster that they watch. Every
//! message is compared with what others got under the same cursor.

mod ledger;
mod parts;
mod watcher;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use self::ledger::Ledger;
pub use self::watcher::Seen;
use self::watcher::Watcher;

/// Of every fifteen viewers seven watch over WebSocket, seven over Server-Sent Events, one polls.
const TRANSPORTS: [&str; 15] = [
    "ws", "sse", "ws", "sse", "ws", "sse", "ws", "sse", "ws", "sse", "ws", "sse", "ws", "sse",
    "poll",
];

/// Viewers who come at once.
const JOINING: usize = 256;

/// How long may pass until everyone has joined, or has seen the last change. Far above what it
/// takes.
const LIMIT: Duration = Duration::from_mins(2);

/// What all viewers of a crowd share.
struct Shared {
    balancer: SocketAddr,
    /// The last rev, once there will be no other.
    last: watch::Receiver<Option<u64>>,
    joining: Semaphore,
    joined: AtomicUsize,
    ledger: Mutex<Ledger>,
    /// The rev that each viewer is at.
    places: Vec<AtomicU64>,
    faults: Mutex<Vec<String>>,
}

pub struct AddressLimiter {
    shared: Arc<Shared>,
    last: watch::Sender<Option<u64>>,
    viewers: JoinSet<Seen>,
}

/// What a crowd saw.
pub struct Story {
    pub viewers: Vec<Seen>,
    /// Every change that anybody saw: its rev and its message.
    pub changes: Vec<(u64, String)>,
}

impl AddressLimiter {
    /// Brings `count` viewers in through the balancer at `address`, and waits until all are there.
    pub async fn join(balancer: SocketAddr, count: usize) -> Self {
        let (last, watching) = watch::channel(None);
        let shared = Arc::new(Shared {
            balancer,
            last: watching,
            joining: Semaphore::new(JOINING),
            joined: AtomicUsize::new(0),
            ledger: Mutex::default(),
            places: (0..count).map(|_| AtomicU64::new(0)).collect(),
            faults: Mutex::default(),
        });
        let mut viewers = JoinSet::new();
        for number in 0..count {
            let transport = TRANSPORTS[number % TRANSPORTS.len()];
            viewers.spawn(Watcher::new(number, transport, Arc::clone(&shared)).watch());
        }
        let deadline = Instant::now() + LIMIT;
        loop {
            let joined = shared.joined.load(Ordering::Relaxed);
            if joined == count {
                break;
            }
            assert!(Instant::now() < deadline, "{joined} of {count} came in");
            sleep_until(Instant::now() + Duration::from_millis(10)).await;
        }
        AddressLimiter {
            shared,
            last,
            viewers,
        }
    }

    /// Waits until everyone has seen the change `last`, after which there is no other.
    pub async fn end(mut self, last: u64) -> Story {
        self.last.send_replace(Some(last));
        let deadline = Instant::now() + LIMIT;
        let mut viewers = Vec::new();
        while let Ok(Some(seen)) = timeout_at(deadline, self.viewers.join_next()).await {
            viewers.push(seen.unwrap());
        }
        let faults = self.shared.faults.lock().unwrap();
        assert!(
            faults.is_empty(),
            "{} faults: {:?}",
            faults.len(),
            &faults[..faults.len().min(5)]
        );
        let places = self.shared.places.iter();
        let places = places.map(|place| place.load(Ordering::Relaxed));
        let late: Vec<(usize, u64)> = places
            .enumerate()
            .filter(|(_, place)| *place < last)
            .collect();
        assert!(
            self.viewers.is_empty(),
            "not everyone got to {last} within {LIMIT:?}; those who did not, and where they are: {late:?}"
        );
        let changes = self.shared.ledger.lock().unwrap().changes();
        Story { viewers, changes }
    }
}

impl Story {
    /// Holds what each viewer saw against every change there was: exactly these, once each, in
    /// this order.
    pub fn assert_exact(&self) {
        let revs: Vec<u64> = self.changes.iter().map(|(rev, _)| *rev).collect();
        for seen in &self.viewers {
            let expected = &revs[revs.partition_point(|rev| *rev <= seen.first)..];
            assert!(
                !expected.is_empty(),
                "a crowd that saw nothing proves little"
            );
            if seen.revs != expected {
                let missed: Vec<&u64> = expected
                    .iter()
                    .filter(|rev| !seen.revs.contains(rev))
                    .collect();
                panic!(
                    "{} from {} on: missed {missed:?}, repeated or out of order if none",
                    seen.who, seen.first
                );
            }
        }
    }

    /// The messages that everybody got, added up.
    pub fn deliveries(&self) -> usize {
        self.viewers.iter().map(|seen| seen.revs.len()).sum()
    }

    /// How long those who lost their connection at `killed` or later heard nothing from then on,
    /// without the time that they waited on purpose; rising. Some lose one for other reasons later:
    /// nginx closes one after 1,000 requests.
    pub fn away(&self, killed: Instant) -> Vec<Duration> {
        let returns = self.viewers.iter().flat_map(|seen| &seen.returns);
        let away = returns.map(|back| {
            let silence = back.at.duration_since(back.heard.max(killed));
            silence.saturating_sub(back.waited)
        });
        let mut away: Vec<Duration> = away.collect();
        away.sort_unstable();
        away
    }

    /// How many viewers were told that what they see may be old.
    pub fn told_stale(&self) -> usize {
        self.viewers.iter().filter(|seen| seen.stales > 0).count()
    }
}
