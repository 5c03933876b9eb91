//! Makes changes continuously, and measures their delay until viewers receive them.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Client;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::interval;

use crate::support::{Viewer, rev, rev_of};

const EVERY: Duration = Duration::from_millis(20);

/// The delays of the changes, sorted.
pub struct Delays(Vec<Duration>);

impl Delays {
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns the 99th percentile.
    pub fn p99(&self) -> Duration {
        self.0[(self.0.len() - 1) * 99 / 100]
    }
}

/// A change every 20 ms, and one viewer each over WebSocket and SSE.
pub struct Watch {
    stop: watch::Sender<bool>,
    watching: JoinHandle<Delays>,
}

/// A viewer that reconnects with its cursor, and must miss no change.
struct CheckedViewer {
    transport: &'static str,
    base: String,
    viewer: Viewer,
    cursor: String,
}

impl CheckedViewer {
    async fn start(transport: &'static str, base: &str) -> Self {
        let mut viewer = Viewer::open(transport, base, "").await;
        let mut message = viewer.next().await;
        while message["type"] != "snapshot" {
            message = viewer.next().await;
        }
        CheckedViewer {
            transport,
            base: base.to_owned(),
            viewer,
            cursor: message["cursor"].as_str().unwrap().to_owned(),
        }
    }

    /// Waits for the next change, and checks that it follows the last one.
    async fn receive(&mut self) {
        loop {
            let Some(message) = self.viewer.try_next().await else {
                let query = format!("?since={}", self.cursor);
                self.viewer = Viewer::open(self.transport, &self.base, &query).await;
                continue;
            };
            assert_ne!(message["type"], "snapshot", "it reconnected soon enough");
            if message["type"] == "status" {
                assert_eq!(
                    rev(&message),
                    rev_of(&self.cursor) + 1,
                    "no change is missed"
                );
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
            CheckedViewer::start("ws", base).await,
            CheckedViewer::start("sse", base).await,
        ];
        let url = format!("{base}/api/v1/pets/1/status");
        // Each change uses a new connection: the server could close an idle one while the next
        // request is sent.
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
                let (answer, ..) = tokio::join!(
                    answer,
                    join_all(viewers.iter_mut().map(CheckedViewer::receive))
                );
                assert_eq!(answer.unwrap().status(), 200);
                delays.push(asked.elapsed());
            }
            delays.sort_unstable();
            Delays(delays)
        });
        Watch { stop, watching }
    }

    /// Stops after every viewer has received the last change.
    pub async fn end(self) -> Delays {
        self.stop.send(true).unwrap();
        self.watching.await.unwrap()
    }
}
