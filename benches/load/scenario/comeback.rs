//! What does a returning crowd cost? The server is stopped and started again while viewers are connected
//! over WebSocket. Once they do what the page does: wait as long as `bye` asked, and dial the transport that
//! worked last. Once they dial all transports together after the same wait, and keep the WebSocket.
//!
//! The first crowd must not need more than about one connection and one request per viewer.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::retries::{Retries, Retry};
use super::{Setup, print_figure};
use crate::client::pool::{NewViewer, ViewerPool};
use crate::client::{Stage, Transport};
use crate::report::seconds;
use crate::server::Settings;
use crate::system;

/// Limit on the return of a crowd.
const LIMIT: Duration = Duration::from_mins(2);

/// Most connections and requests per viewer of a crowd that does what the page does. Some viewers dial
/// before the server listens again.
const MAX_PER_VIEWER: f64 = 1.25;

/// How long after the longest requested delay the last viewer may be back.
const TOLERANCE: Duration = Duration::from_secs(5);

/// A crowd, by the transports that each of its viewers dials.
struct Habit {
    name: &'static str,
    transports: &'static [Transport],
}

const HABITS: [Habit; 2] = [
    Habit {
        name: "only the last known transport, as the page does",
        transports: &[Transport::Ws],
    },
    Habit {
        name: "all transports at once",
        transports: &[Transport::Ws, Transport::Sse, Transport::Poll],
    },
];

/// What the return of a crowd took.
struct Figures {
    connections: f64,
    requests: f64,
    server_cpu: Duration,
    all_back: Duration,
}

pub fn run(viewers: usize) -> anyhow::Result<()> {
    println!(
        "\nthe server stops and starts again with {viewers} viewers, which return by dialling"
    );
    let mut all = Vec::new();
    for habit in &HABITS {
        let figures = return_of_crowd(habit, viewers)?;
        println!(" {}", habit.name);
        print_figure(
            "connections and requests per viewer",
            format!("{:.2}, {:.2}", figures.connections, figures.requests),
        );
        print_figure("CPU time of the server", seconds(figures.server_cpu));
        print_figure("all back after", seconds(figures.all_back));
        all.push(figures);
    }
    let [page, eager] = &all[..] else {
        unreachable!("there are two crowds")
    };
    ensure!(
        page.connections <= MAX_PER_VIEWER && page.requests <= MAX_PER_VIEWER,
        "a returning page needs more than about one connection"
    );
    ensure!(
        eager.connections > 2.0 * page.connections,
        "the eager crowd did not dial everything, so the comparison proves nothing"
    );
    Ok(())
}

fn return_of_crowd(habit: &Habit, viewers: usize) -> anyhow::Result<Figures> {
    let settings = Settings {
        pets: 100,
        // Changes would be delivered to a crowd that is back early for longer.
        changes_per_s: 0.0,
        viewers: viewers * habit.transports.len(),
    };
    let mut setup = Setup::start(&settings, habit.name)?;
    setup.connect_all(Transport::Ws, viewers)?;
    let Setup { server, pool } = &mut setup;
    let mut crowd = Crowd::new(habit, viewers);
    let start = Instant::now();
    let cpu_at_start = std::thread::scope(|scope| {
        let restarting = scope.spawn(|| {
            server.restart(&settings)?;
            system::cpu_time(server.pid())
        });
        crowd.follow(pool, start)?;
        restarting.join().expect("a restart does not panic")
    })?;
    let server_cpu = system::cpu_time(server.pid())?.saturating_sub(cpu_at_start);
    crowd.figures(pool, server_cpu)
}

/// An attempt of a viewer: one connection of the pool.
struct Dial {
    viewer: usize,
    failed: u32,
    has_ended: bool,
}

/// The viewers of one crowd.
struct Crowd<'a> {
    habit: &'a Habit,
    viewers: usize,
    retries: Retries,
    /// In the order of their connections, which come after those before the stop.
    dials: Vec<Dial>,
    /// Since when each viewer is back.
    back: Vec<Option<Duration>>,
    /// Open connections of each viewer.
    open: Vec<usize>,
    /// True for each viewer whose connection from before the stop has ended.
    is_away: Vec<bool>,
    without_bye: usize,
}

