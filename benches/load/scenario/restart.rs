//! The server is stopped and started again under its viewers: is each of them told, do they come
//! back one by one, and how long does it take until all are live?
//!
//! Viewers do what the page does: stay away for as long as `bye` asked, and after a try that
//! failed, for a time by chance that doubles with each.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::{Rig, say};
use crate::client::{Stage, Transport};
use crate::fleet::{Fleet, Guest};
use crate::report::seconds;
use crate::run::connect;
use crate::server::Settings;

/// The accept rate is counted in pieces of this length.
const PIECE: Duration = Duration::from_millis(100);

/// The most that a piece may be above the mean.
const SPIKE_LIMIT: f64 = 1.5;

/// How much longer than the longest wait that was asked for it may take.
const BEYOND_WINDOW: Duration = Duration::from_secs(2);

/// The page's first limit of the time by chance.
const BACKOFF: Duration = Duration::from_millis(500);

const LIMIT: Duration = Duration::from_secs(60);

pub fn run(viewers: usize) -> anyhow::Result<()> {
    println!("\nthe server is stopped and started again under {viewers} viewers");
    let settings = Settings {
        pets: 100,
        changes_per_s: 10.0,
        viewers,
    };
    let mut rig = Rig::start(&settings, "restart")?;
    for turn in 0..viewers {
        rig.enlist(guest(turn), 1);
    }
    connect(&mut rig.fleet)?;
    ensure!(
        rig.fleet.live == viewers,
        "only {} connected",
        rig.fleet.live
    );
    let Rig { server, fleet } = &mut rig;
    let start = Instant::now();
    let mut returns = Returns::default();
    std::thread::scope(|scope| {
        let restarting = scope.spawn(|| {
            let done = server.restart(&settings);
            (done, start.elapsed())
        });
        returns.follow(fleet, viewers, start)?;
        let (done, took) = restarting.join().expect("a restart does not panic");
        say("stopped and started again after", seconds(took));
        done
    })?;
    returns.report(fleet, viewers)
}

fn guest(turn: usize) -> Guest {
    Guest {
        transport: [Transport::Ws, Transport::Sse][turn % 2],
        pet: None,
        is_counted: true,
    }
}

/// Who comes back when.
#[derive(Default)]
struct Returns {
    waiting: BinaryHeap<Reverse<(Instant, u32)>>,
    /// Tries before this one, of each viewer that was opened anew.
    failed: Vec<u32>,
    /// Whether the end of each viewer was seen.
    is_seen: Vec<bool>,
    longest_wait: Duration,
    /// Since the stop began.
    arrivals: Vec<Duration>,
    untold: usize,
    refused: usize,
}

impl Returns {
    fn follow(&mut self, fleet: &mut Fleet, viewers: usize, start: Instant) -> anyhow::Result<()> {
        while self.arrivals.len() < viewers {
            ensure!(
                start.elapsed() < LIMIT,
                "only {} came back in {LIMIT:?}",
                self.arrivals.len()
            );
            fleet.turn(Duration::from_millis(5))?;
            self.look(fleet, viewers, start);
            while let Some(Reverse((due, failed))) = self.waiting.peek().copied()
                && due <= Instant::now()
            {
                self.waiting.pop();
                fleet.enlist(guest(self.failed.len()));
                self.failed.push(failed);
            }
        }
        Ok(())
    }

    /// Sees whose connection has ended, and who is live again.
    fn look(&mut self, fleet: &Fleet, viewers: usize, start: Instant) {
        self.is_seen.resize(fleet.viewers.len(), false);
        for (index, viewer) in fleet.viewers.iter().enumerate() {
            if self.is_seen[index] {
                continue;
            }
            let is_back = index >= viewers;
            match viewer.stage {
                Stage::Live if is_back => self.arrivals.push(start.elapsed()),
                Stage::Lost if is_back => {
                    self.refused += 1;
                    self.wait_by_chance(self.failed[index - viewers] + 1);
                }
                Stage::Lost => match viewer.seat.retry_ms {
                    Some(retry_ms) => self.wait(Duration::from_millis(retry_ms), 0),
                    None => {
                        self.untold += 1;
                        self.wait_by_chance(0);
                    }
                },
                _ => continue,
            }
            self.is_seen[index] = true;
        }
    }

    fn wait(&mut self, time: Duration, failed: u32) {
        self.longest_wait = self.longest_wait.max(time);
        self.waiting.push(Reverse((Instant::now() + time, failed)));
    }

    fn wait_by_chance(&mut self, failed: u32) {
        let limit = BACKOFF * 2_u32.pow(failed.min(6));
        let time = limit.mul_f64(rand::random());
        self.waiting.push(Reverse((Instant::now() + time, failed)));
    }

    fn report(&self, fleet: &Fleet, viewers: usize) -> anyhow::Result<()> {
        let (first, last) = (self.arrivals[0], self.arrivals[viewers - 1]);
        let pieces = ((last - first).as_millis() / PIECE.as_millis()) as usize + 1;
        let mut counts = vec![0_usize; pieces];
        for arrival in &self.arrivals {
            counts[((*arrival - first).as_millis() / PIECE.as_millis()) as usize] += 1;
        }
        let mean = viewers as f64 / ((last - first).as_secs_f64() / PIECE.as_secs_f64()).max(1.0);
        let most = counts.iter().max().copied().unwrap_or(0);
        say("viewers that were cut off without a word", self.untold);
        say("tries that came too early", self.refused);
        say(
            "longest wait that was asked for",
            seconds(self.longest_wait),
        );
        say("first and last live again after", {
            format!("{}, {}", seconds(first), seconds(last))
        });
        let spike = most as f64 / mean;
        say(
            "accepted in 100 ms: at most, mean, ratio",
            format!("{most}, {mean:.0}, x {spike:.2}"),
        );
        ensure!(self.untold == 0, "viewers were cut off without a word");
        ensure!(spike <= SPIKE_LIMIT, "a spike of returning viewers");
        ensure!(
            last <= self.longest_wait + BEYOND_WINDOW,
            "not all were live in time"
        );
        let faults = fleet.book.faults_count - fleet.lost as u64;
        ensure!(faults == 0, "{faults} messages were wrong");
        Ok(())
    }
}
