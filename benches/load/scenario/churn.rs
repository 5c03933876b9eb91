//! Checks that the server frees everything when viewers join and leave.
//!
//! 5,000 viewers join at 500 per second while changes flow; each leaves after 5 s. Before that, the
//! backlog of the server is filled, so that it does not look like a leak. After every round all file
//! descriptors must be closed, and memory must be within a tenth of what it was before the first.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::commits::change_all;
use super::{Setup, mib, print_figure};
use crate::client::Transport;
use crate::client::pool::NewViewer;
use crate::run::connect;
use crate::server::{Server, Settings};
use crate::system::{descriptors, memory_bytes};

const JOINS_PER_S: u64 = 500;
const STAY: Duration = Duration::from_secs(5);
const ROUNDS: usize = 5;

/// How long to fill the backlog.
const FILLING: Duration = Duration::from_secs(2);

/// Time limit for the server to close connections of viewers that left.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

pub fn run(viewers: usize) -> anyhow::Result<()> {
    println!("\n{viewers} viewers join and leave at {JOINS_PER_S}/s, at 20 changes/s");
    let settings = Settings {
        pets: 100,
        changes_per_s: 20.0,
        viewers,
    };
    let server = Server::start(&settings)?;
    change_all(server.address, FILLING)?;
    let mut setup = Setup::with_server(server, "churn")?;
    let observer = NewViewer {
        transport: Transport::Ws,
        pet: None,
        is_counted: false,
    };
    setup.add(observer, 1);
    connect(&mut setup.pool)?;
    let before = (
        descriptors(setup.server.pid())?,
        memory_bytes(setup.server.pid())?,
    );
    print_figure(
        "before: descriptors, memory",
        format!("{}, {}", before.0, mib(before.1)),
    );
    for round in 1..=ROUNDS {
        join_and_leave(&mut setup, viewers)?;
        let pid = setup.server.pid();
        setup.pool.run_while(CLOSE_LIMIT, |_| {
            descriptors(pid).is_ok_and(|count| count > before.0)
        })?;
        let after = (descriptors(pid)?, memory_bytes(pid)?);
        print_figure(
            &format!("after round {round}"),
            format!("{}, {}", after.0, mib(after.1)),
        );
        ensure!(after.0 <= before.0, "file descriptors were not closed");
        ensure!(after.1 <= before.1 + before.1 / 10, "memory was not freed");
    }
    setup.settle()?;
    Ok(())
}

/// Connects all viewers, half over WebSocket and half over SSE, and closes each after its stay.
fn join_and_leave(setup: &mut Setup, viewers: usize) -> anyhow::Result<()> {
    let start = Instant::now();
    let first = setup.pool.viewers.len();
    let (mut joined, mut leaving) = (0, VecDeque::new());
    while joined < viewers || !leaving.is_empty() {
        let due = (start.elapsed().as_millis() as u64 * JOINS_PER_S / 1000) as usize;
        while joined < due.min(viewers) {
            let transport = [Transport::Ws, Transport::Sse][joined % 2];
            let new_viewer = NewViewer {
                transport,
                pet: None,
                is_counted: true,
            };
            setup.add(new_viewer, 1);
            leaving.push_back((Instant::now() + STAY, first + joined));
            joined += 1;
        }
        while let Some((_, index)) = leaving.pop_front_if(|(at, _)| *at <= Instant::now()) {
            ensure!(
                index < setup.pool.viewers.len(),
                "joins take longer than {STAY:?}"
            );
            setup.pool.close(index);
        }
        setup.pool.poll(Duration::from_millis(5))?;
    }
    Ok(())
}
