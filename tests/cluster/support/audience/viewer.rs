//! One viewer of an audience: joins, reads, and reconnects with back-off.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::Shared;
use super::message_parser::message::{Heading, Kind, heading};
use super::message_parser::{MessageParser, request};

/// Silence after which a viewer reconnects. Nodes of these tests send a heartbeat every second.
const SILENCE: Duration = Duration::from_secs(30);

/// Back-off with full jitter: its first and its longest limit.
const FIRST_BACK_OFF: Duration = Duration::from_millis(500);
const MAX_BACK_OFF: Duration = Duration::from_secs(6);

/// What one viewer saw.
pub struct ViewerRecord {
    /// The number and the transport of the viewer.
    pub name: String,
    /// The rev of the first cursor.
    pub first: u64,
    /// The revs of all changes, in order of arrival.
    pub revs: Vec<u64>,
    /// How often the viewer was notified that the board may be old.
    pub stales: usize,
    /// Each time the viewer lost its connection and was live again.
    pub reconnects: Vec<Reconnect>,
}

/// A viewer that is live again.
pub struct Reconnect {
    pub at: Instant,
    /// When the viewer had last received anything.
    pub last_message: Instant,
    /// How long the viewer waited on purpose.
    pub back_off: Duration,
}

pub struct AudienceViewer {
    number: usize,
    transport: &'static str,
    shared: Arc<Shared>,
    seen: ViewerRecord,
    cursor: Option<String>,
    /// The rev of the cursor.
    rev: u64,
    last_message: Instant,
    /// Attempts since the viewer was last live, and the back-off between them.
    attempts: u32,
    back_off: Duration,
    is_live: bool,
}

impl AudienceViewer {
    pub fn new(number: usize, transport: &'static str, shared: Arc<Shared>) -> Self {
        let seen = ViewerRecord {
            name: format!("viewer {number} over {transport}"),
            first: 0,
            revs: Vec::new(),
            stales: 0,
            reconnects: Vec::new(),
        };
        AudienceViewer {
            number,
            transport,
            shared,
            seen,
            cursor: None,
            rev: 0,
            last_message: Instant::now(),
            attempts: 0,
            back_off: Duration::ZERO,
            is_live: false,
        }
    }

    /// Watches until the last change.
    pub async fn watch(mut self) -> ViewerRecord {
        while let Err(reason) = self.watch_connection().await {
            if self.cursor.is_none() {
                self.report_fault(format!("could not join: {reason}"));
                break;
            }
            self.is_live = false;
            self.back_off().await;
        }
        self.seen
    }

    /// Waits with back-off; not longer than until the last change, if the viewer has seen it.
    async fn back_off(&mut self) {
        let limit = MAX_BACK_OFF.min(FIRST_BACK_OFF * 2_u32.pow(self.attempts.min(8)));
        let delay = limit.mul_f64(rand::random::<f64>());
        self.attempts += 1;
        self.back_off += delay;
        let rev = self.rev;
        let mut last = self.shared.last.clone();
        let is_over = last.wait_for(|last| last.is_some_and(|last| rev >= last));
        let _ = timeout(delay, is_over).await;
    }

    /// Watches over one connection until the last change.
    ///
    /// # Errors
    /// The reason for which the connection was lost.
    async fn watch_connection(&mut self) -> Result<(), String> {
        let shared = Arc::clone(&self.shared);
        // All viewers together would overflow the listen queue of the balancer.
        let mut permit = shared.joining.acquire().await.ok();
        let stream = TcpStream::connect(shared.balancer).await;
        let mut stream = stream.map_err(|error| error.to_string())?;
        self.send_request(&mut stream).await?;
        let mut parser = MessageParser::new();
        while !self.is_over() {
            let read = timeout(SILENCE, stream.read_buf(parser.buffer())).await;
            let count = read.map_err(|_| "silence".to_owned())?;
            if count.map_err(|error| error.to_string())? == 0 {
                return Err("closed".to_owned());
            }
            let has_ended = parser.parse(self.transport, |json| self.receive(json))?;
            if self.is_live {
                self.last_message = Instant::now();
                permit = None;
            }
            if has_ended {
                self.send_request(&mut stream).await?;
            }
        }
        drop(permit);
        Ok(())
    }

    /// Returns true if the viewer has seen the last change. The change may have arrived before it was
    /// known to be the last; then the next heartbeat ends the wait.
    fn is_over(&self) -> bool {
        let last = *self.shared.last.borrow();
        last.is_some_and(|last| self.rev >= last)
    }

    async fn send_request(&self, stream: &mut TcpStream) -> Result<(), String> {
        let since = self.cursor.iter().map(|cursor| format!("&since={cursor}"));
        let since: String = since.collect();
        let path = format!("/live/{}?wait=1{since}", self.transport);
        let sent = stream.write_all(&request(self.transport, &path)).await;
        sent.map_err(|error| error.to_string())
    }

    fn receive(&mut self, json: &[u8]) {
        let Heading { kind, rev } = heading(json);
        match (kind, rev) {
            (Kind::Hello, Some(rev)) => self.receive_hello(rev, json),
            (Kind::Snapshot, Some(rev)) if self.seen.revs.is_empty() && rev == self.seen.first => {}
            (Kind::Change, Some(rev)) => self.receive_change(rev, json),
            (Kind::Heartbeat, Some(rev)) if rev == self.rev => {}
            (Kind::Bye, None) => {}
            (Kind::Other, None) => self.seen.stales += 1,
            _ => {
                let message = String::from_utf8_lossy(json);
                self.report_fault(format!("at {}: {message}", self.rev));
            }
        }
    }

    fn receive_hello(&mut self, rev: u64, json: &[u8]) {
        if self.cursor.is_none() {
            (self.seen.first, self.rev) = (rev, rev);
            self.shared.joined.send_modify(|joined| *joined += 1);
        } else if rev != self.rev {
            self.report_fault(format!("returned with {}, hello has {rev}", self.rev));
        }
        if self.attempts > 0 {
            self.seen.reconnects.push(Reconnect {
                at: Instant::now(),
                last_message: self.last_message,
                back_off: std::mem::take(&mut self.back_off),
            });
            self.attempts = 0;
        }
        self.is_live = true;
        self.save_cursor(json);
    }

    fn receive_change(&mut self, rev: u64, json: &[u8]) {
        if rev <= self.rev {
            self.report_fault(format!("{rev} after {}", self.rev));
        }
        if let Err(fault) = self.shared.record_change(rev, json) {
            self.report_fault(fault);
        }
        self.seen.revs.push(rev);
        self.rev = rev;
        self.shared.revs[self.number].store(rev, Ordering::Relaxed);
        self.save_cursor(json);
    }

    fn save_cursor(&mut self, json: &[u8]) {
        let text = std::str::from_utf8(json).unwrap();
        let (_, rest) = text.split_once("\"cursor\":\"").unwrap();
        let (cursor, _) = rest.split_once('"').unwrap();
        cursor.clone_into(self.cursor.get_or_insert_default());
    }

    fn report_fault(&self, fault: String) {
        let mut faults = self.shared.faults.lock().unwrap();
        faults.push(format!("{}: {fault}", self.seen.name));
    }
}
