//! `kill -9` under load, repeatedly on the same store: no acknowledged change is lost, every published
//! change is in the store, no rev is used twice, and the restart is fast.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;

use super::ledger::{Ledger, Verdict, set};
use super::{print_table, rounds};
use crate::support::{Process, TRANSPORTS, Viewer, log_of, rev_of, until};

const DEMO: [&str; 5] = ["demo", "--listen", "127.0.0.1:0", "--simulate", "20ms"];
const WRITERS: u64 = 8;
const PETS: u64 = 6;
/// The longest that a start may take.
const MAX_START: Duration = Duration::from_secs(2);

type SharedLedger = Arc<Mutex<Ledger>>;

/// Sets one status after the other until the server no longer responds.
async fn write(base: String, number: u64, ledger: SharedLedger) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for turn in number.. {
        match set(&client, &base, turn % PETS + 1, turn / 3, &ledger).await {
            Some(code) => assert_eq!(code, 200),
            None => return,
        }
    }
}

/// Records messages until the connection ends.
async fn watch(transport: &str, base: String, ledger: SharedLedger) {
    let Some(mut viewer) = Viewer::try_open(transport, &base, "").await else {
        return;
    };
    while let Some(message) = viewer.try_next().await {
        ledger.lock().unwrap().show(&message);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_under_load_loses_no_acknowledged_or_published_change() {
    let rounds = rounds(5, 50);
    let folder = tempfile::tempdir().unwrap();
    let ledger = SharedLedger::default();
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
        "viewers received messages"
    );
    assert!(slowest < MAX_START, "a start took {slowest:?}");
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
    print_table(
        "kill -9 under 8 writers and 3 viewers",
        &headings,
        &[row.to_vec()],
    );
}
