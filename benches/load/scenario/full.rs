//! What happens to visitors for whom the server has no slot, and how soon do they get one?
//!
//! The server has slots for one visitor in five. The others poll, are told to follow the log, and follow it without
//! a cache. Then half of those with a slot leave. A follower does what the page does: it learns in an answer of the log
//! that there is room, dials WebSocket at a random time within half a minute, and returns to the log if it is refused.

use std::time::{Duration, Instant};

use anyhow::ensure;
use rand::RngExt;

use super::{Setup, print_figure};
use crate::client::pool::{NewViewer, ViewerPool};
use crate::client::{Stage, Transport};
use crate::report::{micros, seconds};
use crate::run::connect;
use crate::server::Settings;
use crate::system::cpu_time;

/// Visitors per slot.
const VISITORS_PER_SLOT: usize = 5;

const CHANGES_PER_S: f64 = 2.0;

/// How long the followers are measured before there is room.
const MEASURED: Duration = Duration::from_secs(20);

/// The time over which followers spread their return, as in `public/petstore/transports/follow.js`.
const SPREAD: Duration = Duration::from_secs(30);

/// How soon after there is room all slots have to be taken again.
const LIMIT: Duration = Duration::from_mins(1);

pub fn run(visitors: usize) -> anyhow::Result<()> {
    let slots = visitors / VISITORS_PER_SLOT;
    println!("\n{visitors} visitors of a server with {slots} slots, at {CHANGES_PER_S} changes/s");
    let settings = Settings {
        pets: 100,
        changes_per_s: CHANGES_PER_S,
        viewers: slots,
    };
    let mut setup = Setup::start(&settings, "full")?;
    setup.connect_all(Transport::Ws, slots)?;
    let Setup { server, pool } = &mut setup;
    for target in &mut pool.targets {
        target.follows_log = true;
    }
    for _ in slots..visitors {
        pool.add(NewViewer {
            transport: Transport::Poll,
            pet: None,
            is_counted: true,
        });
    }
    connect(pool)?;
    pool.run_for(Duration::from_secs(2))?;
    ensure!(
        pool.live == visitors,
        "only {} of {visitors} are live",
        pool.live
    );
    let mut followers = pool.viewers[slots..].iter();
    ensure!(
        followers.all(|viewer| viewer.transport == Transport::Log),
        "a visitor without a slot does not follow the log"
    );
    let (start, cpu) = (Instant::now(), cpu_time(server.pid())?);
    pool.measurements.start();
    pool.run_for(MEASURED)?;
    pool.measurements.is_measuring = false;
    let cpu = cpu_time(server.pid())?.saturating_sub(cpu);
    let share = cpu.as_secs_f64() / start.elapsed().as_secs_f64() * 100.0;
    let latency = &pool.measurements.latency;
    let (p50, p99) = (
        latency.value_at_quantile(0.5),
        latency.value_at_quantile(0.99),
    );
    for index in 0..slots / 2 {
        pool.close(index);
    }
    let mut crowd = Crowd::new(slots, visitors);
    let left = Instant::now();
    pool.run_while(LIMIT, |pool| {
        crowd.step(pool);
        crowd.upgraded < slots / 2
    })?;
    let upgraded_after = left.elapsed();
    ensure!(
        crowd.upgraded == slots / 2,
        "only {} of {} free slots were taken within {LIMIT:?}",
        crowd.upgraded,
        slots / 2
    );
    setup.settle()?;
    ensure!(
        setup.pool.lost == 0,
        "{} visitors got an error",
        setup.pool.lost
    );
    print_figure(
        "p50, p99 of all visitors",
        format!("{}, {}", micros(p50), micros(p99)),
    );
    print_figure("the program's share of a core", format!("{share:.0} %"));
    print_figure("all free slots were taken after", seconds(upgraded_after));
    print_figure("attempts that found no room", crowd.refused);
    print_figure("errors; changes missed, repeated", "0; 0, 0");
    Ok(())
}

/// The visitors that follow the log.
struct Crowd {
    first: usize,
    /// When each of them dials.
    dials_at: Vec<Option<Instant>>,
    has_upgraded: Vec<bool>,
    upgraded: usize,
    refused: usize,
}

impl Crowd {
    fn new(first: usize, visitors: usize) -> Self {
        Crowd {
            first,
            dials_at: vec![None; visitors - first],
            has_upgraded: vec![false; visitors - first],
            upgraded: 0,
            refused: 0,
        }
    }

    /// Lets each visitor do what is due.
    fn step(&mut self, pool: &mut ViewerPool) {
        let now = Instant::now();
        for at in 0..self.dials_at.len() {
            let index = self.first + at;
            let viewer = &pool.viewers[index];
            let dials_at = &mut self.dials_at[at];
            let redial = match (viewer.transport, viewer.stage) {
                (Transport::Ws, Stage::Live) if !self.has_upgraded[at] => {
                    self.has_upgraded[at] = true;
                    self.upgraded += 1;
                    None
                }
                (Transport::Ws, Stage::Refused) => {
                    self.refused += 1;
                    *dials_at = None;
                    Some(Transport::Log)
                }
                (Transport::Log, Stage::Live) if viewer.has_room => {
                    let spread = || now + SPREAD.mul_f64(rand::rng().random());
                    let is_due = *dials_at.get_or_insert_with(spread) <= now;
                    is_due.then_some(Transport::Ws)
                }
                (Transport::Log, Stage::Live) => {
                    *dials_at = None;
                    None
                }
                _ => None,
            };
            if let Some(transport) = redial
                && let Err(error) = pool.reopen(index, transport)
            {
                pool.measurements.add_fault(error.to_string());
            }
        }
    }
}
