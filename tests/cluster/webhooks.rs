//! Webhooks of several nodes: one node sends at a time, and another goes on when it was killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::accounts::Nodes;
use crate::live::webhooks::receiver::{Receiver, Reply};
use crate::support::{PASSWORD, metric_in, until};

/// Changes before the sending node is killed, and after it.
const CHANGES: usize = 30;

/// Sets a status at `node`, and retries until the engine accepts it. Returns the cursor.
async fn set_status(nodes: &Nodes, node: usize, turn: usize) -> String {
    let status = ["eating", "bathing", "sleeping"][turn % 3];
    let url = format!("{}/api/v1/pets/1/status", nodes.nodes[node].base);
    let mut cursor = String::new();
    until("a write", async || {
        let request = nodes.client.put(&url).bearer_auth(&nodes.tokens[2]);
        let request = request.json(&json!({ "status": status }));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        cursor = answer["cursor"].as_str().unwrap_or_default().to_owned();
        !cursor.is_empty()
    })
    .await;
    cursor
}

/// Returns how many deliveries were accepted from `node`.
async fn sent_by(nodes: &Nodes, node: usize) -> u64 {
    let text = nodes.nodes[node].text("/metrics").await;
    metric_in(
        &text,
        "petstore_webhook_attempts_total{result=\"delivered\"}",
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_sends_at_a_time_and_the_other_goes_on_after_it_was_killed() {
    let mut nodes = Nodes::start_with(&["--webhooks-to-private-addresses"]).await;
    // Each id with the number of its deliveries.
    let received = Arc::new(Mutex::new(BTreeMap::<String, usize>::new()));
    let counting = Arc::clone(&received);
    let receiver = Receiver::start(move |delivery| {
        let id = delivery.header("webhook-id").to_owned();
        *counting.lock().unwrap().entry(id).or_default() += 1;
        Reply::status(200)
    })
    .await;
    let mut anna = nodes.browser(0);
    anna.sign_in("anna", PASSWORD).await;
    anna.get("/pets/new").await;
    let pet = [("name", "Miso"), ("species", "cat")];
    assert_eq!(anna.submit("/pets", &pet).await, 303);
    let url = receiver.url("/");
    let fields = [
        ("name", "Channel"),
        ("url", url.as_str()),
        ("format", "standard"),
        ("events", "status"),
    ];
    assert_eq!(anna.submit("/settings/webhooks", &fields).await, 303);

    let mut acknowledged = BTreeSet::new();
    let has_all = |acknowledged: &BTreeSet<String>| {
        let received = received.lock().unwrap();
        acknowledged.iter().all(|id| received.contains_key(id))
    };
    for turn in 0..CHANGES {
        acknowledged.insert(set_status(&nodes, turn % 2, turn).await);
    }
    until("every delivery", async || has_all(&acknowledged)).await;
    let twice = received
        .lock()
        .unwrap()
        .values()
        .filter(|count| **count > 1)
        .count();
    assert_eq!(twice, 0, "both nodes send");
    let counts = [sent_by(&nodes, 0).await, sent_by(&nodes, 1).await];
    let sender = usize::from(counts[1] > 0);
    assert_eq!(counts[1 - sender], 0, "{counts:?}");

    nodes.nodes[sender].kill().await;
    let other = 1 - sender;
    for turn in 0..CHANGES {
        acknowledged.insert(set_status(&nodes, other, turn).await);
    }
    until("every delivery", async || has_all(&acknowledged)).await;
    assert!(sent_by(&nodes, other).await >= CHANGES as u64);
    // What the killed node had not reported is sent again, with the same id.
    let unknown = received
        .lock()
        .unwrap()
        .keys()
        .any(|id| !acknowledged.contains(id));
    assert!(!unknown);
}
