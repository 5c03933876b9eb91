//! Nodes that are all well: a change made at one is seen at all, under the same cursor.

use super::Nodes;
use super::server::{NEWEST, OLDEST, Servers};
use crate::support::{Process, TRANSPORTS, Viewer, rev, rev_of, until};

/// Every transport at node A, changes at node B and the other way round.
#[tokio::test]
async fn a_viewer_at_one_node_sees_what_is_changed_at_another_once_and_in_order() {
    let servers = Servers::start(1, OLDEST);
    let nodes = Nodes::start(&servers, 2).await;
    for transport in TRANSPORTS {
        let mut viewer = Viewer::open(transport, nodes.base(0), "").await;
        let snapshot = viewer.next_news().await;
        assert_eq!(snapshot["type"], "snapshot");
        let mut expected = Vec::new();
        for (turn, status) in ["eating", "bathing", "playing", "sleeping"]
            .iter()
            .enumerate()
        {
            expected.push(nodes.set(turn % 2, 1, status).await);
        }
        let news = viewer.take_news(expected.len()).await;
        let cursors: Vec<&str> = news
            .iter()
            .map(|news| news["cursor"].as_str().unwrap())
            .collect();
        assert_eq!(cursors, expected, "{transport}");
        assert!(rev_of(&expected[0]) > rev(&snapshot));
    }
}

#[tokio::test]
async fn who_wrote_reads_its_own_write_and_a_cursor_of_one_node_is_good_at_another() {
    let servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 2).await;
    for turn in 0..20 {
        let (status, other) = [("eating", 1), ("playing", 0)][turn % 2];
        let node = 1 - other;
        let cursor = nodes.set(node, 2, status).await;
        assert_eq!(nodes.status(node, 2).await, status);
        // Joined at the other node at once, which may have to catch up with it first.
        let state = nodes.nodes[other]
            .json(&format!("/live/poll?wait=0&since={cursor}"))
            .await;
        assert_eq!(state["cursor"], cursor.as_str());
        assert_ne!(state["messages"][1]["type"], "snapshot");
    }
}

#[tokio::test]
async fn pets_added_at_two_nodes_at_once_get_ids_of_their_own() {
    let servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 2).await;
    let adding = (0..20).map(|turn| {
        let node = &nodes.nodes[turn % 2];
        let fields = serde_json::json!({ "name": format!("Pet {turn}"), "species": "dog" });
        let request = node
            .client
            .post(format!("{}/api/v1/pets", node.base))
            .json(&fields);
        async move {
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 201);
            answer.json::<serde_json::Value>().await.unwrap()["id"]
                .as_u64()
                .unwrap()
        }
    });
    let mut ids = futures_util::future::join_all(adding).await;
    ids.sort_unstable();
    assert_eq!(ids, (4..24).collect::<Vec<_>>());
}

/// More than fit one batch of the servers: the first node of a large demo did not start.
#[tokio::test]
async fn a_demo_with_many_pets_has_all_of_them() {
    let servers = Servers::start(1, NEWEST);
    let mut nodes = Nodes::start(&servers, 0).await;
    let flags = ["--simulate", "off", "--pets", "1200"];
    nodes.add(&servers, &flags).await;
    assert!(!nodes.status(0, 1200).await.is_empty());
}

/// Three simulators with a turn every 100 ms: if all of them took turns there would be three times
/// as many changes.
#[tokio::test]
async fn one_simulator_runs_for_all_nodes() {
    let servers = Servers::start(1, NEWEST);
    let mut nodes = Nodes::start(&servers, 0).await;
    for _ in 0..3 {
        nodes.add(&servers, &["--simulate", "300ms"]).await;
    }
    let made = async |node: &Process| {
        let url = format!("{}/metrics", node.base);
        let text = node
            .client
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("petstore_commits_total"));
        line.unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    let mut counts = [0; 3];
    until("a simulator that runs", async || {
        for (node, count) in counts.iter_mut().enumerate() {
            *count = made(&nodes.nodes[node]).await;
        }
        counts.iter().any(|count| *count > 20)
    })
    .await;
    let busy = counts.iter().filter(|count| **count > 1).count();
    assert_eq!(busy, 1, "{counts:?}");
}
