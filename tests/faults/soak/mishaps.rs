//! What happens to a server, one thing after the other, by chance.

use std::net::SocketAddr;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::place::Place;
use super::vitals::Vitals;
use crate::faults::full::fill;
use crate::support::{Process, Raw, TRANSPORTS, Viewer};

/// Viewers that come and leave at once.
const CROWD: usize = 60;

/// Clients of each kind that take nothing or say nothing.
const SLOW: usize = 10;

/// What those say who do not go on.
const UNFINISHED: [&str; 4] = [
    "",
    "GET /pets HT",
    "POST /pets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n\r\nname=",
    "GET /live/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n",
];

#[derive(Clone, Copy)]
enum Mishap {
    Stop,
    Kill,
    FullDisk,
    StandStill,
    AddressLimiter,
    TakeNothing,
}

/// What a server lives through.
const SURVIVED: [Mishap; 4] = [
    Mishap::FullDisk,
    Mishap::StandStill,
    Mishap::AddressLimiter,
    Mishap::TakeNothing,
];

pub struct Mishaps<'a> {
    place: &'a Place,
    server: Process,
    random: ChaCha8Rng,
    /// Connections that take nothing, until the next of their kind.
    slow: Vec<Raw>,
    happened: usize,
}

impl<'a> Mishaps<'a> {
    pub fn new(place: &'a Place, server: Process, random: ChaCha8Rng) -> Self {
        Mishaps {
            place,
            server,
            random,
            slow: Vec::new(),
            happened: 0,
        }
    }

    /// Lets things happen until then, also those that end the server.
    pub async fn end_until(&mut self, until: Instant) {
        let all = [SURVIVED.as_slice(), &[Mishap::Stop, Mishap::Kill]].concat();
        self.happen_until(until, all, |_server| {}).await;
    }

    /// Lets things happen until then that a server lives through, and notes how it is.
    pub async fn survive_until(&mut self, until: Instant, vitals: &mut Vitals) {
        let all = SURVIVED.to_vec();
        self.happen_until(until, all, |server| vitals.look(server))
            .await;
    }

    /// Round after round, each in another order.
    async fn happen_until(
        &mut self,
        until: Instant,
        mut round: Vec<Mishap>,
        mut look: impl FnMut(&Process),
    ) {
        while Instant::now() < until {
            round.shuffle(&mut self.random);
            for &mishap in &round {
                self.happen(mishap).await;
                self.happened += 1;
                self.pause(100..600).await;
                look(&self.server);
            }
        }
    }

    async fn happen(&mut self, mishap: Mishap) {
        match mishap {
            Mishap::Stop => self.start_again(Signal::TERM).await,
            Mishap::Kill => self.start_again(Signal::KILL).await,
            Mishap::FullDisk => self.fill_the_disk().await,
            Mishap::StandStill => self.stand_still().await,
            Mishap::AddressLimiter => self.crowd().await,
            Mishap::TakeNothing => self.take_nothing().await,
        }
    }

    pub fn server(&self) -> &Process {
        &self.server
    }

    /// The server, left alone, and how much happened to it.
    pub fn end(self) -> (Process, usize) {
        (self.server, self.happened)
    }

    async fn start_again(&mut self, signal: Signal) {
        self.server.signal(signal);
        self.server.end().await;
        let listen = self.server.base.strip_prefix("http://").unwrap().to_owned();
        self.server = self.place.start(&listen).await;
    }

    async fn fill_the_disk(&mut self) {
        let ballast = self.place.file("ballast");
        fill(&ballast);
        self.pause(500..2000).await;
        std::fs::remove_file(&ballast).unwrap();
    }

    async fn stand_still(&mut self) {
        self.server.signal(Signal::STOP);
        self.pause(100..2000).await;
        self.server.signal(Signal::CONT);
    }

    async fn crowd(&mut self) {
        let mut crowd = Vec::new();
        for place in 0..CROWD {
            let transport = TRANSPORTS[place % TRANSPORTS.len()];
            crowd.extend(Viewer::try_open(transport, &self.server.base, "").await);
        }
        assert_eq!(crowd.len(), CROWD);
    }

    async fn take_nothing(&mut self) {
        self.slow.clear();
        let address: SocketAddr = self
            .server
            .base
            .strip_prefix("http://")
            .unwrap()
            .parse()
            .unwrap();
        for _each in 0..SLOW {
            let mut stream = Raw::open_narrow(address);
            stream
                .send("GET /live/sse HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                .await;
            self.slow.push(stream);
            for beginning in UNFINISHED {
                let mut unfinished = Raw::open(address).await;
                unfinished.send(beginning).await;
                self.slow.push(unfinished);
            }
        }
    }

    /// Some time, in ms.
    async fn pause(&mut self, ms: std::ops::Range<u64>) {
        sleep(Duration::from_millis(self.random.random_range(ms))).await;
    }
}
