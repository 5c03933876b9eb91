//! The stream itself, message by message, as the servers keep it: what every change was decided on.

use std::collections::HashMap;

use async_nats::{Client, Message};
use serde_json::{Value, json};

use super::server::Servers;
use crate::support::until;

const TICK: &str = "ps.sim.tick";

/// Has the stream keep everything from now on. Nodes look at its settings only when they start.
pub fn keep_everything(servers: &Servers) {
    let info = servers.ask("$JS.API.STREAM.INFO.PET_STORE");
    let mut info: Value = serde_json::from_str(&info).unwrap();
    info["config"]["max_msgs_per_subject"] = json!(-1);
    let answer = servers.ask_with(
        "$JS.API.STREAM.UPDATE.PET_STORE",
        &info["config"].to_string(),
    );
    assert!(!answer.contains("\"error\""), "{answer}");
}

/// The last message that the stream has.
pub fn last_seq(servers: &Servers) -> u64 {
    let info = servers.ask("$JS.API.STREAM.INFO.PET_STORE");
    let info: Value = serde_json::from_str(&info).unwrap();
    info["state"]["last_seq"].as_u64().unwrap()
}

/// A message of the stream.
pub struct Entry {
    seq: u64,
    subject: String,
    /// The batch it came in, and its place there, from 1.
    op: String,
    place: u64,
    /// The message of its subject that it was decided on.
    expected: Option<u64>,
    by: Option<String>,
}

impl Entry {
    fn read(message: &Message) -> Self {
        let headers = message.headers.as_ref().unwrap();
        let header = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
        let number = |name: &str| header(name).map(|value| value.parse().unwrap());
        Entry {
            seq: number("Nats-Sequence").unwrap(),
            subject: header("Nats-Subject").unwrap(),
            op: header("Nats-Batch-Id").unwrap(),
            place: number("Nats-Batch-Sequence").unwrap(),
            expected: number("Nats-Expected-Last-Subject-Sequence"),
            by: header("Ps-By"),
        }
    }
}

/// Every message, from the first to `last`.
pub async fn read(client: &Client, last: u64) -> Vec<Entry> {
    let mut entries = Vec::new();
    for seq in 1..=last {
        let question = json!({ "seq": seq }).to_string();
        // A copy that is behind answers that it does not have the newest.
        let what = format!("message {seq} of the stream");
        let message = until_some(&what, async || {
            let asking = client.request("$JS.API.DIRECT.GET.PET_STORE", question.clone().into());
            asking.await.ok().filter(|message| message.status.is_none())
        });
        entries.push(Entry::read(&message.await));
    }
    entries
}

async fn until_some<T>(what: &str, mut get: impl AsyncFnMut() -> Option<T>) -> T {
    let mut got = None;
    until(what, async || {
        got = get().await;
        got.is_some()
    })
    .await;
    got.expect("it was waited for")
}

/// The batches of the log that are commits: from first to last in one piece, and each once.
pub fn commits(entries: &[Entry]) -> Vec<&[Entry]> {
    let batches: Vec<&[Entry]> = entries.chunk_by(|one, next| one.op == next.op).collect();
    let mut ops: Vec<&str> = batches.iter().map(|batch| &*batch[0].op).collect();
    ops.sort_unstable();
    ops.dedup();
    assert_eq!(
        ops.len(),
        batches.len(),
        "a batch is there twice, or in pieces"
    );
    for batch in &batches {
        for (entry, place) in batch.iter().zip(1..) {
            assert_eq!(entry.place, place, "{} of {}", entry.seq, entry.op);
        }
    }
    let is_commit = |batch: &&[Entry]| batch[0].subject != "ps.meta.epoch";
    batches.into_iter().filter(is_commit).collect()
}

/// Each message was decided on the one of its subject right before it, and says so, unless that is
/// in the same batch.
pub fn assert_each_decided_on_the_last(entries: &[Entry]) {
    let mut last: HashMap<&str, &Entry> = HashMap::new();
    for entry in entries {
        let before = last.insert(&entry.subject, entry);
        let seq = before.map_or(0, |before| before.seq);
        if before.is_none_or(|before| before.op != entry.op) {
            let at = (entry.seq, &entry.subject);
            assert_eq!(
                entry.expected,
                Some(seq),
                "{at:?} was decided on something else"
            );
        }
    }
}

/// Every batch with a change by a simulator moves the tick, once, and no other does. How many do.
pub fn ticks(commits: &[&[Entry]]) -> usize {
    let count = |batch: &&&[Entry]| {
        let ticks = batch.iter().filter(|entry| entry.subject == TICK).count();
        let is_simulated = batch
            .iter()
            .any(|entry| entry.by.as_deref() == Some("simulator"));
        assert_eq!(ticks, usize::from(is_simulated), "{}", batch[0].op);
        is_simulated
    };
    commits.iter().filter(count).count()
}
