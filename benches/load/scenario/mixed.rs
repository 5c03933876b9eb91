//! Are 19,000 viewers of all three transports still there after a quiet minute, and when does a
//! change reach them?

use std::time::Duration;

use anyhow::ensure;

use super::{Rig, mib, say};
use crate::client::Transport;
use crate::fleet::{Fleet, Guest};
use crate::process::memory_bytes;
use crate::report::{micros, seconds};
use crate::run::connect;
use crate::server::Settings;

const QUIET: Duration = Duration::from_mins(1);

/// With a heartbeat at least every 15 s. A poll waits for 25 s, and answers with one.
const HEARTBEATS: u64 = 3;
const HEARTBEATS_OF_POLL: u64 = 2;

pub fn run(viewers: usize) -> anyhow::Result<()> {
    println!("\n{viewers} viewers of all transports, idle for a minute, and then one change");
    let settings = Settings {
        pets: 6,
        changes_per_s: 0.0,
        viewers,
    };
    let mut rig = Rig::start(&settings, "mixed")?;
    let transports = [Transport::Ws, Transport::Sse, Transport::Poll];
    for index in 0..viewers {
        rig.fleet.enlist(Guest {
            transport: transports[index % transports.len()],
            pet: None,
            is_counted: true,
        });
    }
    let time = connect(&mut rig.fleet)?;
    ensure!(
        rig.fleet.live == viewers,
        "only {} connected",
        rig.fleet.live
    );
    say("all connected in", seconds(time));
    rig.fleet.run_for(QUIET)?;
    ensure!(rig.fleet.live == viewers, "{} were lost", rig.fleet.lost);
    say(
        "heartbeats in the quiet minute, fewest",
        heartbeats(&rig.fleet)?,
    );
    say(
        "resident memory of the server",
        mib(memory_bytes(rig.server.pid())?),
    );
    rig.fleet.book.measure();
    rig.server.set_status(1, "bathing")?;
    rig.settle()?;
    let book = &rig.fleet.book;
    ensure!(
        book.deliveries == viewers as u64,
        "{} got it",
        book.deliveries
    );
    say(
        "the change reached half of them in",
        micros(book.latency.value_at_quantile(0.5)),
    );
    say("and all of them in", micros(book.latency.max()));
    Ok(())
}

/// The fewest that a WebSocket or SSE viewer got, when everyone got enough.
fn heartbeats(fleet: &Fleet) -> anyhow::Result<u64> {
    let mut fewest = u64::MAX;
    for viewer in &fleet.viewers {
        let count = viewer.seat.heartbeats;
        let needed = match viewer.transport {
            Transport::Poll => HEARTBEATS_OF_POLL,
            _ => HEARTBEATS,
        };
        let name = viewer.transport.name();
        ensure!(count >= needed, "a {name} viewer got {count} heartbeats");
        if viewer.transport != Transport::Poll {
            fewest = fewest.min(count);
        }
    }
    Ok(fewest)
}
