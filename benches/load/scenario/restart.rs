//! Restarts the server while viewers are connected: does each of them receive `bye`, do they reconnect
//! spread over time, and how long does it take until all are live?
//!
//! Viewers do what the page does: they wait as long as `bye` asked, and after a failed attempt for a
//! random time whose limit doubles each time.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::retries::{Retries, Retry};
use super::{Setup, print_figure};
use crate::client::pool::{NewViewer, ViewerPool};
use crate::client::{Stage, Transport};
use crate::report::seconds;
use crate::run::connect;
use crate::server::Settings;

/// The accept rate is measured in intervals of this length.
const INTERVAL: Duration = Duration::from_millis(100);

/// Largest accepted ratio of the highest rate to the mean.
const MAX_SPIKE: f64 = 1.5;

/// How long after the longest requested delay the last viewer may be live.
const TOLERANCE: Duration = Duration::from_secs(2);

const LIMIT: Duration = Duration::from_mins(1);

pub fn run(viewers: usize) -> anyhow::Result<()> {
    println!("\nthe server restarts with {viewers} viewers");
    let settings = Settings {
        pets: 100,
        changes_per_s: 10.0,
        viewers,
    };
    let mut setup = Setup::start(&settings, "restart")?;
    for turn in 0..viewers {
        setup.add(new_viewer(turn), 1);
    }
    connect(&mut setup.pool)?;
    ensure!(
        setup.pool.live == viewers,
        "only {} connected",
        setup.pool.live
    );
    let Setup { server, pool } = &mut setup;
    let start = Instant::now();
    let mut returns = Reconnects::default();
    std::thread::scope(|scope| {
        let restarting = scope.spawn(|| {
            let done = server.restart(&settings);
            (done, start.elapsed())
        });
        returns.follow(pool, viewers, start)?;
        let (done, took) = restarting.join().expect("a restart does not panic");
        print_figure("restarted after", seconds(took));
        done
    })?;
    returns.report(pool, viewers)
}

fn new_viewer(turn: usize) -> NewViewer {
    NewViewer {
        transport: [Transport::Ws, Transport::Sse][turn % 2],
        pet: None,
        is_counted: true,
    }
}

/// Reconnects viewers.
#[derive(Default)]
struct Reconnects {
    retries: Retries,
    /// Failed attempts before each reconnect.
    failed: Vec<u32>,
    /// True for each viewer whose end was handled.
    is_handled: Vec<bool>,
    /// Times since the stop.
    arrivals: Vec<Duration>,
    without_bye: usize,
    refused: usize,
}

impl Reconnects {
    fn follow(
        &mut self,
        pool: &mut ViewerPool,
        viewers: usize,
        start: Instant,
    ) -> anyhow::Result<()> {
        while self.arrivals.len() < viewers {
            ensure!(
                start.elapsed() < LIMIT,
                "only {} reconnected in {LIMIT:?}",
                self.arrivals.len()
            );
            pool.poll(Duration::from_millis(5))?;
            self.handle_changes(pool, viewers, start);
            while let Some(Retry { failed, .. }) = self.retries.next_due() {
                pool.add(new_viewer(self.failed.len()));
                self.failed.push(failed);
            }
        }
        Ok(())
    }

    /// Finds viewers whose connection has ended, and those that are live again.
    fn handle_changes(&mut self, pool: &ViewerPool, viewers: usize, start: Instant) {
        self.is_handled.resize(pool.viewers.len(), false);
        for (index, viewer) in pool.viewers.iter().enumerate() {
            if self.is_handled[index] {
                continue;
            }
            let is_back = index >= viewers;
            match viewer.stage {
                Stage::Live if is_back => self.arrivals.push(start.elapsed()),
                Stage::Lost if is_back => {
                    self.refused += 1;
                    let failed = self.failed[index - viewers] + 1;
                    self.retries.after_failure(index, failed);
                }
                Stage::Lost => {
                    if let Some(retry_ms) = viewer.record.retry_ms {
                        self.retries.after_bye(index, retry_ms);
                    } else {
                        self.without_bye += 1;
                        self.retries.after_failure(index, 0);
                    }
                }
                _ => continue,
            }
            self.is_handled[index] = true;
        }
    }

    fn report(&self, pool: &ViewerPool, viewers: usize) -> anyhow::Result<()> {
        let (first, last) = (self.arrivals[0], self.arrivals[viewers - 1]);
        let intervals = ((last - first).as_millis() / INTERVAL.as_millis()) as usize + 1;
        let mut counts = vec![0_usize; intervals];
        for arrival in &self.arrivals {
            counts[((*arrival - first).as_millis() / INTERVAL.as_millis()) as usize] += 1;
        }
        let mean =
            viewers as f64 / ((last - first).as_secs_f64() / INTERVAL.as_secs_f64()).max(1.0);
        let most = counts.iter().max().copied().unwrap_or(0);
        print_figure("viewers that were closed without bye", self.without_bye);
        print_figure("failed attempts", self.refused);
        print_figure(
            "longest requested delay",
            seconds(self.retries.longest_wait),
        );
        print_figure("first and last live again after", {
            format!("{}, {}", seconds(first), seconds(last))
        });
        let spike = most as f64 / mean;
        print_figure(
            "accepted in 100 ms: at most, mean, ratio",
            format!("{most}, {mean:.0}, x {spike:.2}"),
        );
        ensure!(self.without_bye == 0, "viewers were closed without bye");
        ensure!(spike <= MAX_SPIKE, "a spike of reconnects");
        ensure!(
            last <= self.retries.longest_wait + TOLERANCE,
            "not all were live in time"
        );
        let faults = pool.measurements.faults_count - pool.lost as u64;
        ensure!(faults == 0, "{faults} invalid messages");
        Ok(())
    }
}
