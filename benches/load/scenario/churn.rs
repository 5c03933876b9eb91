//! Does the server give everything back when viewers come and go?
//!
//! 5,000 viewers join at 500 a second while changes flow; each leaves after 5 s. Before that, what
//! the server keeps of the newest changes is filled, so that it does not look like a leak. After
//! every round all descriptors have to be returned, and memory has to be within a tenth of what it
//! was before the first.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::commits::change_all;
use super::{Rig, mib, say};
use crate::client::Transport;
use crate::fleet::Guest;
use crate::process::{descriptors, memory_bytes};
use crate::run::connect;
use crate::server::{Server, Settings};

const JOINS_PER_S: u64 = 500;
const STAY: Duration = Duration::from_secs(5);
const ROUNDS: usize = 5;

/// For more changes than the server keeps in memory, from as many clients as can make them.
const FILLING: Duration = Duration::from_secs(2);

/// For the server to notice who left.
const NOTICE: Duration = Duration::from_secs(5);

pub fn run(viewers: usize) -> anyhow::Result<()> {
    println!("\n{viewers} viewers join and leave at {JOINS_PER_S}/s, at 20 changes/s");
    let settings = Settings {
        pets: 100,
        changes_per_s: 20.0,
        viewers,
    };
    let server = Server::start(&settings)?;
    change_all(server.address, FILLING)?;
    let mut rig = Rig::before(server, "churn")?;
    let witness = Guest {
        transport: Transport::Ws,
        pet: None,
        is_counted: false,
    };
    rig.enlist(witness, 1);
    connect(&mut rig.fleet)?;
    let before = (
        descriptors(rig.server.pid())?,
        memory_bytes(rig.server.pid())?,
    );
    say(
        "before: descriptors, memory",
        format!("{}, {}", before.0, mib(before.1)),
    );
    for round in 1..=ROUNDS {
        come_and_go(&mut rig, viewers)?;
        let pid = rig.server.pid();
        rig.fleet.run_while(NOTICE, |_| {
            descriptors(pid).is_ok_and(|count| count > before.0)
        })?;
        let after = (descriptors(pid)?, memory_bytes(pid)?);
        say(
            &format!("after round {round}"),
            format!("{}, {}", after.0, mib(after.1)),
        );
        ensure!(after.0 <= before.0, "descriptors were not given back");
        ensure!(
            after.1 <= before.1 + before.1 / 10,
            "memory was not given back"
        );
    }
    rig.settle()?;
    Ok(())
}

/// Everyone joins, stays, and leaves; half over WebSocket, half over SSE.
fn come_and_go(rig: &mut Rig, viewers: usize) -> anyhow::Result<()> {
    let start = Instant::now();
    let first = rig.fleet.viewers.len();
    let (mut joined, mut leaving) = (0, VecDeque::new());
    while joined < viewers || !leaving.is_empty() {
        let due = (start.elapsed().as_millis() as u64 * JOINS_PER_S / 1000) as usize;
        while joined < due.min(viewers) {
            let transport = [Transport::Ws, Transport::Sse][joined % 2];
            let guest = Guest {
                transport,
                pet: None,
                is_counted: true,
            };
            rig.enlist(guest, 1);
            leaving.push_back((Instant::now() + STAY, first + joined));
            joined += 1;
        }
        while let Some((_, index)) = leaving.pop_front_if(|(at, _)| *at <= Instant::now()) {
            ensure!(
                index < rig.fleet.viewers.len(),
                "joins take longer than {STAY:?}"
            );
            rig.fleet.leave(index);
        }
        rig.fleet.turn(Duration::from_millis(5))?;
    }
    Ok(())
}
