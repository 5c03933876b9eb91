//! Injects faults into a server, one after the other, in random order.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::resources::Resources;
use super::small_disk::SmallDisk;
use crate::faults::full_disk::fill;
use crate::support::{Process, Raw, TRANSPORTS, Viewer, until, within};

/// Viewers that connect and immediately leave.
const VIEWERS: usize = 60;

/// Clients of each kind that do not read, or do not finish their request.
const STALLED: usize = 10;

/// Beginnings of requests that are never finished.
const UNFINISHED: [&str; 4] = [
    "",
    "GET /pets HT",
    "POST /pets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n\r\nname=",
    "GET /live/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n",
];

#[derive(Clone, Copy)]
enum Fault {
    Stop,
    Kill,
    FullDisk,
    Freeze,
    ManyViewers,
    StalledClients,
}

/// The faults that a process survives.
const SURVIVED: [Fault; 4] = [
    Fault::FullDisk,
    Fault::Freeze,
    Fault::ManyViewers,
    Fault::StalledClients,
];

/// Injects faults into a server.
pub struct FaultInjector<'a> {
    disk: &'a SmallDisk,
    server: Process,
    random: ChaCha8Rng,
    /// The number of attempts to write so far.
    attempts: watch::Receiver<u64>,
    /// Stalled connections, until the next fault of this kind.
    stalled: Vec<Raw>,
    injected: usize,
}

impl<'a> FaultInjector<'a> {
    pub fn new(
        disk: &'a SmallDisk,
        server: Process,
        random: ChaCha8Rng,
        attempts: watch::Receiver<u64>,
    ) -> Self {
        FaultInjector {
            disk,
            server,
            random,
            attempts,
            stalled: Vec::new(),
            injected: 0,
        }
    }

    /// Injects every kind of fault until then, also those that end the process.
    pub async fn inject_all_until(&mut self, until: Instant) {
        let all = [SURVIVED.as_slice(), &[Fault::Stop, Fault::Kill]].concat();
        self.inject_until(until, all, |_server| {}).await;
    }

    /// Injects faults that a process survives until then, and samples its resources.
    pub async fn inject_survived_until(&mut self, until: Instant, resources: &mut Resources) {
        let sample = |server: &Process| resources.sample(server);
        self.inject_until(until, SURVIVED.to_vec(), sample).await;
    }

    /// Injects the faults of `round`, round after round, each in another order.
    async fn inject_until(
        &mut self,
        until: Instant,
        mut round: Vec<Fault>,
        mut sample: impl FnMut(&Process),
    ) {
        while Instant::now() < until {
            round.shuffle(&mut self.random);
            for &fault in &round {
                self.inject(fault).await;
                self.injected += 1;
                self.until_attempts(8..48).await;
                sample(&self.server);
            }
        }
    }

    async fn inject(&mut self, fault: Fault) {
        match fault {
            Fault::Stop => self.restart(Signal::TERM).await,
            Fault::Kill => self.restart(Signal::KILL).await,
            Fault::FullDisk => self.fill_disk().await,
            Fault::Freeze => self.freeze().await,
            Fault::ManyViewers => self.open_viewers().await,
            Fault::StalledClients => self.stall_clients().await,
        }
    }

    pub fn server(&self) -> &Process {
        &self.server
    }

    /// Returns the server and the number of faults.
    pub fn end(self) -> (Process, usize) {
        (self.server, self.injected)
    }

    async fn restart(&mut self, signal: Signal) {
        self.server.signal(signal);
        self.server.end().await;
        let listen = self.server.base.strip_prefix("http://").unwrap().to_owned();
        self.server = self.disk.start(&listen).await;
    }

    async fn fill_disk(&mut self) {
        let ballast = self.disk.file("ballast");
        fill(&ballast);
        self.until_attempts(40..160).await;
        std::fs::remove_file(&ballast).unwrap();
    }

    /// Stops the process for a while, in which it must not respond.
    async fn freeze(&mut self) {
        self.server.signal(Signal::STOP);
        let status = format!("/proc/{}/status", self.server.id().as_raw_nonzero());
        until("the process to stop", async || {
            let status = std::fs::read_to_string(&status).unwrap();
            status.contains("State:\tT")
        })
        .await;
        let limit = Duration::from_millis(self.random.random_range(100..2000));
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        let request = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let response = timeout(limit, stream.read_u8()).await;
        assert!(response.is_err(), "a stopped process does not respond");
        self.server.signal(Signal::CONT);
    }

    async fn open_viewers(&mut self) {
        let mut viewers = Vec::new();
        for number in 0..VIEWERS {
            let transport = TRANSPORTS[number % TRANSPORTS.len()];
            viewers.extend(Viewer::try_open(transport, &self.server.base, "").await);
        }
        assert_eq!(viewers.len(), VIEWERS);
    }

    async fn stall_clients(&mut self) {
        self.stalled.clear();
        let address = self.address();
        for _ in 0..STALLED {
            let mut reader = Raw::open_narrow(address);
            let request = "GET /live/sse HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
            reader.send(request).await;
            self.stalled.push(reader);
            for beginning in UNFINISHED {
                let mut unfinished = Raw::open(address).await;
                unfinished.send(beginning).await;
                self.stalled.push(unfinished);
            }
        }
    }

    fn address(&self) -> SocketAddr {
        let address = self.server.base.strip_prefix("http://").unwrap();
        address.parse().unwrap()
    }

    /// Waits for a random number of attempts to write, whatever their outcome.
    async fn until_attempts(&mut self, range: Range<u64>) {
        let enough = *self.attempts.borrow() + self.random.random_range(range);
        let waiting = self.attempts.wait_for(|attempts| *attempts >= enough);
        // Fails when the writers have ended.
        let _ = within("attempts to write", waiting).await;
    }
}
