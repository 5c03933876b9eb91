//! The simulator.

use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Process, Sse, log_of};

/// Runs a demo with three pets until a viewer has received `changes`. Returns its change log.
async fn run(folder: &Path, seed: &str, changes: usize) -> Vec<Value> {
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--pets",
        "3",
        "--simulate",
        "20ms",
        "--seed",
        seed,
    ];
    let mut process = Process::start(folder, &arguments).await;
    let mut sse = Sse::open(&process.base, "").await;
    let mut shown = 0;
    while shown < changes {
        shown += usize::from(sse.next().await["type"] == "status");
    }
    process.signal(Signal::TERM);
    process.end().await;
    log_of(&folder.join("data"))
}

/// Returns the pet and the status of each change.
fn statuses(log: &[Value]) -> Vec<(u64, &str)> {
    let statuses = log.iter().map(|message| {
        (
            message["pet"].as_u64().unwrap(),
            message["status"].as_str().unwrap(),
        )
    });
    statuses.collect()
}

#[tokio::test]
async fn pets_take_turns_and_get_a_different_status_each_period() {
    let folder = tempfile::tempdir().unwrap();
    let log = run(folder.path(), "7", 30).await;
    let statuses = statuses(&log);
    let (made, changed) = statuses.split_at(3);
    let mut last: Vec<&str> = made.iter().map(|(_, status)| *status).collect();
    for (turn, (pet, status)) in changed.iter().enumerate() {
        assert_eq!(*pet, turn as u64 % 3 + 1, "the pets take turns");
        assert_ne!(last[turn % 3], *status, "a pet gets a different status");
        last[turn % 3] = status;
    }
    assert!(log[3..].iter().all(|message| message["by"] == "simulator"));
}

#[tokio::test]
async fn a_seed_repeats_a_run_exactly_and_another_seed_does_not() {
    let folders: [_; 3] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
    let [first, again, other] = &folders;
    let (first, again, other) = tokio::join!(
        run(first.path(), "7", 30),
        run(again.path(), "7", 30),
        run(other.path(), "8", 30),
    );
    assert_eq!(statuses(&first)[..30], statuses(&again)[..30]);
    assert_ne!(statuses(&first)[..30], statuses(&other)[..30]);
}

#[tokio::test]
async fn without_the_simulator_no_pet_changes() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--simulate",
        "off",
        "--heartbeat",
        "200ms",
    ];
    let process = Process::start(folder.path(), &arguments).await;
    let mut sse = Sse::open(&process.base, "").await;
    for expected in ["hello", "snapshot", "heartbeat", "heartbeat"] {
        assert_eq!(sse.next().await["type"], expected);
    }
}
