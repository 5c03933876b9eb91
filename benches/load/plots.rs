//! How does the cost of a delivery grow with viewers, and with changes and pets?
//!
//! Each point is a run of its own; both plots are written to `benches/plots`.

mod svg;

use std::path::Path;

use self::svg::{Chart, Series};
use crate::client::Transport::{self, Sse, Ws};
use crate::machine;
use crate::report;
use crate::run::{Run, Watch, run};

const VIEWERS: [usize; 6] = [100, 300, 1000, 3000, 10_000, 19_000];
const CHANGES_PER_S: [f64; 6] = [2.0, 5.0, 10.0, 20.0, 50.0, 100.0];
const PETS: [u32; 3] = [10, 100, 1000];

/// Deliveries that a point should rest on, where that takes no longer than the longest run.
const DELIVERIES: f64 = 100_000.0;
const SHORTEST_S: f64 = 4.0;
const LONGEST_S: f64 = 15.0;

pub fn draw(room: usize) -> anyhow::Result<()> {
    report::heading();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/plots");
    std::fs::create_dir_all(&folder)?;
    let by_viewers = Chart {
        title: "CPU of one delivery, by viewers".to_owned(),
        subtitle: format!("10 changes/s of 100 pets; {}", machine::processor()),
        x_label: "viewers".to_owned(),
        series: vec![by_viewers(Ws, room)?, by_viewers(Sse, room)?],
    };
    std::fs::write(folder.join("cost-by-viewers.svg"), by_viewers.to_svg())?;
    let by_changes = Chart {
        title: "CPU of one delivery, by changes and pets".to_owned(),
        subtitle: format!("1,000 viewers over WebSocket; {}", machine::processor()),
        x_label: "changes a second".to_owned(),
        series: PETS
            .into_iter()
            .map(by_changes)
            .collect::<anyhow::Result<_>>()?,
    };
    std::fs::write(folder.join("cost-by-changes.svg"), by_changes.to_svg())?;
    Ok(())
}

fn by_viewers(transport: Transport, room: usize) -> anyhow::Result<Series> {
    let viewers = VIEWERS.into_iter().filter(|viewers| *viewers <= room);
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

/// Microseconds of the server's CPU for a delivery.
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
