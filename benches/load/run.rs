//! One run: connects viewers, measures for some seconds, and checks that nothing was lost.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::check::loss::{self, LossReport};
use crate::client::Transport;
use crate::client::pool::{NewViewer, ViewerPool};
use crate::client::progress::Progress;
use crate::server::{Server, Settings};
use crate::system;

/// Time limit for all viewers to connect. A slower server is measured with the viewers that are
/// connected, and the report says how many.
const CONNECT_LIMIT: Duration = Duration::from_mins(1);

/// Pause between the last connect and the measurement, so that work for connects is not measured.
const SETTLE: Duration = Duration::from_secs(1);

/// A viewer that is further behind than this at the end of the measurement is late, in microseconds.
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

/// Results of a run.
#[derive(Clone, Default)]
pub struct Figures {
    pub live: usize,
    pub connect: Duration,
    pub deliveries: u64,
    pub measured: Duration,
    pub server_cpu: Duration,
    /// CPU time of the NATS servers, if there are any.
    pub engine_cpu: Duration,
    /// CPU time of this process. If it is near the measured time, the client was the bottleneck.
    pub client_cpu: Duration,
    /// CPU time of everything else on the machine. On a busy machine deliveries are late, are batched
    /// more, and look cheap.
    pub others_cpu: Duration,
    /// Microseconds from commit to receipt.
    pub p50: u64,
    pub p95: u64,
    pub p99: u64,
    pub p999: u64,
    pub bytes_per_viewer: u64,
    /// Viewers that were more than a second behind at the end of the measurement.
    pub late: usize,
    /// Viewers that skipped replaced changes.
    pub behind: usize,
    /// Changes that they skipped.
    pub skipped: u64,
    /// Viewers of a peer that did not receive everything. A run of ours with losses is not reported.
    pub lost: usize,
}

impl Figures {
    pub fn connects_per_s(&self) -> f64 {
        self.live as f64 / self.connect.as_secs_f64().max(0.001)
    }

    /// Cores that the server used, on average.
    pub fn cores(&self) -> f64 {
        self.server_cpu.as_secs_f64() / self.measured.as_secs_f64().max(0.001)
    }

    pub fn deliveries_per_cpu_s(&self) -> f64 {
        // CPU times have a resolution of 10 ms.
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

    /// Queues the viewers of this run.
    pub fn add(&self, pool: &mut ViewerPool) {
        if self.watch == Watch::One {
            pool.add(NewViewer {
                transport: Transport::Ws,
                pet: None,
                is_counted: false,
            });
        }
        for index in 0..self.viewers {
            let pet = index as u64 % u64::from(self.pets) + 1;
            pool.add(NewViewer {
                transport: self.transport,
                pet: (self.watch == Watch::One).then_some(pet),
                is_counted: true,
            });
        }
    }
}

/// Starts a server, and runs against it.
///
/// # Errors
/// Also if a delivery was lost.
pub fn run(run: &Run) -> anyhow::Result<Figures> {
    let server = Server::start(&Settings {
        pets: run.pets,
        changes_per_s: run.changes_per_s,
        viewers: run.viewers + 1,
    })?;
    let board = server.board()?;
    let target = server.target(&board);
    let mut pool = ViewerPool::new(target, board.rev, Progress::new(run.name()))?;
    let mut figures = measure(&mut pool, &MeasuredProcesses::single(server.pid()), run)?;
    let report = loss::settle(&mut pool, &server.board()?, loss::SETTLE_LIMIT)?;
    ensure_no_losses(&report)?;
    figures.behind = report.behind;
    figures.skipped = report.skipped;
    Ok(figures)
}

/// Fails with the losses, if there are any.
pub fn ensure_no_losses(report: &LossReport) -> anyhow::Result<()> {
    if report.losses.is_empty() {
        return Ok(());
    }
    bail!(
        "LOST, so there is nothing to report: {}",
        report.losses.join("; ")
    )
}

/// The processes that are measured.
pub struct MeasuredProcesses {
    pub servers: Vec<u32>,
    pub engine: Vec<u32>,
}

impl MeasuredProcesses {
    /// Returns one server with the embedded store.
    pub fn single(server: u32) -> Self {
        MeasuredProcesses {
            servers: vec![server],
            engine: Vec::new(),
        }
    }

