//! What do others feel, and what does the server hold, when one viewer in ten stops reading?

use std::time::{Duration, Instant};

use anyhow::ensure;
use rustix::event::epoll::EventFlags;

use super::{Rig, mib, say};
use crate::client::Transport;
use crate::process::memory_bytes;
use crate::report::{micros, seconds};
use crate::server::Settings;

const CHANGES_PER_S: f64 = 200.0;
const SLEEP_S: u64 = 20;

/// One viewer in so many.
const ONE_IN: usize = 10;

/// A small window, as a phone's: otherwise the kernel would take in what a sleeper does not read.
const RECEIVE_BUFFER: usize = 16 * 1024;

pub fn run(viewers: usize) -> anyhow::Result<()> {
    let sleepers = viewers / ONE_IN;
    println!(
        "\n{sleepers} of {viewers} viewers stop reading for {SLEEP_S} s, at {CHANGES_PER_S} changes/s"
    );
    for transport in [Transport::Ws, Transport::Sse] {
        let name = transport.name();
        let awake = one(transport, viewers, false)?;
        say(
            &format!("{name}: p99 of everyone, when nobody sleeps"),
            micros(awake),
        );
        let others = one(transport, viewers, true)?;
        say(
            &format!("{name}: p99 of the others meanwhile"),
            micros(others),
        );
    }
    Ok(())
}

/// The p99 of those who read all the time.
fn one(transport: Transport, viewers: usize, is_with_sleepers: bool) -> anyhow::Result<u64> {
    let settings = Settings {
        pets: 100,
        changes_per_s: CHANGES_PER_S,
        viewers,
    };
    let mut rig = Rig::start(&settings, &format!("sleepers {}", transport.name()))?;
    rig.fleet.targets[0].receive_buffer = Some(RECEIVE_BUFFER);
    rig.join(transport, viewers)?;
    rig.fleet.run_for(Duration::from_secs(1))?;
    let before = memory_bytes(rig.server.pid())?;
    let sleepers = if is_with_sleepers { viewers } else { 0 };
    listen(&rig, sleepers, EventFlags::empty())?;
    rig.fleet.book.measure();
    let most = watch_memory(&mut rig)?;
    rig.fleet.book.is_measuring = false;
    let p99 = rig.fleet.book.latency.value_at_quantile(0.99);
    if is_with_sleepers {
        wake(&mut rig, viewers)?;
        let name = transport.name();
        say(&format!("{name}: server memory before"), mib(before));
        say(&format!("{name}: and at most while they slept"), mib(most));
    }
    Ok(p99)
}

/// Wakes the sleepers, waits until they have the newest status of every pet, and says how long
/// that took.
fn wake(rig: &mut Rig, viewers: usize) -> anyhow::Result<()> {
    let woken = Instant::now();
    let newest = rig.fleet.book.ledger.newest();
    listen(rig, viewers, EventFlags::IN)?;
    let limit = Duration::from_secs(30);
    let is_current = rig.fleet.run_while(limit, |fleet| {
        let sleepers = fleet.viewers.iter().step_by(ONE_IN);
        !sleepers.clone().all(|viewer| viewer.seat.last >= newest)
    })?;
    ensure!(
        is_current,
        "sleepers were not current after {}",
        seconds(limit)
    );
    let took = seconds(woken.elapsed());
    let verdict = rig.settle()?;
    say("sleepers were current again after", took);
    say("changes that sleepers were spared", verdict.skipped);
    say("viewers that were spared some", verdict.behind);
    Ok(())
}

/// Says what the first of every ten of the first `viewers` listen to.
fn listen(rig: &Rig, viewers: usize, flags: EventFlags) -> anyhow::Result<()> {
    (0..viewers)
        .step_by(ONE_IN)
        .try_for_each(|index| rig.fleet.listen(index, flags))
}

/// Runs for as long as sleepers sleep; the most memory the server had.
fn watch_memory(rig: &mut Rig) -> anyhow::Result<u64> {
    let mut most = 0;
    for _ in 0..SLEEP_S {
        rig.fleet.run_for(Duration::from_secs(1))?;
        most = most.max(memory_bytes(rig.server.pid())?);
    }
    Ok(most)
}
