//! Measures how long it takes until all viewers are live when they reconnect at the same time, each with
//! its cursor.

use std::time::Duration;

use super::{Setup, print_figure};
use crate::client::Transport;
use crate::report::seconds;
use crate::server::Settings;

pub fn run(viewers: usize) -> anyhow::Result<()> {
    println!("\n{viewers} viewers reconnect at the same time, at 10 changes/s");
    for transport in [Transport::Ws, Transport::Sse] {
        let settings = Settings {
            pets: 100,
            changes_per_s: 10.0,
            viewers,
        };
        let mut setup = Setup::start(&settings, &format!("comeback {}", transport.name()))?;
        setup.connect_all(transport, viewers)?;
        for index in 0..viewers {
            setup.pool.close(index);
        }
        // Meanwhile the server closes the connections and commits changes for the returning viewers.
        std::thread::sleep(Duration::from_secs(2));
        setup.pool.max_connecting = usize::MAX;
        let time = setup.connect_all(transport, viewers)?;
        setup.settle()?;
        print_figure(
            &format!("{}: all live after", transport.name()),
            seconds(time),
        );
    }
    Ok(())
}
