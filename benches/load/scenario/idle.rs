//! Measures the memory of an idle viewer.

use std::time::Duration;

use super::{Setup, print_figure};
use crate::client::Transport;
use crate::server::Settings;
use crate::system::memory_bytes;

/// How long the server may take to free what connecting needed.
const SETTLE: Duration = Duration::from_secs(3);

pub fn run(viewers: usize) -> anyhow::Result<()> {
    println!("\n{viewers} idle viewers: resident memory of the server, per viewer");
    for transport in [Transport::Ws, Transport::Sse, Transport::Poll] {
        let bytes = bytes_per_viewer(transport, viewers)?;
        print_figure(transport.name(), format!("{bytes} B"));
    }
    Ok(())
}

fn bytes_per_viewer(transport: Transport, viewers: usize) -> anyhow::Result<u64> {
    let settings = Settings {
        pets: 100,
        changes_per_s: 0.0,
        viewers,
    };
    let mut setup = Setup::start(&settings, &format!("idle {}", transport.name()))?;
    let before = memory_bytes(setup.server.pid())?;
    setup.connect_all(transport, viewers)?;
    setup.pool.run_for(SETTLE)?;
    let after = memory_bytes(setup.server.pid())?;
    // A change must reach all of them.
    setup.server.set_status(1, "bathing")?;
    setup.settle()?;
    Ok(after.saturating_sub(before) / viewers as u64)
}
