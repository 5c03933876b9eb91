//! Plots how the cost of a delivery grows with viewers, and with changes and pets, into
//! `benches/plots`. Each point is a run.

mod svg;

use std::path::Path;

use self::svg::{Chart, Series};
use crate::client::Transport::{self, Sse, Ws};
use crate::report;
use crate::run::{Run, Watch, run};
use crate::system;

const VIEWERS: [usize; 6] = [100, 300, 1000, 3000, 10_000, 19_000];
const CHANGES_PER_S: [f64; 6] = [2.0, 5.0, 10.0, 20.0, 50.0, 100.0];
const PETS: [u32; 3] = [10, 100, 1000];

/// Deliveries of a point, if that takes no longer than the longest run.
const DELIVERIES: f64 = 100_000.0;
const SHORTEST_S: f64 = 4.0;
const LONGEST_S: f64 = 15.0;

pub fn draw(max_viewers: usize) -> anyhow::Result<()> {
    report::heading();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/plots");
    std::fs::create_dir_all(&folder)?;
    let by_viewers = Chart {
        title: "CPU of one delivery, by viewers".to_owned(),
        subtitle: format!("10 changes/s of 100 pets; {}", system::processors()),
        x_label: "viewers".to_owned(),
        series: vec![by_viewers(Ws, max_viewers)?, by_viewers(Sse, max_viewers)?],
    };
    std::fs::write(folder.join("cost-by-viewers.svg"), by_viewers.to_svg())?;
    let by_changes = Chart {
        title: "CPU of one delivery, by changes and pets".to_owned(),
        subtitle: format!("1,000 viewers over WebSocket; {}", system::processors()),
        x_label: "changes per second".to_owned(),
        series: PETS
            .into_iter()
            .map(by_changes)
            .collect::<anyhow::Result<_>>()?,
    };
    std::fs::write(folder.join("cost-by-changes.svg"), by_changes.to_svg())?;
    Ok(())
}

fn by_viewers(transport: Transport, max_viewers: usize) -> anyhow::Result<Series> {
    let viewers = VIEWERS
        .into_iter()
        .filter(|viewers| *viewers <= max_viewers);
    let points = viewers.map(|viewers| {
        let cost = cost(transport, viewers, 10.0, 100)?;
        Ok((viewers as f64, cost))
    });
    Ok(Series {
        name: transport.name().to_owned(),
        points: points.collect::<anyhow::Result<_>>()?,
    })
}

fn by_changes(pets: u32) -> anyhow::Result<Series> {
    let points = CHANGES_PER_S.into_iter().map(|changes_per_s| {
        let cost = cost(Ws, 1000, changes_per_s, pets)?;
        Ok((changes_per_s, cost))
    });
    Ok(Series {
        name: format!("{pets} pets"),
        points: points.collect::<anyhow::Result<_>>()?,
    })
}

/// Returns the server's CPU time per delivery, in microseconds.
fn cost(
    transport: Transport,
    viewers: usize,
    changes_per_s: f64,
    pets: u32,
) -> anyhow::Result<f64> {
    let seconds = DELIVERIES / (viewers as f64 * changes_per_s);
    let asked = Run {
        transport,
        viewers,
        changes_per_s,
        pets,
        seconds: seconds.clamp(SHORTEST_S, LONGEST_S) as u64,
        watch: Watch::All,
    };
    let figures = run(&asked)?;
    report::line(&asked, &figures);
    Ok(1e6 / figures.deliveries_per_cpu_s())
}
