//! `kill -9` under load, again and again on the same store: nothing that was answered is lost,
//! nothing that was shown was never there, no rev is used twice, and it is back at once.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pet_store::model::Status;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use tokio::task::JoinSet;

use super::ledger::{Ledger, Verdict, status_fact};
use super::{rounds, table};
use crate::support::{Process, TRANSPORTS, Viewer, log_of, rev_of, until};

const DEMO: [&str; 5] = ["demo", "--listen", "127.0.0.1:0", "--simulate", "20ms"];
const WRITERS: usize = 8;
const PETS: u64 = 6;
/// What a restart may take.
const RESTART: Duration = Duration::from_secs(2);

type Shared = Arc<Mutex<Ledger>>;

/// Sets one status after the other until nobody answers.
async fn write(base: String, number: usize, ledger: Shared) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for turn in number.. {
        let pet = turn as u64 % PETS + 1;
        let status = Status::ALL[turn / 3 % Status::ALL.len()].as_str();
        let url = format!("{base}/api/v1/pets/{pet}/status");
        let body = serde_json::json!({ "status": status });
        let Ok(response) = client.put(url).json(&body).send().await else {
            return;
        };
        assert_eq!(response.status(), 200);
        let Ok(answer) = response.json::<Value>().await else {
            return;
        };
        let rev = rev_of(answer["cursor"].as_str().unwrap());
        ledger
            .lock()
            .unwrap()
            .acknowledge(rev, status_fact(pet, status));
    }
}

/// Watches until the connection ends.
async fn watch(transport: &str, base: String, ledger: Shared) {
    let Some(mut viewer) = Viewer::try_open(transport, &base, "").await else {
        return;
    };
    while let Some(message) = viewer.try_next().await {
        ledger.lock().unwrap().show(&message);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_under_load_loses_nothing_that_was_answered_or_shown() {
    let rounds = rounds(5, 50);
    let folder = tempfile::tempdir().unwrap();
    let ledger = Shared::default();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut slowest = Duration::ZERO;
    for _round in 0..rounds {
        let began = Instant::now();
        let mut process = Process::start(folder.path(), &DEMO).await;
        slowest = slowest.max(began.elapsed());
        let state = process.json("/live/state").await;
        let newest = rev_of(state["cursor"].as_str().unwrap());
        assert!(newest >= ledger.lock().unwrap().newest());
        let mut clients = JoinSet::new();
        for number in 0..WRITERS {
            clients.spawn(write(process.base.clone(), number, Arc::clone(&ledger)));
        }
        for transport in TRANSPORTS {
            clients.spawn(watch(transport, process.base.clone(), Arc::clone(&ledger)));
        }
        let enough = ledger.lock().unwrap().acknowledged() + random.random_range(30..150);
        until("a load of writes", async || {
            ledger.lock().unwrap().acknowledged() >= enough
        })
        .await;
        process.kill().await;
        while let Some(ended) = clients.join_next().await {
            ended.unwrap();
        }
    }
    let ledger = ledger.lock().unwrap();
    let log = log_of(&folder.path().join("data"));
    let Verdict { lost, ghosts, kept } = ledger.verify(&log);
    assert_eq!((lost, ghosts), (0, 0));
    assert!(
        ledger.shown() > ledger.acknowledged(),
        "the viewers watched"
    );
    assert!(slowest < RESTART, "a start took {slowest:?}");
    let row = [
        rounds.to_string(),
        ledger.acknowledged().to_string(),
        ledger.shown().to_string(),
        kept.to_string(),
        lost.to_string(),
        ghosts.to_string(),
        format!("{:.2} s", slowest.as_secs_f32()),
    ];
    let headings = [
        "kills",
        "acknowledged",
        "shown",
        "in the log",
        "lost",
        "ghosts",
        "slowest start",
    ];
    table::print(
        "kill -9 under 8 writers and 3 viewers",
        &headings,
        &[row.to_vec()],
    );
}
