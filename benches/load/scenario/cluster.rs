//! Measures what several nodes cost.
//!
//! The same viewers and changes with two nodes on three NATS servers, and with one node with the embedded
//! store, in rounds: the CPU time per delivery of both nodes together, compared with the one node. Also
//! the CPU time of the NATS servers, compared with few viewers: their load should depend on nodes, not on
//! viewers.

use std::time::Duration;

use super::nats::{NEWEST, Servers};
use super::print_figure;
use crate::check::loss;
use crate::client::Transport;
use crate::client::pool::ViewerPool;
use crate::client::progress::Progress;
use crate::report::behind;
use crate::run::{Figures, MeasuredProcesses, Run, Watch, ensure_no_losses, measure, run};
use crate::server::{Server, Settings};

const NODES: usize = 2;
const NATS_SERVERS: usize = 3;
const ROUNDS: usize = 3;
const FEW: usize = 100;

pub fn compare(viewers: usize) -> anyhow::Result<()> {
    let many = Run {
        transport: Transport::Ws,
        viewers,
        changes_per_s: 10.0,
        pets: 100,
        seconds: 5,
        watch: Watch::All,
    };
    let few = Run {
        viewers: FEW,
        ..many
    };
    println!(
        "\n{viewers} viewers of {NODES} nodes on {NATS_SERVERS} NATS servers, and of one node with the \
         embedded store; {} changes/s, medians of {ROUNDS} rounds",
        many.changes_per_s
    );
    let mut rounds: [Vec<Figures>; 3] = Default::default();
    for _ in 0..ROUNDS {
        rounds[0].push(run(&many)?);
        rounds[1].push(run_on_cluster(&many)?);
        rounds[2].push(run_on_cluster(&few)?);
    }
    let [embedded, cluster, quiet] = &rounds;
    let of_one = median(embedded, micros_per_delivery);
    let of_two = median(cluster, micros_per_delivery);
    let micros = |micros: f64| format!("{micros:.2} us");
    print_figure("server CPU per delivery, embedded", micros(of_one));
    print_figure("both nodes together", micros(of_two));
    print_figure(
        "compared with embedded",
        format!("x {:.2}", of_two / of_one),
    );
    let engine = |figures| format!("{:.1} % of a core", median(figures, engine_percent));
    print_figure(
        &format!("the NATS servers, {viewers} viewers"),
        engine(cluster),
    );
    print_figure(&format!("the NATS servers, {FEW} viewers"), engine(quiet));
    let latency = |figures| {
        let millis = |of: fn(&Figures) -> u64| median(figures, |run| of(run) as f64 / 1e3);
        let (p50, p99) = (millis(|run| run.p50), millis(|run| run.p99));
        format!("{p50:.0} ms, {p99:.0} ms")
    };
    print_figure("p50 and p99 of a delivery, embedded", latency(embedded));
    print_figure("p50 and p99 of a delivery, cluster", latency(cluster));
    for figures in embedded.iter().chain(cluster) {
        let words = behind(&many, figures);
        if words != "nothing" {
            print_figure("fell behind in a round", words);
        }
    }
    Ok(())
}

/// Starts NATS servers and nodes, and runs against them.
fn run_on_cluster(run: &Run) -> anyhow::Result<Figures> {
    let nats = Servers::start(NATS_SERVERS, NEWEST);
    let settings = Settings {
        pets: run.pets,
        changes_per_s: run.changes_per_s,
        viewers: run.viewers + 1,
    };
    let start = || Server::start_on(&nats.address(), &settings);
    let nodes: Vec<Server> = (0..NODES).map(|_| start()).collect::<Result<_, _>>()?;
    let board = nodes[0].board()?;
    let name = format!("{NODES} nodes, {}", run.name());
    let mut pool = ViewerPool::new(nodes[0].target(&board), board.rev, Progress::new(name))?;
    pool.targets = nodes.iter().map(|node| node.target(&board)).collect();
    let measured = MeasuredProcesses {
        servers: nodes.iter().map(Server::pid).collect(),
        engine: (0..NATS_SERVERS).map(|index| nats.id(index)).collect(),
    };
    let figures = measure(&mut pool, &measured, run)?;
    // Some revs are records of the engine, so gaps in the revs are no skipped changes.
    let report = loss::settle(&mut pool, &nodes[0].board()?, loss::SETTLE_LIMIT)?;
    ensure_no_losses(&report)?;
    Ok(figures)
}

fn micros_per_delivery(figures: &Figures) -> f64 {
    1e6 / figures.deliveries_per_cpu_s()
}

fn engine_percent(figures: &Figures) -> f64 {
    let measured = figures.measured.max(Duration::from_millis(1));
    100.0 * figures.engine_cpu.as_secs_f64() / measured.as_secs_f64()
}

fn median(figures: &[Figures], of: impl Fn(&Figures) -> f64) -> f64 {
    let mut values: Vec<f64> = figures.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
