//! One run: connect, let it settle, measure for some seconds, and prove that nothing was lost.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::client::Transport;
use crate::fleet::{Fleet, Guest};
use crate::process;
use crate::progress::Progress;
use crate::server::{Server, Settings};
use crate::verdict::{self, Verdict};

/// How long all viewers together may take to connect. A server that needs longer is measured
/// with those who got in, and the report says how many.
const CONNECT_LIMIT: Duration = Duration::from_secs(60);

/// From the last join to the measurement: what the joins left to do is not to be counted.
const SETTLE: Duration = Duration::from_secs(1);

/// Who is further behind than this when the measurement ends cannot keep up.
const LATE: i64 = 1_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Watch {
    All,
    One,
}

#[derive(Clone, Copy)]
pub struct Run {
    pub transport: Transport,
    pub viewers: usize,
    pub changes_per_s: f64,
    pub pets: u32,
    pub seconds: u64,
    pub watch: Watch,
}

/// What one run gave.
#[derive(Clone, Default)]
pub struct Figures {
    pub live: usize,
    pub connect: Duration,
    pub deliveries: u64,
    pub measured: Duration,
    pub server_cpu: Duration,
    /// CPU of the NATS servers, where the server has an engine elsewhere.
    pub engine_cpu: Duration,
    /// CPU of this process meanwhile: near the measured time, the client was the limit.
    pub client_cpu: Duration,
    /// CPU of everything else on the machine meanwhile. Whoever is kept waiting has more to send
    /// at once, so a busy machine makes deliveries late and cheap.
    pub others_cpu: Duration,
    /// Microseconds from commit to receipt.
    pub p50: u64,
    pub p99: u64,
    pub p999: u64,
    pub bytes_per_viewer: u64,
    /// Viewers that were more than a second behind when the measurement ended.
    pub late: usize,
    /// Viewers that were spared old changes, and how many.
    pub behind: usize,
    pub skipped: u64,
    /// Viewers of a peer that did not get everything. Ours are not reported when there is one.
    pub lost: usize,
}

impl Figures {
    pub fn connects_per_s(&self) -> f64 {
        self.live as f64 / self.connect.as_secs_f64().max(0.001)
    }

    pub fn deliveries_per_cpu_s(&self) -> f64 {
        // Half a tick of the operating system's clock is the least that can be told from nothing.
        self.deliveries as f64 / self.server_cpu.as_secs_f64().max(0.005)
    }
}

impl Run {
    pub fn name(&self) -> String {
        let watch = match self.watch {
            Watch::All => "",
            Watch::One => ", one pet each",
        };
        let transport = self.transport.name();
        format!(
            "{transport} {} x {}/s{watch}",
            self.viewers, self.changes_per_s
        )
    }

    /// Opens nobody yet: says who is to be opened.
    pub fn enlist(&self, fleet: &mut Fleet) {
        if self.watch == Watch::One {
            fleet.enlist(Guest {
                transport: Transport::Ws,
                pet: None,
                is_counted: false,
            });
        }
        for index in 0..self.viewers {
            let pet = index as u64 % u64::from(self.pets) + 1;
            fleet.enlist(Guest {
                transport: self.transport,
                pet: (self.watch == Watch::One).then_some(pet),
                is_counted: true,
            });
        }
    }
}

/// Runs against a server of its own.
///
/// # Errors
/// Also when a delivery was lost: then there are no figures.
pub fn run(run: &Run) -> anyhow::Result<Figures> {
    let server = Server::start(&Settings {
        pets: run.pets,
        changes_per_s: run.changes_per_s,
        viewers: run.viewers + 1,
    })?;
    let board = server.board()?;
    let target = server.target(&board);
    let mut fleet = Fleet::new(target, board.rev, Progress::new(run.name()))?;
    let mut figures = measure(&mut fleet, &Measured::alone(server.pid()), run)?;
    let verdict = verdict::settle(&mut fleet, &server.board()?, verdict::SETTLE_LIMIT)?;
    refuse_losses(&verdict)?;
    figures.behind = verdict.behind;
    figures.skipped = verdict.skipped;
    Ok(figures)
}

