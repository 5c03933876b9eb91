//! Healthy nodes: a change made at one is seen at all under the same cursor, concurrent writes at
//! several nodes are all made, and a request repeated at another node is executed once.

use futures_util::future::join_all;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::server::{NEWEST, OLDEST, Servers};
use super::support::Nodes;
use crate::support::{TRANSPORTS, Viewer, metric_in, rev, rev_of, until};

const STATUSES: [&str; 4] = ["eating", "bathing", "playing", "sleeping"];

async fn metric(nodes: &Nodes, node: usize, name: &str) -> u64 {
    metric_in(&nodes.nodes[node].text("/metrics").await, name)
}

/// Each transport at one node, with changes at both.
#[tokio::test]
async fn a_viewer_at_one_node_sees_the_changes_of_another_once_and_in_order() {
    let servers = Servers::start(1, OLDEST);
    let nodes = Nodes::start(&servers, 2).await;
    for transport in TRANSPORTS {
        let mut viewer = Viewer::open(transport, nodes.base(0), "").await;
        let snapshot = viewer.next_news().await;
        assert_eq!(snapshot["type"], "snapshot");
        let mut expected = Vec::new();
        for (turn, status) in STATUSES.iter().enumerate() {
            expected.push(nodes.set(turn % 2, 1, status).await);
        }
        let news = viewer.take_news(expected.len()).await;
        let cursors = news.iter().map(|news| news["cursor"].as_str().unwrap());
        assert_eq!(cursors.collect::<Vec<_>>(), expected, "{transport}");
        assert!(rev_of(&expected[0]) > rev(&snapshot));
    }
}

#[tokio::test]
async fn a_client_reads_its_own_write_and_a_cursor_of_one_node_is_valid_at_another() {
    let servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 2).await;
    for turn in 0..20 {
        let (status, other) = [("eating", 1), ("playing", 0)][turn % 2];
        let node = 1 - other;
        let cursor = nodes.set(node, 2, status).await;
        assert_eq!(nodes.status(node, 2).await, status);
        // The other node may not have the change yet.
        let path = format!("/live/poll?wait=0&since={cursor}");
        let state = nodes.nodes[other].json(&path).await;
        assert_eq!(state["cursor"], cursor.as_str());
        assert_ne!(state["messages"][1]["type"], "snapshot");
    }
}

#[tokio::test]
async fn pets_created_concurrently_at_two_nodes_get_distinct_ids() {
    let servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 2).await;
    let create = async |turn: usize| {
        let node = &nodes.nodes[turn % 2];
        let fields = json!({ "name": format!("Pet {turn}"), "species": "dog" });
        let request = node.client.post(format!("{}/api/v1/pets", node.base));
        let answer = request.json(&fields).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let created: Value = answer.json().await.unwrap();
        created["id"].as_u64().unwrap()
    };
    let mut ids = join_all((0..20).map(create)).await;
    ids.sort_unstable();
    assert_eq!(ids, (4..24).collect::<Vec<_>>());
}

/// The other node learns of both by the change, and one that starts when no other is left, from the stream.
#[tokio::test]
async fn the_note_and_the_start_of_a_status_are_the_same_at_another_node_and_after_a_restart() {
    let servers = Servers::start(1, NEWEST);
    let mut nodes = Nodes::start(&servers, 2).await;
    let node = &nodes.nodes[0];
    let request = node
        .client
        .put(format!("{}/api/v1/pets/1/status", node.base));
    let fields = json!({ "status": "sleeping", "note": "at the vet until 3", "minutes_ago": 0 });
    let answer: Value = request
        .json(&fields)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let cursor = answer["cursor"].as_str().unwrap();
    let expected = nodes.nodes[0].json("/api/v1/pets/1").await;
    assert_eq!(expected["note"], "at the vet until 3");
    // The answer waits for the cursor.
    nodes.nodes[1]
        .json(&format!("/live/poll?wait=0&since={cursor}"))
        .await;
    assert_eq!(nodes.nodes[1].json("/api/v1/pets/1").await, expected);
    // No node is left that has them in memory.
    nodes.nodes.clear();
    nodes.add(&servers, &["--simulate", "off"]).await;
    assert_eq!(nodes.nodes[0].json("/api/v1/pets/1").await, expected);
    nodes.set(0, 1, "playing").await;
    assert_eq!(nodes.nodes[0].json("/api/v1/pets/1").await["note"], "");
}

