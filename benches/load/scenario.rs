//! Questions that one run does not answer: what idle viewers cost, and what happens around those
//! who sleep, come and go, or come back all at once.

mod churn;
mod cluster;
mod cluster_commits;
mod comeback;
mod commits;
mod idle;
mod mixed;
#[path = "../../tests/nats/server.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "the tests of whole nodes use all of it, and may panic"
)]
mod nats;
mod one_pet;
mod restart;
mod sleepers;

use std::time::Duration;

use anyhow::ensure;

use crate::client::Transport;
use crate::fleet::{Fleet, Guest};
use crate::progress::Progress;
use crate::run::{connect, refuse_losses};
use crate::server::{Server, Settings};
use crate::verdict::{self, Verdict};

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// What an idle viewer costs in memory
    Idle,
    /// Viewers of all transports, idle for a minute, and then one change
    Mixed,
    /// Viewers of one pet each, beside viewers of all with as many deliveries
    OnePet,
    /// One viewer in ten stops reading for 20 s
    Sleepers,
    /// Viewers join and leave while changes flow
    Churn,
    /// Everyone comes back at once
    Comeback,
    /// The server is stopped and started again
    Restart,
    /// Durable changes through the API, beside what the disk can do
    Commits,
    /// Two nodes on three NATS servers, beside one node with the embedded store
    Cluster,
    /// Changes through a node on three NATS servers, beside what these take to store a message
    ClusterCommits,
}

impl Scenario {
    /// `viewers`, where it is not to be the usual number.
    pub fn run(self, viewers: Option<usize>, room: usize) -> anyhow::Result<()> {
        let or = |usual: usize| viewers.unwrap_or(usual).min(room);
        match self {
            Scenario::Idle => idle::run(or(10_000)),
            Scenario::Mixed => mixed::run(or(19_000)),
            Scenario::OnePet => one_pet::compare(or(10_000)),
            Scenario::Sleepers => sleepers::run(or(1000)),
            Scenario::Churn => churn::run(or(5000)),
            Scenario::Comeback => comeback::run(or(4000)),
            Scenario::Restart => restart::run(or(5000)),
            Scenario::Commits => commits::run(),
            Scenario::Cluster => cluster::compare(or(10_000)),
            Scenario::ClusterCommits => cluster_commits::run(),
        }
    }
}

/// A server and the fleet before it.
struct Rig {
    server: Server,
    fleet: Fleet,
}

impl Rig {
    fn start(settings: &Settings, name: &str) -> anyhow::Result<Self> {
        Rig::before(Server::start(settings)?, name)
    }

    /// A fleet before a server that runs already.
    fn before(server: Server, name: &str) -> anyhow::Result<Self> {
        let board = server.board()?;
        let fleet = Fleet::new(server.target(&board), board.rev, Progress::new(name))?;
        Ok(Rig { server, fleet })
    }

    fn enlist(&mut self, guest: Guest, count: usize) {
        for _ in 0..count {
            self.fleet.enlist(guest);
        }
    }

    /// Brings `viewers` of all pets in over `transport`; how long that took.
    ///
    /// # Errors
    /// Not all of them came in.
    fn join(&mut self, transport: Transport, viewers: usize) -> anyhow::Result<Duration> {
        let guest = Guest {
            transport,
            pet: None,
            is_counted: true,
        };
        self.enlist(guest, viewers);
        let time = connect(&mut self.fleet)?;
        let live = self.fleet.live;
        ensure!(live == viewers, "only {live} of {viewers} came in");
        Ok(time)
    }

    /// Everyone has everything, or there is nothing to report.
    fn settle(&mut self) -> anyhow::Result<Verdict> {
        let board = self.server.board()?;
        let verdict = verdict::settle(&mut self.fleet, &board, verdict::SETTLE_LIMIT)?;
        refuse_losses(&verdict)?;
        Ok(verdict)
    }
}

/// A figure for people, under what it is about.
fn say(what: &str, figure: impl std::fmt::Display) {
    println!("  {what:<58} {figure}");
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
