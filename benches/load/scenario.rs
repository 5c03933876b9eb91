//! Scenarios that a single run does not cover, such as idle, sleeping, returning and reconnecting
//! viewers.

mod churn;
mod cluster;
mod cluster_commits;
mod comeback;
mod commits;
mod full;
mod idle;
mod log;
mod mixed;
#[path = "../../tests/nats/server.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "the tests of whole nodes use all of it, and may panic"
)]
mod nats;
mod one_pet;
mod polls;
mod restart;
mod retries;
mod sleepers;
mod waiting_polls;

use std::time::Duration;

use anyhow::ensure;

use crate::check::loss::{self, LossReport};
use crate::client::Transport;
use crate::client::pool::{NewViewer, ViewerPool};
use crate::client::progress::Progress;
use crate::run::{connect, ensure_no_losses};
use crate::server::{Server, Settings};

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// Memory of an idle viewer
    Idle,
    /// Viewers of all transports, idle for a minute, and then one change
    Mixed,
    /// Viewers of one pet each, compared with viewers of all pets with as many deliveries
    OnePet,
    /// One viewer in ten stops reading for 20 s
    Sleepers,
    /// Viewers join and leave while changes flow
    Churn,
    /// The server restarts, and viewers dial one transport or all of them
    Comeback,
    /// How late do changes reach few and many pollers?
    Polls,
    /// Polls that wait, and one change
    WaitingPolls,
    /// Readers of the log behind Varnish and nginx
    Log,
    /// More visitors than the server has slots for, and then room
    Full,
    /// The server restarts
    Restart,
    /// Durable changes through the API, compared with the syncs of the disk
    Commits,
    /// Two nodes on three NATS servers, compared with one node with the embedded store
    Cluster,
    /// Changes through a node on three NATS servers, compared with storing a message there
    ClusterCommits,
}

impl Scenario {
    /// Runs the scenario with `viewers`, or its default number of viewers.
    pub fn run(self, viewers: Option<usize>, max_viewers: usize) -> anyhow::Result<()> {
        let or = |usual: usize| viewers.unwrap_or(usual).min(max_viewers);
        match self {
            Scenario::Idle => idle::run(or(10_000)),
            Scenario::Mixed => mixed::run(or(19_000)),
            Scenario::OnePet => one_pet::compare(or(10_000)),
            Scenario::Sleepers => sleepers::run(or(1000)),
            Scenario::Churn => churn::run(or(5000)),
            Scenario::Comeback => comeback::run(viewers.unwrap_or(4000).min(max_viewers / 3)),
            Scenario::Polls => polls::run_all(),
            Scenario::WaitingPolls => waiting_polls::run(or(19_000)),
            Scenario::Log => log::run(or(15_000)),
            Scenario::Full => full::run(or(5000)),
            Scenario::Restart => restart::run(or(5000)),
            Scenario::Commits => commits::run(),
            Scenario::Cluster => cluster::compare(or(10_000)),
            Scenario::ClusterCommits => cluster_commits::run(),
        }
    }
}

/// A server and its viewers.
struct Setup {
    server: Server,
    pool: ViewerPool,
}

impl Setup {
    fn start(settings: &Settings, name: &str) -> anyhow::Result<Self> {
        Setup::with_server(Server::start(settings)?, name)
    }

    /// Uses a server that runs already.
    fn with_server(server: Server, name: &str) -> anyhow::Result<Self> {
        let board = server.board()?;
        let pool = ViewerPool::new(server.target(&board), board.rev, Progress::new(name))?;
        Ok(Setup { server, pool })
    }

    fn add(&mut self, new_viewer: NewViewer, count: usize) {
        for _ in 0..count {
            self.pool.add(new_viewer);
        }
    }

    /// Connects `viewers` of all pets over `transport`. Returns how long that took.
    ///
    /// # Errors
    /// If not all of them are connected.
    fn connect_all(&mut self, transport: Transport, viewers: usize) -> anyhow::Result<Duration> {
        let new_viewer = NewViewer {
            transport,
            pet: None,
            is_counted: true,
        };
        self.add(new_viewer, viewers);
        let time = connect(&mut self.pool)?;
        let live = self.pool.live;
        ensure!(live == viewers, "only {live} of {viewers} connected");
        Ok(time)
    }

    /// Waits until all viewers have received everything, or fails with the losses.
    fn settle(&mut self) -> anyhow::Result<LossReport> {
        let board = self.server.board()?;
        let report = loss::settle(&mut self.pool, &board, loss::SETTLE_LIMIT)?;
        ensure_no_losses(&report)?;
        Ok(report)
    }
}

/// Prints a figure with its name.
fn print_figure(name: &str, figure: impl std::fmt::Display) {
    println!("  {name:<58} {figure}");
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
