//! What does it cost that there are several nodes?
//!
//! As many viewers before two nodes on three NATS servers as before one with the embedded store,
//! with the same changes, in rounds: the CPU time of both nodes together for one delivery beside
//! that of the one. And what the NATS servers need for that, beside what they need for a few
//! viewers: they know of nodes, and not of viewers.

use std::time::Duration;

use super::nats::{NEWEST, Servers};
use super::say;
use crate::client::Transport;
use crate::fleet::Fleet;
use crate::progress::Progress;
use crate::report::behind;
use crate::run::{Figures, Measured, Run, Watch, measure, refuse_losses, run};
use crate::server::{Server, Settings};
use crate::verdict;

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
        "\n{viewers} viewers before {NODES} nodes on {NATS_SERVERS} NATS servers, and before one \
         node with the embedded store; {} changes/s, medians of {ROUNDS} rounds",
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
    say("server CPU for a delivery, embedded", micros(of_one));
    say("both nodes together", micros(of_two));
    say("beside embedded", format!("x {:.2}", of_two / of_one));
    let engine = |figures| format!("{:.1} % of a core", median(figures, engine_percent));
    say(
        &format!("the NATS servers, {viewers} viewers"),
        engine(cluster),
    );
    say(&format!("the NATS servers, {FEW} viewers"), engine(quiet));
    let latency = |figures| {
        let millis = |of: fn(&Figures) -> u64| median(figures, |run| of(run) as f64 / 1e3);
        let (p50, p99) = (millis(|run| run.p50), millis(|run| run.p99));
        format!("{p50:.0} ms, {p99:.0} ms")
    };
    say("p50 and p99 of a delivery, embedded", latency(embedded));
    say("p50 and p99 of a delivery, cluster", latency(cluster));
    for figures in embedded.iter().chain(cluster) {
        let words = behind(&many, figures);
        if words != "nothing" {
            say("fell behind in a round", words);
        }
    }
    Ok(())
}

/// Runs against servers and nodes of its own.
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
    let mut fleet = Fleet::new(nodes[0].target(&board), board.rev, Progress::new(name))?;
    fleet.targets = nodes.iter().map(|node| node.target(&board)).collect();
    let measured = Measured {
        servers: nodes.iter().map(Server::pid).collect(),
        engine: (0..NATS_SERVERS).map(|index| nats.id(index)).collect(),
    };
    let figures = measure(&mut fleet, &measured, run)?;
    // Revs between changes are the engine's own records, so a rev that is left out says nothing.
    let verdict = verdict::settle(&mut fleet, &nodes[0].board()?, verdict::SETTLE_LIMIT)?;
    refuse_losses(&verdict)?;
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
