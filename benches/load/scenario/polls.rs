//! How late do changes reach few and many long polls, at 10 changes a second?
//!
//! A poll that is answered is sent again immediately, as the page does on a board that is not busier than
//! this. Few pollers must receive each change as soon as over a stream; many may collect changes.

use anyhow::ensure;

use super::print_figure;
use crate::client::Transport;
use crate::report::micros;
use crate::run::{Run, Watch, run};

/// Viewers, and the latest accepted 95th percentile from commit to receipt in microseconds, if there is a
/// limit.
const LOADS: [(usize, Option<u64>); 3] = [(1, Some(25_000)), (100, Some(50_000)), (1000, None)];

pub fn run_all() -> anyhow::Result<()> {
    println!("\nlong polls at 10 changes/s");
    for (viewers, limit) in LOADS {
        let figures = run(&Run {
            transport: Transport::Poll,
            viewers,
            changes_per_s: 10.0,
            pets: 100,
            seconds: 10,
            watch: Watch::All,
        })?;
        let cpu = figures.server_cpu.as_secs_f64() / figures.measured.as_secs_f64().max(0.001);
        print_figure(
            &format!("{viewers}: p50, p95, share of a core"),
            format!(
                "{}, {}, {:.0} %",
                micros(figures.p50),
                micros(figures.p95),
                cpu * 100.0
            ),
        );
        if let Some(limit) = limit {
            ensure!(figures.p95 <= limit, "later than {}", micros(limit));
        }
    }
    Ok(())
}
