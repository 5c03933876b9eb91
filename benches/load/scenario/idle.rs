//! What does a viewer cost in memory while nothing happens?

use std::time::Duration;

use super::{Rig, say};
use crate::client::Transport;
use crate::process::memory_bytes;
use crate::server::Settings;

/// For what the joins needed to be given back.
const REST: Duration = Duration::from_secs(3);

pub fn run(viewers: usize) -> anyhow::Result<()> {
    println!("\n{viewers} idle viewers: resident memory of the server, per viewer");
    for transport in [Transport::Ws, Transport::Sse, Transport::Poll] {
        let bytes = bytes_per_viewer(transport, viewers)?;
        say(transport.name(), format!("{bytes} B"));
    }
    Ok(())
}

fn bytes_per_viewer(transport: Transport, viewers: usize) -> anyhow::Result<u64> {
    let settings = Settings {
        pets: 100,
        changes_per_s: 0.0,
        viewers,
    };
    let mut rig = Rig::start(&settings, &format!("idle {}", transport.name()))?;
    let before = memory_bytes(rig.server.pid())?;
    rig.join(transport, viewers)?;
    rig.fleet.run_for(REST)?;
    let after = memory_bytes(rig.server.pid())?;
    // They are viewers only if a change reaches them.
    rig.server.set_status(1, "bathing")?;
    rig.settle()?;
    Ok(after.saturating_sub(before) / viewers as u64)
}