/// # Errors
/// When something was lost, with what.
pub fn refuse_losses(verdict: &Verdict) -> anyhow::Result<()> {
    if verdict.losses.is_empty() {
        return Ok(());
    }
    bail!(
        "LOST, so there is nothing to report: {}",
        verdict.losses.join("; ")
    )
}

/// The processes whose work is asked for.
pub struct Measured {
    pub servers: Vec<u32>,
    pub engine: Vec<u32>,
}

impl Measured {
    /// One server without an engine elsewhere.
    pub fn alone(server: u32) -> Self {
        Measured {
            servers: vec![server],
            engine: Vec::new(),
        }
    }

    /// Resident memory of the servers, in bytes.
    fn memory_bytes(&self) -> anyhow::Result<u64> {
        let pids = self.servers.iter();
        pids.map(|pid| process::memory_bytes(*pid)).sum()
    }
}

/// Connects everyone and measures; says nothing about losses yet.
pub fn measure(fleet: &mut Fleet, measured: &Measured, run: &Run) -> anyhow::Result<Figures> {
    let memory_before = measured.memory_bytes()?;
    run.enlist(fleet);
    let connect = connect(fleet)?;
    if fleet.live == 0 {
        let fault = fleet.book.faults.first().cloned();
        bail!("nobody could connect: {}", fault.unwrap_or_default());
    }
    fleet.run_for(SETTLE)?;
    let memory = measured.memory_bytes()?.saturating_sub(memory_before);
    let before = CpuTimes::now(measured)?;
    let start = Instant::now();
    fleet.book.measure();
    fleet.run_for(Duration::from_secs(run.seconds))?;
    fleet.book.is_measuring = false;
    let time = start.elapsed();
    let after = CpuTimes::now(measured)?;
    let book = &fleet.book;
    Ok(Figures {
        live: fleet.live - usize::from(run.watch == Watch::One),
        connect,
        deliveries: book.deliveries,
        measured: time,
        server_cpu: after.server - before.server,
        engine_cpu: after.engine - before.engine,
        client_cpu: after.client - before.client,
        others_cpu: after.others(&before),
        p50: book.latency.value_at_quantile(0.5),
        p99: book.latency.value_at_quantile(0.99),
        p999: book.latency.value_at_quantile(0.999),
        bytes_per_viewer: memory / fleet.live.max(1) as u64,
        late: late(fleet),
        ..Figures::default()
    })
}

/// Opens everyone who is enlisted; how long it took until the last was live, or the limit.
pub fn connect(fleet: &mut Fleet) -> anyhow::Result<Duration> {
    let start = Instant::now();
    fleet.run_while(CONNECT_LIMIT, |fleet| fleet.underway() > 0)?;
    Ok(start.elapsed())
}

struct CpuTimes {
    server: Duration,
    engine: Duration,
    client: Duration,
    machine: Duration,
}

impl CpuTimes {
    fn now(measured: &Measured) -> anyhow::Result<Self> {
        let of_all = |pids: &[u32]| pids.iter().map(|pid| process::cpu_time(*pid)).sum();
        let server: anyhow::Result<Duration> = of_all(&measured.servers);
        let engine: anyhow::Result<Duration> = of_all(&measured.engine);
        Ok(CpuTimes {
            server: server.context("the server")?,
            engine: engine.context("the engine")?,
            client: process::own_cpu_time()?,
            machine: process::machine_cpu_time()?,
        })
    }

    /// What neither the server nor its engine nor the client had, since `before`.
    fn others(&self, before: &CpuTimes) -> Duration {
        let servers = (self.server - before.server) + (self.engine - before.engine);
        let ours = servers + (self.client - before.client);
        (self.machine - before.machine).saturating_sub(ours)
    }
}

/// Viewers whose last change is more than a second older than the newest anybody was given.
fn late(fleet: &Fleet) -> usize {
    let ledger = &fleet.book.ledger;
    let time = |rev: u64| ledger.get(rev).map(|change| change.since);
    let Some(newest) = time(ledger.newest()) else {
        return 0;
    };
    let is_late = |rev: u64| time(rev).is_some_and(|since| newest - since > LATE);
    let seats = fleet.viewers.iter().map(|viewer| &viewer.seat);
    seats
        .filter(|seat| seat.pet.is_none() && is_late(seat.last))
        .count()
}