/// The pets do not fit one batch: the first node of a large demo did not start.
#[tokio::test]
async fn a_demo_with_many_pets_has_all_of_them() {
    let servers = Servers::start(1, NEWEST);
    let mut nodes = Nodes::start(&servers, 0).await;
    let flags = ["--simulate", "off", "--pets", "1200"];
    nodes.add(&servers, &flags).await;
    assert!(!nodes.status(0, 1200).await.is_empty());
}

#[tokio::test]
async fn one_of_three_simulators_runs() {
    let servers = Servers::start(1, NEWEST);
    let mut nodes = Nodes::start(&servers, 0).await;
    for _ in 0..3 {
        nodes.add(&servers, &["--simulate", "300ms"]).await;
    }
    let mut commits = [0; 3];
    until("a simulator that runs", async || {
        for (node, count) in commits.iter_mut().enumerate() {
            *count = metric(&nodes, node, "petstore_commits_total").await;
        }
        commits.iter().any(|count| *count > 20)
    })
    .await;
    let running = commits.iter().filter(|count| **count > 1).count();
    assert_eq!(running, 1, "{commits:?}");
}

/// Concurrent clients at each node, and the writes of each.
const CLIENTS: usize = 3;
const WRITES: usize = 20;

/// Sets one status after the other at `node`. Returns the revs of the changes.
async fn write(nodes: &Nodes, node: usize, client: usize) -> Vec<u64> {
    let mut revs = Vec::new();
    for turn in 0..WRITES {
        let status = STATUSES[(client + turn) % 4];
        let answer = nodes.nodes[node].set_status(1, status).await.unwrap();
        let code = answer.status();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(code, 200, "write {turn} of client {client}: {answer}");
        revs.push(rev_of(answer["cursor"].as_str().unwrap()));
    }
    revs
}

/// A node decided again on the record with which it had just lost, ten times within 20 ms, and then
/// reported a conflict to its client.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_without_a_precondition_never_fails_with_a_conflict() {
    let servers = Servers::start(3, NEWEST);
    let nodes = Nodes::start(&servers, 2).await;
    let clients = (0..2 * CLIENTS).map(|client| write(&nodes, client % 2, client));
    let mut revs = join_all(clients).await.concat();
    revs.sort_unstable();
    revs.dedup();
    let writes = 2 * CLIENTS * WRITES;
    assert_eq!(revs.len(), writes, "each write is a change");
    let name = "petstore_commit_conflicts_total";
    let conflicts = metric(&nodes, 0, name).await + metric(&nodes, 1, name).await;
    assert!(conflicts > 0, "no writes were concurrent");
}

/// Creates a pet at `node` with an idempotency key. Returns the status, entity tag and body.
async fn create(nodes: &Nodes, node: usize, key: &str) -> (u16, String, String) {
    let url = format!("{}/api/v1/pets", nodes.base(node));
    let request = Client::new().post(url);
    let request = request.header("idempotency-key", key);
    let fields = json!({ "name": "Biscuit", "species": "dog" });
    let answer = request.json(&fields).send().await.unwrap();
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    (answer.status().as_u16(), tag, answer.text().await.unwrap())
}

#[tokio::test]
async fn a_request_that_is_repeated_at_any_node_is_executed_once() {
    let servers = Servers::start(1, NEWEST);
    let mut nodes = Nodes::start(&servers, 2).await;
    for round in 0..10 {
        let key = format!("key-{round}");
        let both = tokio::join!(create(&nodes, 0, &key), create(&nodes, 1, &key));
        assert_eq!(both.0.0, 201);
        assert_eq!(both.0, both.1, "at the same moment");
    }
    let first = create(&nodes, 0, "key-0").await;
    nodes.add(&servers, &["--simulate", "off"]).await;
    assert_eq!(create(&nodes, 2, "key-0").await, first, "at a new node");
    let list = nodes.nodes[2].json("/api/v1/pets").await;
    assert_eq!(list["pets"].as_array().unwrap().len(), 3 + 10);
}

