//! The runs that belong together.

use crate::client::Transport::{Poll, Sse, Ws};
use crate::report;
use crate::run::{Run, Watch, run};

/// What is asked most often, in under two minutes.
pub fn standard() -> anyhow::Result<()> {
    let base = Run {
        transport: Ws,
        viewers: 1000,
        changes_per_s: 50.0,
        pets: 100,
        seconds: 5,
        watch: Watch::All,
    };
    let many = Run {
        viewers: 5000,
        changes_per_s: 10.0,
        seconds: 8,
        ..base
    };
    let runs = [
        base,
        Run {
            transport: Sse,
            ..base
        },
        many,
        Run {
            transport: Sse,
            ..many
        },
        Run {
            transport: Poll,
            viewers: 500,
            changes_per_s: 10.0,
            ..base
        },
        Run {
            changes_per_s: 100.0,
            pets: 1000,
            watch: Watch::One,
            ..many
        },
    ];
    all(&runs)
}

/// Runs each, under one heading.
pub fn all(runs: &[Run]) -> anyhow::Result<()> {
    report::heading();
    for asked in runs {
        report::line(asked, &run(asked)?);
    }
    Ok(())
}