    /// Resident memory of the servers, in bytes.
    fn memory_bytes(&self) -> anyhow::Result<u64> {
        let pids = self.servers.iter();
        pids.map(|pid| system::memory_bytes(*pid)).sum()
    }
}

/// Connects the viewers and measures. Does not check for losses.
pub fn measure(
    pool: &mut ViewerPool,
    measured: &MeasuredProcesses,
    run: &Run,
) -> anyhow::Result<Figures> {
    let memory_before = measured.memory_bytes()?;
    run.add(pool);
    let connect = connect(pool)?;
    if pool.live == 0 {
        let fault = pool.measurements.faults.first().cloned();
        bail!("no viewer could connect: {}", fault.unwrap_or_default());
    }
    pool.run_for(SETTLE)?;
    let memory = measured.memory_bytes()?.saturating_sub(memory_before);
    let before = CpuTimes::now(measured)?;
    let start = Instant::now();
    pool.measurements.start();
    pool.run_for(Duration::from_secs(run.seconds))?;
    pool.measurements.is_measuring = false;
    let time = start.elapsed();
    let after = CpuTimes::now(measured)?;
    let measurements = &pool.measurements;
    Ok(Figures {
        live: pool.live - usize::from(run.watch == Watch::One),
        connect,
        deliveries: measurements.deliveries,
        measured: time,
        server_cpu: after.server - before.server,
        engine_cpu: after.engine - before.engine,
        client_cpu: after.client - before.client,
        others_cpu: after.others(&before),
        p50: measurements.latency.value_at_quantile(0.5),
        p95: measurements.latency.value_at_quantile(0.95),
        p99: measurements.latency.value_at_quantile(0.99),
        p999: measurements.latency.value_at_quantile(0.999),
        bytes_per_viewer: memory / pool.live.max(1) as u64,
        late: count_late(pool),
        ..Figures::default()
    })
}

/// Opens the queued viewers. Returns the time until all are live, or the limit.
pub fn connect(pool: &mut ViewerPool) -> anyhow::Result<Duration> {
    let start = Instant::now();
    pool.run_while(CONNECT_LIMIT, |pool| pool.pending_count() > 0)?;
    Ok(start.elapsed())
}

struct CpuTimes {
    server: Duration,
    engine: Duration,
    client: Duration,
    machine: Duration,
}

impl CpuTimes {
    fn now(measured: &MeasuredProcesses) -> anyhow::Result<Self> {
        let of_all = |pids: &[u32]| pids.iter().map(|pid| system::cpu_time(*pid)).sum();
        let server: anyhow::Result<Duration> = of_all(&measured.servers);
        let engine: anyhow::Result<Duration> = of_all(&measured.engine);
        Ok(CpuTimes {
            server: server.context("the server")?,
            engine: engine.context("the engine")?,
            client: system::own_cpu_time()?,
            machine: system::machine_cpu_time()?,
        })
    }

    /// Returns the CPU time since `before` of everything but the server, its engine and the client.
    fn others(&self, before: &CpuTimes) -> Duration {
        let servers = (self.server - before.server) + (self.engine - before.engine);
        let ours = servers + (self.client - before.client);
        (self.machine - before.machine).saturating_sub(ours)
    }
}

/// Counts viewers whose last change is more than a second older than the newest.
fn count_late(pool: &ViewerPool) -> usize {
    let change_log = &pool.measurements.change_log;
    let time = |rev: u64| change_log.get(rev).map(|change| change.since);
    let Some(newest) = time(change_log.newest()) else {
        return 0;
    };
    let is_late = |rev: u64| time(rev).is_some_and(|since| newest - since > LATE);
    let records = pool.viewers.iter().map(|viewer| &viewer.record);
    records
        .filter(|record| record.pet.is_none() && is_late(record.last))
        .count()
}