#[tokio::test]
async fn a_pet_has_the_same_entity_tag_at_every_node() {
    let servers = Servers::start(1, NEWEST);
    let mut nodes = Nodes::start(&servers, 2).await;
    nodes.set(0, 1, "eating").await;
    let cursor = nodes.set(1, 2, "bathing").await;
    nodes.add(&servers, &["--simulate", "off"]).await;
    for pet in 1..=3 {
        let path = format!("/api/v1/pets/{pet}");
        let one = nodes.nodes[1].json(&path).await;
        assert_eq!(one, nodes.nodes[2].json(&path).await);
        assert_eq!(one["cursor"] == cursor.as_str(), pet == 2);
    }
    let edit = async || {
        let request = Client::new().patch(format!("{}/api/v1/pets/2", nodes.base(2)));
        let request = request.header("if-match", format!("\"{cursor}\""));
        let request = request.json(&json!({ "breed": "Beagle" }));
        request.send().await.unwrap().status()
    };
    assert_eq!(edit().await, 200);
    assert_eq!(edit().await, 412, "the tag is that of an older version");
}

/// Sends a request about a pet to `node`. Returns the status of the answer.
async fn ask(nodes: &Nodes, node: usize, method: Method, path: &str) -> u16 {
    let url = format!("{}/api/v1{path}", nodes.base(node));
    let answer = Client::new().request(method, url).send().await.unwrap();
    answer.status().as_u16()
}

/// Returns the ids of the pets that `node` lists at `path`.
async fn listed(nodes: &Nodes, node: usize, path: &str) -> Vec<u64> {
    let list = nodes.nodes[node].json(&format!("/api/v1{path}")).await;
    let pets = list["pets"].as_array().unwrap().iter();
    pets.map(|pet| pet["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_pet_that_is_removed_at_one_node_is_restored_or_deleted_at_another() {
    let servers = Servers::start(1, NEWEST);
    let mut nodes = Nodes::start(&servers, 2).await;
    nodes.set(0, 1, "bathing").await;
    let mut viewer = Viewer::open("poll", nodes.base(0), "").await;
    assert_eq!(viewer.next_news().await["type"], "snapshot");
    for pet in ["/pets/1", "/pets/2"] {
        assert_eq!(ask(&nodes, 0, Method::DELETE, pet).await, 200);
    }
    until("the trash at the other node", async || {
        listed(&nodes, 1, "/trash").await == [1, 2]
    })
    .await;
    nodes.add(&servers, &["--simulate", "off"]).await;
    assert_eq!(listed(&nodes, 2, "/trash").await, [1, 2], "a new node");
    assert_eq!(listed(&nodes, 2, "/pets").await, [3]);
    let restored = ask(&nodes, 1, Method::POST, "/trash/1/restore").await;
    assert_eq!(restored, 200);
    let mut types = Vec::new();
    for news in viewer.take_news(3).await {
        types.push((
            news["type"].as_str().unwrap().to_owned(),
            news["pet"].as_u64(),
        ));
    }
    let expected = [("gone", 1), ("gone", 2), ("pet", 1)];
    assert_eq!(
        types,
        expected.map(|(kind, pet)| (kind.to_owned(), Some(pet)))
    );
    assert_eq!(nodes.status(0, 1).await, "bathing", "as it was");
    let delete = |node| ask(&nodes, node, Method::DELETE, "/trash/2");
    let (one, other) = tokio::join!(delete(0), delete(1));
    assert_eq!(one.min(other), 200);
    assert_eq!(one.max(other), 404, "one of the nodes deletes the pet");
    for node in 0..3 {
        until("an empty trash", async || {
            listed(&nodes, node, "/trash").await.is_empty()
        })
        .await;
        assert_eq!(listed(&nodes, node, "/pets").await, [1, 3]);
    }
}
