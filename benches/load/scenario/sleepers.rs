//! Measures the latency of the others, and the memory of the server, when one viewer in ten stops reading.

use std::time::{Duration, Instant};

use anyhow::ensure;
use rustix::event::epoll::EventFlags;

use super::{Setup, mib, print_figure};
use crate::client::Transport;
use crate::report::{micros, seconds};
use crate::server::Settings;
use crate::system::memory_bytes;

const CHANGES_PER_S: f64 = 200.0;
const SLEEP_S: u64 = 20;

/// One viewer in this many sleeps.
const ONE_IN: usize = 10;

/// A small window, as of a phone: otherwise the kernel would buffer what a sleeper does not read.
const RECEIVE_BUFFER: usize = 16 * 1024;

pub fn run(viewers: usize) -> anyhow::Result<()> {
    let sleepers = viewers / ONE_IN;
    println!(
        "\n{sleepers} of {viewers} viewers stop reading for {SLEEP_S} s, at {CHANGES_PER_S} changes/s"
    );
    for transport in [Transport::Ws, Transport::Sse] {
        let name = transport.name();
        let awake = p99(transport, viewers, false)?;
        print_figure(&format!("{name}: p99 without sleepers"), micros(awake));
        let others = p99(transport, viewers, true)?;
        print_figure(
            &format!("{name}: p99 of the others meanwhile"),
            micros(others),
        );
    }
    Ok(())
}

/// Returns the p99 of viewers that read all the time.
fn p99(transport: Transport, viewers: usize, is_with_sleepers: bool) -> anyhow::Result<u64> {
    let settings = Settings {
        pets: 100,
        changes_per_s: CHANGES_PER_S,
        viewers,
    };
    let mut setup = Setup::start(&settings, &format!("sleepers {}", transport.name()))?;
    setup.pool.targets[0].receive_buffer = Some(RECEIVE_BUFFER);
    setup.connect_all(transport, viewers)?;
    setup.pool.run_for(Duration::from_secs(1))?;
    let before = memory_bytes(setup.server.pid())?;
    let sleepers = if is_with_sleepers { viewers } else { 0 };
    set_events(&setup, sleepers, EventFlags::empty())?;
    setup.pool.measurements.start();
    let most = watch_memory(&mut setup)?;
    setup.pool.measurements.is_measuring = false;
    let p99 = setup.pool.measurements.latency.value_at_quantile(0.99);
    if is_with_sleepers {
        wake(&mut setup, viewers)?;
        let name = transport.name();
        print_figure(&format!("{name}: server memory before"), mib(before));
        print_figure(&format!("{name}: and at most while they slept"), mib(most));
    }
    Ok(p99)
}

/// Wakes the sleepers, and measures how long it takes until they have the newest status of every pet.
fn wake(setup: &mut Setup, viewers: usize) -> anyhow::Result<()> {
    let woken = Instant::now();
    let newest = setup.pool.measurements.change_log.newest();
    set_events(setup, viewers, EventFlags::IN)?;
    let limit = Duration::from_secs(30);
    let is_current = setup.pool.run_while(limit, |pool| {
        let sleepers = pool.viewers.iter().step_by(ONE_IN);
        !sleepers.clone().all(|viewer| viewer.record.last >= newest)
    })?;
    ensure!(
        is_current,
        "sleepers were not current after {}",
        seconds(limit)
    );
    let took = seconds(woken.elapsed());
    let report = setup.settle()?;
    print_figure("sleepers were current again after", took);
    print_figure("changes that sleepers skipped", report.skipped);
    print_figure("viewers that skipped changes", report.behind);
    Ok(())
}

/// Sets the events of every tenth of the first `viewers`.
fn set_events(setup: &Setup, viewers: usize, flags: EventFlags) -> anyhow::Result<()> {
    (0..viewers)
        .step_by(ONE_IN)
        .try_for_each(|index| setup.pool.set_events(index, flags))
}

/// Runs while the sleepers sleep. Returns the most memory that the server used.
fn watch_memory(setup: &mut Setup) -> anyhow::Result<u64> {
    let mut most = 0;
    for _ in 0..SLEEP_S {
        setup.pool.run_for(Duration::from_secs(1))?;
        most = most.max(memory_bytes(setup.server.pid())?);
    }
    Ok(most)
}
