//! What do 19,000 polls that wait cost, and how fast does one change answer all of them?
//!
//! All of them are sent again immediately after the answer, as a page does, so the memory after the change
//! is that of a crowd whose requests have just been served.

use std::time::Duration;

use anyhow::ensure;

use super::{Setup, mib, print_figure};
use crate::client::Transport;
use crate::report::micros;
use crate::server::Settings;
use crate::system::memory_bytes;

/// How long the server may take to free what connecting needed.
const SETTLE: Duration = Duration::from_secs(3);

/// The latest accepted answer in microseconds, and the memory of all polls in bytes.
const LATEST: u64 = 400_000;
const MEMORY: u64 = 40_000_000;

pub fn run(viewers: usize) -> anyhow::Result<()> {
    println!("\n{viewers} polls that wait, and one change");
    let settings = Settings {
        pets: 6,
        changes_per_s: 0.0,
        viewers,
    };
    let mut setup = Setup::start(&settings, "waiting polls")?;
    let server = setup.server.pid();
    let before = memory_bytes(server)?;
    setup.connect_all(Transport::Poll, viewers)?;
    setup.pool.run_for(SETTLE)?;
    let waiting = memory_bytes(server)?.saturating_sub(before);
    setup.pool.measurements.start();
    setup.server.set_status(1, "bathing")?;
    setup.settle()?;
    let after = memory_bytes(server)?.saturating_sub(before);
    let measurements = &setup.pool.measurements;
    ensure!(
        measurements.deliveries == viewers as u64,
        "only {} received it",
        measurements.deliveries
    );
    let latest = measurements.latency.max();
    print_figure("memory of the polls while they wait", mib(waiting));
    print_figure("memory of the polls after the change", mib(after));
    print_figure(
        "the change reached half of them in",
        micros(measurements.latency.value_at_quantile(0.5)),
    );
    print_figure("and all of them in", micros(latest));
    ensure!(waiting.max(after) <= MEMORY, "more than {}", mib(MEMORY));
    ensure!(latest <= LATEST, "later than {}", micros(LATEST));
    Ok(())
}
