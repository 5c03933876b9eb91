//! Compares pet-store with a C program as the limit, uWebSockets, Bun, nchan, durable-streams
//! and Socket.IO on this machine.
//!
//! The servers run in turn, in five rounds, so that other load on the machine affects all of them.
//! They send the same messages at the same rate to the same client. Printed are medians, and the ratio
//! of our deliveries per CPU second to those of the peer. Peers store nothing, so the CPU time of our
//! commits is measured too, with one viewer, and printed. For a peer that is not installed, the command
//! that installs it is printed.

mod peer;
mod publisher;

use crate::client::Transport::{self, SocketIo, Sse, Ws};
use crate::report::{behind, micros};
use crate::run::{self, Figures, Run, Watch};
use crate::system;

use self::peer::{Kind, Peer};

const ROUNDS: usize = 5;

/// A server and a transport that are measured.
struct Contender {
    name: &'static str,
    kind: Option<Kind>,
    transport: Transport,
}

const CONTENDERS: [Contender; 11] = [
    Contender::new("pet-store ws", None, Ws),
    Contender::new("limit ws", Some(Kind::Limit), Ws),
    Contender::new("Socket.IO", Some(Kind::SocketIo), SocketIo),
    Contender::new("uWS ws", Some(Kind::Uws), Ws),
    Contender::new("Bun ws", Some(Kind::Bun), Ws),
    Contender::new("nchan ws", Some(Kind::Nchan), Ws),
    Contender::new("pet-store sse", None, Sse),
    Contender::new("limit sse", Some(Kind::Limit), Sse),
    Contender::new("Bun sse", Some(Kind::Bun), Sse),
    Contender::new("nchan sse", Some(Kind::Nchan), Sse),
    Contender::new("durable sse", Some(Kind::DurableStreams), Sse),
];

impl Contender {
    const fn new(name: &'static str, kind: Option<Kind>, transport: Transport) -> Self {
        Contender {
            name,
            kind,
            transport,
        }
    }

    fn run(&self, load: &Run) -> anyhow::Result<Figures> {
        let run = Run {
            transport: self.transport,
            ..*load
        };
        match self.kind {
            None => run::run(&run),
            Some(kind) => Peer::start(kind, &run)?.measure(&run, self.name),
        }
    }
}

/// Compares the servers whose names contain `only`, under `load` or the four default loads.
pub fn compare(load: Option<Run>, only: &str, max_viewers: usize) -> anyhow::Result<()> {
    let hot = Run {
        transport: Ws,
        viewers: 1000.min(max_viewers),
        changes_per_s: 50.0,
        pets: 100,
        seconds: 6,
        watch: Watch::All,
    };
    let many = Run {
        viewers: 5000.min(max_viewers),
        changes_per_s: 10.0,
        seconds: 8,
        ..hot
    };
    let saturating = Run {
        viewers: 10_000.min(max_viewers),
        changes_per_s: 50.0,
        seconds: 4,
        ..hot
    };
    let fast = Run {
        changes_per_s: 500.0,
        seconds: 4,
        ..hot
    };
    let is_there = |contender: &&Contender| {
        contender.name.contains(only) && contender.kind.is_none_or(peer::is_installed)
    };
    let contenders: Vec<&Contender> = CONTENDERS.iter().filter(is_there).collect();
    for load in load.map_or(vec![hot, many, saturating, fast], |load| vec![load]) {
        compare_under(&load, &contenders)?;
    }
    Ok(())
}

fn compare_under(load: &Run, contenders: &[&Contender]) -> anyhow::Result<()> {
    let mut rounds: Vec<Vec<Figures>> = vec![Vec::new(); contenders.len()];
    let mut commits = Vec::new();
    for round in 1..=ROUNDS {
        commits.push(run::run(&Run {
            viewers: 1,
            ..*load
        })?);
        for (contender, figures) in contenders.iter().zip(&mut rounds) {
            eprintln!("  round {round} of {ROUNDS}: {}", contender.name);
            match contender.run(load) {
                Ok(run) => figures.push(run),
                Err(error) if contender.kind.is_some() => {
                    system::check_signals()?;
                    println!("{}: {error:#}", contender.name);
                }
                Err(error) => return Err(error),
            }
        }
    }
    let commits = median(&commits, Figures::cores);
    println!(
        "\n{} viewers x {} changes/s, medians of {ROUNDS} rounds; commits of ours take {:.1} % of a core",
        load.viewers,
        load.changes_per_s,
        commits * 100.0
    );
    println!(
        "{:<14} {:>9} {:>9} {:>9} {:>11} {:>8} {:>8} {:>9} {:>9}  fell behind",
        "", "joins/s", "k/CPU-s", "ours is", "w/o commits", "p50", "p99", "p99.9", "B/viewer"
    );
    let (mut ours, mut ours_without_commits) = (0.0, 0.0);
    for (contender, figures) in contenders.iter().zip(&rounds) {
        if figures.is_empty() {
            continue;
        }
        let rate = median(figures, Figures::deliveries_per_cpu_s);
        if contender.kind.is_none() {
            ours = rate;
            let cores = median(figures, Figures::cores);
            ours_without_commits = rate * cores / (cores - commits).max(0.001);
        }
        line(
            contender,
            load,
            figures,
            [ours / rate, ours_without_commits / rate],
        );
    }
    Ok(())
}

fn line(contender: &Contender, load: &Run, figures: &[Figures], ratios: [f64; 2]) {
    let time =
        |of: fn(&Figures) -> u64| micros(median(figures, |figures| of(figures) as f64) as u64);
    let worst = figures.iter().max_by_key(|figures| {
        (
            figures.lost,
            load.viewers - figures.live.min(load.viewers),
            figures.late,
        )
    });
    let others = figures.iter().map(|figures| figures.others_cpu).max();
    let others_cpu = others.unwrap_or_default();
    println!(
        "{:<14} {:>9.0} {:>9.1} {:>9} {:>11} {:>8} {:>8} {:>9} {:>9.0}  {}",
        contender.name,
        median(figures, Figures::connects_per_s),
        median(figures, Figures::deliveries_per_cpu_s) / 1e3,
        format!("x {:.2}", ratios[0]),
        format!("x {:.2}", ratios[1]),
        time(|figures| figures.p50),
        time(|figures| figures.p99),
        time(|figures| figures.p999),
        median(figures, |figures| figures.bytes_per_viewer as f64),
        worst
            .map(|worst| behind(
                load,
                &Figures {
                    others_cpu,
                    ..worst.clone()
                }
            ))
            .unwrap_or_default(),
    );
}

fn median(figures: &[Figures], of: impl Fn(&Figures) -> f64) -> f64 {
    let mut values: Vec<f64> = figures.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