impl<'a> Crowd<'a> {
    fn new(habit: &'a Habit, viewers: usize) -> Self {
        Crowd {
            habit,
            viewers,
            retries: Retries::default(),
            dials: Vec::new(),
            back: vec![None; viewers],
            open: vec![1; viewers],
            is_away: vec![false; viewers],
            without_bye: 0,
        }
    }

    /// Lets every viewer return.
    fn follow(&mut self, pool: &mut ViewerPool, start: Instant) -> anyhow::Result<()> {
        while self.back.iter().any(Option::is_none) {
            ensure!(start.elapsed() < LIMIT, "not all are back after {LIMIT:?}");
            pool.poll(Duration::from_millis(5))?;
            for viewer in 0..self.viewers {
                self.handle_stop(pool, viewer);
            }
            for index in 0..self.dials.len() {
                self.handle_dial(pool, index, start);
            }
            while let Some(Retry { viewer, failed, .. }) = self.retries.next_due() {
                self.dial(pool, viewer, failed);
            }
        }
        Ok(())
    }

    fn dial(&mut self, pool: &mut ViewerPool, viewer: usize, failed: u32) {
        for transport in self.habit.transports {
            pool.add(NewViewer {
                transport: *transport,
                pet: None,
                is_counted: true,
            });
            self.dials.push(Dial {
                viewer,
                failed,
                has_ended: false,
            });
        }
        self.open[viewer] = self.habit.transports.len();
    }

    /// Handles the end of a connection from before the stop.
    fn handle_stop(&mut self, pool: &ViewerPool, viewer: usize) {
        let connection = &pool.viewers[viewer];
        if connection.stage != Stage::Lost || self.is_away[viewer] {
            return;
        }
        self.is_away[viewer] = true;
        self.open[viewer] = 0;
        if let Some(retry_ms) = connection.record.retry_ms {
            self.retries.after_bye(viewer, retry_ms);
        } else {
            self.without_bye += 1;
            self.retries.after_failure(viewer, 0);
        }
    }

    fn handle_dial(&mut self, pool: &mut ViewerPool, index: usize, start: Instant) {
        let dial = &mut self.dials[index];
        let Some(connection) = pool.viewers.get(self.viewers + index) else {
            return;
        };
        if dial.has_ended {
            return;
        }
        let viewer = dial.viewer;
        match connection.stage {
            Stage::Live => {
                dial.has_ended = connection.transport != Transport::Ws;
                self.back[viewer].get_or_insert_with(|| start.elapsed());
                if connection.transport == Transport::Ws {
                    self.keep_only(pool, index);
                } else if connection.transport == Transport::Poll {
                    pool.close(self.viewers + index);
                }
            }
            Stage::Lost => {
                dial.has_ended = true;
                let failed = dial.failed + 1;
                self.open[viewer] -= 1;
                if self.open[viewer] == 0 && self.back[viewer].is_none() {
                    self.retries.after_failure(viewer, failed);
                }
            }
            Stage::Connecting | Stage::Refused | Stage::Closed => {}
        }
    }

    /// Closes the other connections of a viewer whose WebSocket is live.
    fn keep_only(&mut self, pool: &mut ViewerPool, kept: usize) {
        let viewer = self.dials[kept].viewer;
        self.dials[kept].has_ended = true;
        let all = self.habit.transports.len();
        for index in kept + 1..(kept + all).min(self.dials.len()) {
            if self.dials[index].viewer == viewer && pool.viewers.len() > self.viewers + index {
                self.dials[index].has_ended = true;
                pool.close(self.viewers + index);
            }
        }
    }

    fn figures(&self, pool: &ViewerPool, server_cpu: Duration) -> anyhow::Result<Figures> {
        let all_back = self.back.iter().flatten().max().copied();
        let all_back = all_back.unwrap_or_default();
        let dialled = pool.viewers.iter().skip(self.viewers);
        let (connections, requests) = dialled.fold((0, 0), |(connections, requests), viewer| {
            (connections + 1, requests + viewer.requests)
        });
        ensure!(self.without_bye == 0, "viewers were closed without bye");
        ensure!(
            all_back <= self.retries.longest_wait + TOLERANCE,
            "not all were back in time"
        );
        let per_viewer = |count: usize| count as f64 / self.viewers as f64;
        Ok(Figures {
            connections: per_viewer(connections),
            requests: per_viewer(requests),
            server_cpu,
            all_back,
        })
    }
}
