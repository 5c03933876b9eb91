//! The tables of runs.

use crate::client::Transport::{Poll, Sse, Ws};
use crate::report;
use crate::run::{Run, Watch, run};
use crate::scenario::Scenario;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Table {
    /// The most important runs, in under two minutes
    Standard,
    /// All runs, in about fifteen minutes
    Full,
}

const BASE: Run = Run {
    transport: Ws,
    viewers: 1000,
    changes_per_s: 50.0,
    pets: 100,
    seconds: 5,
    watch: Watch::All,
};

const MANY: Run = Run {
    viewers: 5000,
    changes_per_s: 10.0,
    seconds: 8,
    ..BASE
};

impl Table {
    pub fn print(self, max_viewers: usize) -> anyhow::Result<()> {
        match self {
            Table::Standard => standard(max_viewers),
            Table::Full => full(max_viewers),
        }
    }
}

fn standard(max_viewers: usize) -> anyhow::Result<()> {
    all(&[
        BASE,
        Run {
            transport: Sse,
            ..BASE
        },
        MANY,
        Run {
            transport: Sse,
            ..MANY
        },
        Run {
            transport: Poll,
            viewers: 500,
            changes_per_s: 10.0,
            ..BASE
        },
        Run {
            changes_per_s: 100.0,
            pets: 1000,
            watch: Watch::One,
            ..MANY
        },
    ])?;
    Scenario::Idle.run(Some(5000), max_viewers)?;
    Scenario::Commits.run(None, max_viewers)
}

fn full(max_viewers: usize) -> anyhow::Result<()> {
    let most = Run {
        viewers: 10_000,
        changes_per_s: 50.0,
        seconds: 15,
        ..BASE
    };
    let many = Run {
        seconds: 15,
        ..MANY
    };
    all(&[
        many,
        Run {
            transport: Sse,
            ..many
        },
        most,
        Run {
            transport: Sse,
            ..most
        },
    ])?;
    for scenario in [
        Scenario::OnePet,
        Scenario::Idle,
        Scenario::Mixed,
        Scenario::Sleepers,
        Scenario::Churn,
        Scenario::Comeback,
        Scenario::Restart,
        Scenario::Commits,
    ] {
        scenario.run(None, max_viewers)?;
    }
    Ok(())
}

/// Runs all, and prints a line for each.
pub fn all(runs: &[Run]) -> anyhow::Result<()> {
    report::heading();
    for asked in runs {
        report::line(asked, &run(asked)?);
    }
    Ok(())
}
