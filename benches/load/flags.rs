//! What was asked for on the command line.

use clap::Parser;

use crate::client::Transport;
use crate::run::{Run, Watch};
use crate::scenario::Scenario;
use crate::table::Table;

/// Puts real viewers on real sockets before a pet-store of its own, and prints what a delivery
/// costs. Without flags: a short table, in under two minutes.
#[derive(Parser)]
#[command(name = "load")]
pub struct Flags {
    /// How viewers connect
    #[arg(long)]
    pub transport: Option<Transport>,

    #[arg(long)]
    pub viewers: Option<usize>,

    #[arg(long)]
    changes_per_s: Option<f64>,

    #[arg(long)]
    pets: Option<u32>,

    /// How long is measured
    #[arg(long)]
    seconds: Option<u64>,

    /// Whether each viewer watches all pets, or one
    #[arg(long)]
    watch: Option<Watch>,

    /// Answer one of the other questions; only --viewers is looked at beside it
    #[arg(long)]
    pub scenario: Option<Scenario>,

    /// Which runs belong to the table
    #[arg(long, default_value = "standard")]
    pub table: Table,

    /// Measure Socket.IO, Bun and nchan too, in rounds with pet-store; takes --viewers,
    /// --changes-per-s and --seconds
    #[arg(long)]
    pub peers: bool,

    /// With --peers: only those whose names contain this, such as ws or Bun
    #[arg(long, default_value = "")]
    pub only: String,

    /// Measure how the cost of a delivery grows, and draw it in benches/plots
    #[arg(long)]
    pub plots: bool,

    /// Prove that this bench would see a loss, against a server that is made to lose
    #[arg(long)]
    pub prove: bool,

    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

impl Flags {
    /// Whether the load itself is given, and not left as usual.
    pub fn is_load_given(&self) -> bool {
        self.viewers.is_some() || self.changes_per_s.is_some()
    }

    /// The one run that is asked for, if any of its flags is given.
    pub fn run(&self) -> Option<Run> {
        let is_given = self.transport.is_some()
            || self.viewers.is_some()
            || self.changes_per_s.is_some()
            || self.pets.is_some()
            || self.seconds.is_some()
            || self.watch.is_some();
        is_given.then(|| Run {
            transport: self.transport.unwrap_or(Transport::Ws),
            viewers: self.viewers.unwrap_or(1000),
            changes_per_s: self.changes_per_s.unwrap_or(10.0),
            pets: self.pets.unwrap_or(100),
            seconds: self.seconds.unwrap_or(10),
            watch: self.watch.unwrap_or(Watch::All),
        })
    }
}
