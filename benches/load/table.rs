//! The runs that belong together.

use crate::client::Transport::{Poll, Sse, Ws};
use crate::report;
use crate::run::{Run, Watch, run};
use crate::scenario::Scenario;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Table {
    /// What is asked most often, in under two minutes
    Standard,
    /// Everything, in about fifteen
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
    pub fn print(self, room: usize) -> anyhow::Result<()> {
        match self {
            Table::Standard => standard(room),
            Table::Full => full(room),
        }
    }
}

fn standard(room: usize) -> anyhow::Result<()> {
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
    Scenario::Idle.run(Some(5000), room)?;
    Scenario::Commits.run(None, room)
}

fn full(room: usize) -> anyhow::Result<()> {
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
        scenario.run(None, room)?;
    }
    Ok(())
}

/// Runs each, under one heading.
pub fn all(runs: &[Run]) -> anyhow::Result<()> {
    report::heading();
    for asked in runs {
        report::line(asked, &run(asked)?);
    }
    Ok(())
}
