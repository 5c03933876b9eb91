//! Reads the stream message by message, and checks the preconditions of every change.

use std::collections::HashMap;

use async_nats::{Client, Message};
use serde_json::{Value, json};

use crate::cluster::server::Servers;
use crate::support::until;

const TICK: &str = "ps.sim.tick";

/// Removes the stream's limit. Nodes check the settings only when they start.
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

/// Returns the sequence number of the last message.
pub fn last_seq(servers: &Servers) -> u64 {
    let info = servers.ask("$JS.API.STREAM.INFO.PET_STORE");
    let info: Value = serde_json::from_str(&info).unwrap();
    info["state"]["last_seq"].as_u64().unwrap()
}

/// A message of the stream.
pub struct LogMessage {
    seq: u64,
    subject: String,
    /// The batch of the message, and its place in the batch, from 1.
    op: String,
    place: u64,
    /// The message of the same subject that was expected to be the last.
    expected: Option<u64>,
    by: Option<String>,
}

impl LogMessage {
    fn parse(message: &Message) -> Self {
        let headers = message.headers.as_ref().unwrap();
        let header = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
        let number = |name: &str| header(name).map(|value| value.parse().unwrap());
        LogMessage {
            seq: number("Nats-Sequence").unwrap(),
            subject: header("Nats-Subject").unwrap(),
            op: header("Nats-Batch-Id").unwrap(),
            place: number("Nats-Batch-Sequence").unwrap(),
            expected: number("Nats-Expected-Last-Subject-Sequence"),
            by: header("Ps-By"),
        }
    }
}

/// Reads every message from the first to `last`.
pub async fn read(client: &Client, last: u64) -> Vec<LogMessage> {
    let mut entries = Vec::new();
    for seq in 1..=last {
        let request = json!({ "seq": seq }).to_string();
        // A replica that lags does not have the newest messages.
        let what = format!("message {seq} of the stream");
        let message = until_some(&what, async || {
            let answer = client.request("$JS.API.DIRECT.GET.PET_STORE", request.clone().into());
            answer.await.ok().filter(|message| message.status.is_none())
        });
        entries.push(LogMessage::parse(&message.await));
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
    got.expect("the wait succeeded")
}

/// Returns the batches that are commits. Asserts that each batch is there once, and complete.
pub fn commits(entries: &[LogMessage]) -> Vec<&[LogMessage]> {
    let batches: Vec<&[LogMessage]> = entries.chunk_by(|one, next| one.op == next.op).collect();
    let mut ops: Vec<&str> = batches.iter().map(|batch| &*batch[0].op).collect();
    ops.sort_unstable();
    ops.dedup();
    assert_eq!(
        ops.len(),
        batches.len(),
        "a batch is there twice or is interrupted"
    );
    for batch in &batches {
        for (entry, place) in batch.iter().zip(1..) {
            assert_eq!(entry.place, place, "{} of {}", entry.seq, entry.op);
        }
    }
    let is_commit = |batch: &&[LogMessage]| batch[0].subject != "ps.meta.epoch";
    batches.into_iter().filter(is_commit).collect()
}

/// Asserts that each message expected the one directly before it of its subject, unless that is in the
/// same batch.
pub fn assert_preconditions(entries: &[LogMessage]) {
    let mut last: HashMap<&str, &LogMessage> = HashMap::new();
    for entry in entries {
        let before = last.insert(&entry.subject, entry);
        let seq = before.map_or(0, |before| before.seq);
        if before.is_none_or(|before| before.op != entry.op) {
            let at = (entry.seq, &entry.subject);
            assert_eq!(entry.expected, Some(seq), "{at:?} expected another message");
        }
    }
}

/// Returns the number of commits by a simulator. Asserts that each of them moves the tick once, and that
/// no other commit does.
pub fn ticks(commits: &[&[LogMessage]]) -> usize {
    let count = |batch: &&&[LogMessage]| {
        let ticks = batch.iter().filter(|entry| entry.subject == TICK).count();
        let is_simulated = batch
            .iter()
            .any(|entry| entry.by.as_deref() == Some("simulator"));
        assert_eq!(ticks, usize::from(is_simulated), "{}", batch[0].op);
        is_simulated
    };
    commits.iter().filter(count).count()
}
