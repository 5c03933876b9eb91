//! A request that is repeated at another node, and entity tags that all nodes agree on.

use serde_json::{Value, json};

use super::Nodes;
use super::server::{NEWEST, Servers};

/// Adds a pet at `node` with a key; the answer's status, entity tag and body.
async fn add(nodes: &Nodes, node: usize, key: &str) -> (u16, String, String) {
    let url = format!("{}/api/v1/pets", nodes.base(node));
    let request = reqwest::Client::new().post(url);
    let request = request.header("idempotency-key", key);
    let fields = json!({ "name": "Biscuit", "species": "dog" });
    let answer = request.json(&fields).send().await.unwrap();
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    (answer.status().as_u16(), tag, answer.text().await.unwrap())
}

#[tokio::test]
async fn a_request_that_is_repeated_at_any_node_is_carried_out_once() {
    let servers = Servers::start(1, NEWEST);
    let mut nodes = Nodes::start(&servers, 2).await;
    for round in 0..10 {
        let key = format!("key-{round}");
        let both = tokio::join!(add(&nodes, 0, &key), add(&nodes, 1, &key));
        assert_eq!(both.0.0, 201);
        assert_eq!(both.0, both.1, "at the same moment");
    }
    let first = add(&nodes, 0, "key-0").await;
    nodes.add(&servers, &["--simulate", "off"]).await;
    assert_eq!(add(&nodes, 2, "key-0").await, first, "a node that is new");
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
        let mut answers: Vec<Value> = Vec::new();
        for node in [1, 2] {
            answers.push(nodes.nodes[node].json(&path).await);
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0]["cursor"] == cursor.as_str(), pet == 2);
    }
    let edit = reqwest::Client::new()
        .patch(format!("{}/api/v1/pets/2", nodes.base(2)))
        .header("if-match", format!("\"{cursor}\""))
        .json(&json!({ "breed": "Beagle" }));
    assert_eq!(
        edit.try_clone().unwrap().send().await.unwrap().status(),
        200
    );
    let stale = edit.send().await.unwrap();
    assert_eq!(stale.status(), 412);
}
