//! Changes that are made all the time, and viewers who must be given each of them soon.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Client;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::interval;

use crate::support::{Viewer, rev, rev_of};

const EVERY: Duration = Duration::from_millis(20);

/// How late the changes were.
pub struct Delays(Vec<Duration>);

impl Delays {
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The delay that 99 of 100 are below.
    pub fn p99(&self) -> Duration {
        self.0[(self.0.len() - 1) * 99 / 100]
    }
}

/// A change every 20 ms, and a viewer over each of WebSocket and SSE.
pub struct Watch {
    stop: watch::Sender<bool>,
    watching: JoinHandle<Delays>,
}

/// A viewer who comes back when the server renews its connection, and misses nothing over that.
struct Seeing {
    transport: &'static str,
    base: String,
    viewer: Viewer,
    cursor: String,
}

impl Seeing {
    async fn start(transport: &'static str, base: &str) -> Self {
        let mut viewer = Viewer::open(transport, base, "").await;
        let mut message = viewer.next().await;
        while message["type"] != "snapshot" {
            message = viewer.next().await;
        }
        Seeing {
            transport,
            base: base.to_owned(),
            viewer,
            cursor: message["cursor"].as_str().unwrap().to_owned(),
        }
    }

    /// Waits for the next change, which must follow the last.
    async fn see(&mut self) {
        loop {
            let Some(message) = self.viewer.try_next().await else {
                let query = format!("?since={}", self.cursor);
                self.viewer = Viewer::open(self.transport, &self.base, &query).await;
                continue;
            };
            assert_ne!(message["type"], "snapshot", "it was not away for long");
            if message["type"] == "status" {
                assert_eq!(rev(&message), rev_of(&self.cursor) + 1, "none is missed");
                self.cursor = message["cursor"].as_str().unwrap().to_owned();
                return;
            }
        }
    }
}

impl Watch {
    pub async fn start(base: &str) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut viewers = [
            Seeing::start("ws", base).await,
            Seeing::start("sse", base).await,
        ];
        let url = format!("{base}/api/v1/pets/1/status");
        // Each change on a connection of its own: one that is kept may be closed for being idle at
        // the moment at which the next is sent on it.
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0);
        let client = client.build().unwrap();
        let watching = tokio::spawn(async move {
            let mut ticks = interval(EVERY);
            let mut delays = Vec::new();
            while !*stopped.borrow() {
                ticks.tick().await;
                let asked = Instant::now();
                let status = json!({ "status": (["eating", "playing"][delays.len() % 2]) });
                let answer = client.put(&url).json(&status).send();
                let (answer, ..) =
                    tokio::join!(answer, join_all(viewers.iter_mut().map(Seeing::see)));
                assert_eq!(answer.unwrap().status(), 200);
                delays.push(asked.elapsed());
            }
            delays.sort_unstable();
            Delays(delays)
        });
        Watch { stop, watching }
    }

    /// Stops, when the last change was seen by all. Fails when one was missed.
    pub async fn end(self) -> Delays {
        self.stop.send(true).unwrap();
        self.watching.await.unwrap()
    }
}
