//! Does the server give everything back when viewers come and go?
//!
//! 5,000 viewers join at 500 a second while changes flow; each leaves after 5 s. The first rounds
//! fill what a program keeps for the next time; after each later one memory has to be within a
//! tenth of that, and after every round all descriptors returned.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::{Rig, mib, say};
use crate::client::Transport;
use crate::fleet::Guest;
use crate::process::{descriptors, memory_bytes};
use crate::run::connect;
use crate::server::Settings;

const JOINS_PER_S: u64 = 500;
const STAY: Duration = Duration::from_secs(5);
const ROUNDS: usize = 5;

/// Rounds that fill what the allocator keeps: it levels out in the third.
const FILLING: usize = 3;

/// For the server to notice who left.
const NOTICE: Duration = Duration::from_secs(5);

pub fn run(viewers: usize) -> anyhow::Result<()> {
    println!("\n{viewers} viewers join and leave at {JOINS_PER_S}/s, at 20 changes/s");
    let settings = Settings {
        pets: 100,
        changes_per_s: 20.0,
        viewers,
    };
    let mut rig = Rig::start(&settings, "churn")?;
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
    let mut full = None;
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
        if round >= FILLING {
            let full = *full.get_or_insert(after.1);
            ensure!(
                after.1 <= full + full / 10,
                "memory grew from round to round"
            );
        }
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
