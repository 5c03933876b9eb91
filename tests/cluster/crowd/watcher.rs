//! One viewer of a crowd: joins, reads, loses its connection, waits as the page does, comes back.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use super::Shared;
use super::parts::message::{Heading, Kind, heading};
use super::parts::{Parts, request};

/// Silence after which a viewer leaves a connection. Nodes of these tests send something each
/// second.
const SILENCE: Duration = Duration::from_secs(30);

/// The first wait before coming back, and the longest; by chance anything up to it.
const RETRY: Duration = Duration::from_millis(500);
const RETRY_LIMIT: Duration = Duration::from_secs(6);

/// What one viewer saw.
pub struct Seen {
    /// Its number and its transport.
    pub who: String,
    /// The rev of its first cursor.
    pub first: u64,
    /// The revs of all changes, in the order of arrival.
    pub revs: Vec<u64>,
    /// How often it was told that what it sees may be old.
    pub stales: usize,
    /// Each time that it lost its connection and was live again.
    pub returns: Vec<Return>,
}

/// A viewer is live again.
pub struct Return {
    pub at: Instant,
    /// When it had last heard anything before.
    pub heard: Instant,
    /// How long it waited on purpose meanwhile.
    pub waited: Duration,
}

pub struct Watcher {
    number: usize,
    transport: &'static str,
    shared: Arc<Shared>,
    seen: Seen,
    cursor: Option<String>,
    /// The rev of the cursor.
    at: u64,
    /// When it heard anything while it was live.
    heard: Instant,
    /// Since it was live: how often it came in vain, and how long it waited.
    tries: u32,
    waited: Duration,
    is_live: bool,
}

impl Watcher {
    pub fn new(number: usize, transport: &'static str, shared: Arc<Shared>) -> Self {
        let seen = Seen {
            who: format!("viewer {number} over {transport}"),
            first: 0,
            revs: Vec::new(),
            stales: 0,
            returns: Vec::new(),
        };
        Watcher {
            number,
            transport,
            shared,
            seen,
            cursor: None,
            at: 0,
            heard: Instant::now(),
            tries: 0,
            waited: Duration::ZERO,
            is_live: false,
        }
    }

    /// Watches until the last change.
    pub async fn watch(mut self) -> Seen {
        // Ends with an error each time that the connection is lost.
        while let Err(reason) = self.stay().await {
            if self.cursor.is_none() {
                self.fault(format!("was not let in: {reason}"));
                return self.seen;
            }
            self.is_live = false;
            let limit = RETRY_LIMIT.min(RETRY * 2_u32.pow(self.tries.min(8)));
            let wait = limit.mul_f64(rand::random::<f64>());
            self.tries += 1;
            self.waited += wait;
            sleep_until(Instant::now() + wait).await;
        }
        self.seen
    }

    /// One connection, up to the last change.
    async fn stay(&mut self) -> Result<(), String> {
        let shared = Arc::clone(&self.shared);
        // Everyone at once would wait for the listening queue and not for the cluster.
        let turn = shared.joining.acquire().await.ok();
        let mut stream = TcpStream::connect(shared.balancer)
            .await
            .map_err(|error| error.to_string())?;
        self.ask(&mut stream).await?;
        let mut parts = Parts::new();
        let mut turn = turn;
        while !self.is_over() {
            let reading = timeout(SILENCE, stream.read_buf(parts.buffer())).await;
            let count = reading.map_err(|_| "silence".to_owned())?;
            if count.map_err(|error| error.to_string())? == 0 {
                return Err("closed".to_owned());
            }
            let has_ended = parts.split(self.transport, |json| self.take(json))?;
            if self.is_live {
                self.heard = Instant::now();
                turn = None;
            }
            if has_ended {
                self.ask(&mut stream).await?;
            }
        }
        drop(turn);
        Ok(())
    }

    /// The end of the story is told by the crowd; the last message may have come before that, and
    /// then the next heartbeat is read.
    fn is_over(&self) -> bool {
        self.shared
            .last
            .borrow()
            .is_some_and(|last| self.at >= last)
    }

    async fn ask(&self, stream: &mut TcpStream) -> Result<(), String> {
        let since = self.cursor.iter().map(|cursor| format!("&since={cursor}"));
        let since: String = since.collect();
        let path = format!("/live/{}?wait=1{since}", self.transport);
        let sent = stream.write_all(&request(self.transport, &path)).await;
        sent.map_err(|error| error.to_string())
    }

    fn take(&mut self, json: &[u8]) {
        let Heading { kind, rev } = heading(json);
        match (kind, rev) {
            (Kind::Hello, Some(rev)) => self.take_hello(rev, json),
            (Kind::Snapshot, Some(rev)) if self.seen.revs.is_empty() && rev == self.seen.first => {}
            (Kind::Change, Some(rev)) => self.take_change(rev, json),
            (Kind::Heartbeat, Some(rev)) if rev == self.at => {}
            (Kind::Bye, None) => {}
            (Kind::Other, None) => self.seen.stales += 1,
            _ => self.fault(format!("at {}: {}", self.at, String::from_utf8_lossy(json))),
        }
    }

    fn take_hello(&mut self, rev: u64, json: &[u8]) {
        if self.cursor.is_none() {
            (self.seen.first, self.at) = (rev, rev);
            self.shared.joined.fetch_add(1, Ordering::Relaxed);
        } else if rev != self.at {
            self.fault(format!(
                "came back with {} and is greeted at {rev}",
                self.at
            ));
        }
        if self.tries > 0 {
            let waited = std::mem::take(&mut self.waited);
            self.seen.returns.push(Return {
                at: Instant::now(),
                heard: self.heard,
                waited,
            });
            self.tries = 0;
        }
        self.is_live = true;
        self.keep_cursor(json);
    }

    fn take_change(&mut self, rev: u64, json: &[u8]) {
        if rev <= self.at {
            self.fault(format!("{rev} after {}", self.at));
        }
        let entered = self.shared.ledger.lock().unwrap().enter(rev, json);
        if let Err(fault) = entered {
            self.fault(fault);
        }
        self.seen.revs.push(rev);
        self.at = rev;
        self.shared.places[self.number].store(rev, Ordering::Relaxed);
        self.keep_cursor(json);
    }

    fn keep_cursor(&mut self, json: &[u8]) {
        let text = std::str::from_utf8(json).unwrap();
        let (_, rest) = text.split_once("\"cursor\":\"").unwrap();
        let (cursor, _) = rest.split_once('"').unwrap();
        let kept = self.cursor.get_or_insert_default();
        cursor.clone_into(kept);
    }

    fn fault(&self, fault: String) {
        let mut faults = self.shared.faults.lock().unwrap();
        faults.push(format!("{}: {fault}", self.seen.who));
    }
}
