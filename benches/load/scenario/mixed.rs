//! Checks that 19,000 viewers of all three transports are still connected after a quiet minute, and
//! measures when a change reaches them.

use std::time::Duration;

use anyhow::ensure;

use super::{Setup, mib, print_figure};
use crate::client::Transport;
use crate::client::pool::{NewViewer, ViewerPool};
use crate::report::{micros, seconds};
use crate::run::connect;
use crate::server::Settings;
use crate::system::memory_bytes;

const QUIET: Duration = Duration::from_mins(1);

/// Heartbeats that each viewer must receive: one per 15 s; a poll waits for 25 s and returns one.
const HEARTBEATS: u64 = 3;
const POLL_HEARTBEATS: u64 = 2;

pub fn run(viewers: usize) -> anyhow::Result<()> {
    println!("\n{viewers} viewers of all transports, idle for a minute, and then one change");
    let settings = Settings {
        pets: 6,
        changes_per_s: 0.0,
        viewers,
    };
    let mut setup = Setup::start(&settings, "mixed")?;
    let transports = [Transport::Ws, Transport::Sse, Transport::Poll];
    for index in 0..viewers {
        setup.pool.add(NewViewer {
            transport: transports[index % transports.len()],
            pet: None,
            is_counted: true,
        });
    }
    let time = connect(&mut setup.pool)?;
    ensure!(
        setup.pool.live == viewers,
        "only {} connected",
        setup.pool.live
    );
    print_figure("all connected in", seconds(time));
    setup.pool.run_for(QUIET)?;
    ensure!(setup.pool.live == viewers, "{} were lost", setup.pool.lost);
    print_figure(
        "heartbeats in the quiet minute, fewest",
        heartbeats(&setup.pool)?,
    );
    print_figure(
        "resident memory of the server",
        mib(memory_bytes(setup.server.pid())?),
    );
    setup.pool.measurements.start();
    setup.server.set_status(1, "bathing")?;
    setup.settle()?;
    let measurements = &setup.pool.measurements;
    ensure!(
        measurements.deliveries == viewers as u64,
        "only {} received it",
        measurements.deliveries
    );
    print_figure(
        "the change reached half of them in",
        micros(measurements.latency.value_at_quantile(0.5)),
    );
    print_figure("and all of them in", micros(measurements.latency.max()));
    Ok(())
}

/// Returns the fewest heartbeats of a WebSocket or SSE viewer, or fails if a viewer received too few.
fn heartbeats(pool: &ViewerPool) -> anyhow::Result<u64> {
    let mut fewest = u64::MAX;
    for viewer in &pool.viewers {
        let count = viewer.record.heartbeats;
        let needed = match viewer.transport {
            Transport::Poll => POLL_HEARTBEATS,
            _ => HEARTBEATS,
        };
        let name = viewer.transport.name();
        ensure!(
            count >= needed,
            "a {name} viewer received {count} heartbeats"
        );
        if viewer.transport != Transport::Poll {
            fewest = fewest.min(count);
        }
    }
    Ok(fewest)
}
