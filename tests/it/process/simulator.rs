//! Pets that change by themselves.

use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Process, Sse, log_of};

/// Lets a demo of three pets run until `changes` were shown, and gives its whole log.
async fn run(folder: &Path, seed: &str, changes: usize) -> Vec<Value> {
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--pets",
        "3",
        "--simulate",
        "60ms",
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

/// Who does what, without when.
fn story(log: &[Value]) -> Vec<(u64, &str)> {
    let told = log.iter().map(|message| {
        (
            message["pet"].as_u64().unwrap(),
            message["status"].as_str().unwrap(),
        )
    });
    told.collect()
}

#[tokio::test]
async fn every_pet_gets_another_status_in_every_period_and_they_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let log = run(folder.path(), "7", 30).await;
    let story = story(&log);
    let (made, changed) = story.split_at(3);
    let mut last: Vec<&str> = made.iter().map(|(_, status)| *status).collect();
    for (turn, (pet, status)) in changed.iter().enumerate() {
        assert_eq!(*pet, turn as u64 % 3 + 1, "the pets take turns");
        assert_ne!(
            last[turn % 3],
            *status,
            "a pet does something else than before"
        );
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
    assert_eq!(story(&first)[..30], story(&again)[..30]);
    assert_ne!(story(&first)[..30], story(&other)[..30]);
}

#[tokio::test]
async fn pets_that_are_told_to_keep_still_do() {
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
