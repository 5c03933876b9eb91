//! Many people who change the same pet at two nodes, none of whom says what it must be before: each
//! of them is made, after the one before it, and nobody is told to look again.

use futures_util::future::join_all;
use serde_json::Value;

use super::Nodes;
use super::server::{NEWEST, Servers};
use crate::support::{metric_in, rev_of};

/// Who writes at once at each node, and how often.
const CLIENTS: usize = 3;
const WRITES: usize = 20;

/// Sets one status after the other at `node`, and gives the revs of the changes.
async fn write(nodes: &Nodes, node: usize, client: usize) -> Vec<u64> {
    let mut revs = Vec::new();
    for turn in 0..WRITES {
        let status = ["eating", "bathing", "playing", "sleeping"][(client + turn) % 4];
        let answer = nodes.nodes[node].set_status(1, status).await.unwrap();
        let code = answer.status();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(code, 200, "write {turn} of client {client}: {answer}");
        revs.push(rev_of(answer["cursor"].as_str().unwrap()));
    }
    revs
}

/// A node decided anew on the record that it had just lost with, ten times within 20 ms, and then
/// told its client that others were faster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_sets_a_status_without_a_condition_is_never_told_of_a_conflict() {
    let servers = Servers::start(3, NEWEST);
    let nodes = Nodes::start(&servers, 2).await;
    let clients = (0..2 * CLIENTS).map(|client| write(&nodes, client % 2, client));
    let revs = join_all(clients).await;
    let mut all = revs.concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(
        all.len(),
        2 * CLIENTS * WRITES,
        "each is a change of its own"
    );
    let mut conflicts = 0;
    for node in &nodes.nodes {
        let text = node.text("/metrics").await;
        conflicts += metric_in(&text, "petstore_commit_conflicts_total");
    }
    assert!(conflicts > 0, "nobody met anybody");
}
