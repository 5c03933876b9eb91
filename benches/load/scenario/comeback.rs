//! Everyone was cut off and comes back at once, each with its cursor: how long until all are live?

use std::time::Duration;

use super::{Rig, say};
use crate::client::Transport;
use crate::report::seconds;
use crate::server::Settings;

pub fn run(viewers: usize) -> anyhow::Result<()> {
    println!("\n{viewers} viewers come back at once, at 10 changes/s");
    for transport in [Transport::Ws, Transport::Sse] {
        let settings = Settings {
            pets: 100,
            changes_per_s: 10.0,
            viewers,
        };
        let mut rig = Rig::start(&settings, &format!("comeback {}", transport.name()))?;
        rig.join(transport, viewers)?;
        for index in 0..viewers {
            rig.fleet.leave(index);
        }
        // The server has noticed, and has changes that those who come back have missed.
        std::thread::sleep(Duration::from_secs(2));
        rig.fleet.opening_limit = usize::MAX;
        let time = rig.join(transport, viewers)?;
        rig.settle()?;
        say(
            &format!("{}: all live after", transport.name()),
            seconds(time),
        );
    }
    Ok(())
}
