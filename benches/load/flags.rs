//! The flags of the command line.

use clap::Parser;

use crate::client::Transport;
use crate::run::{Run, Watch};
use crate::scenario::Scenario;
use crate::table::Table;

/// Connects real viewers to a pet-store, and prints what a delivery costs. Without flags: a short
/// table, in under two minutes.
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

    /// How long to measure
    #[arg(long)]
    seconds: Option<u64>,

    /// What each viewer watches: all pets, or one
    #[arg(long)]
    watch: Option<Watch>,

    /// Run another scenario; of the other flags only --viewers applies
    #[arg(long)]
    pub scenario: Option<Scenario>,

    /// Which runs the table contains
    #[arg(long, default_value = "standard")]
    pub table: Table,

    /// Measure a C program, uWebSockets, Bun, nchan and Socket.IO too, in turn with pet-store; --viewers, --changes-per-s and
    /// --seconds apply
    #[arg(long)]
    pub peers: bool,

    /// With --peers: only servers whose names contain this, such as ws or Bun
    #[arg(long, default_value = "")]
    pub only: String,

    /// Measure how the cost of a delivery grows, and draw plots in benches/plots
    #[arg(long)]
    pub plots: bool,

    /// Show that this bench finds losses, with a server that loses changes
    #[arg(long)]
    pub prove: bool,

    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

impl Flags {
    /// Returns true if the load is given.
    pub fn is_load_given(&self) -> bool {
        self.viewers.is_some() || self.changes_per_s.is_some()
    }

    /// Returns the run that the flags describe, if any of them is given.
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
