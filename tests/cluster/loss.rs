//! The one server there is dies, or has lost a stream: whoever watches is told that it may be old, reads go on, and writes
//! are refused until it is back.

use std::time::Duration;

use pet_store::model::Timestamp;
use reqwest::StatusCode;
use serde_json::Value;

use super::Nodes;
use super::server::{NEWEST, Servers};
use crate::support::{Process, Viewer, until};

/// A node on a cluster whose stream was just deleted, so that its server answers that it has none.
async fn without_a_stream() -> (Servers, Nodes) {
    let servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 1).await;
    nodes.set(0, 1, "eating").await;
    servers.ask("$JS.API.STREAM.DELETE.PET_STORE");
    (servers, nodes)
}

/// The node called itself ready until it had looked for the engine, for which there is time: a
/// write that was refused so had ended before it was over.
#[tokio::test]
async fn from_the_first_write_that_is_refused_a_node_says_that_no_changes_can_be_made() {
    let (_servers, nodes) = without_a_stream().await;
    let node = &nodes.nodes[0];
    let refused = node.set_status(1, "bathing").await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    let ready = node.text("/readyz").await;
    assert!(ready.contains("out of reach"), "{ready}");
}

/// It was said that the engine does not answer, whatever it did.
#[tokio::test]
async fn the_log_says_why_viewers_are_told_that_the_engine_is_out_of_reach() {
    let (_servers, nodes) = without_a_stream().await;
    let node = &nodes.nodes[0];
    node.wait_for_line("viewers are told").await;
    let lines = node.lines();
    let told = lines.iter().find(|line| line.contains("viewers are told"));
    assert!(told.unwrap().contains("stream not found"), "{lines:?}");
}

/// The only server is gone: reads go on, viewers are told, writes are refused without being kept
/// for later, and all of it ends when the server is back.
#[tokio::test]
async fn an_engine_out_of_reach_makes_viewers_stale_and_refuses_writes_and_comes_back() {
    let mut servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 1).await;
    let node = &nodes.nodes[0];
    let before = nodes.set(0, 1, "eating").await;
    let mut viewers = Viewer::open_all(&node.base, &format!("?since={before}")).await;
    servers.kill(0);
    // The first may have been on its way; those after it are not sent.
    until("a refusal", async || {
        let refused = node.set_status(1, "bathing").await.unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        let problem: Value = refused.json().await.unwrap();
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("nothing was changed")
    })
    .await;
    for viewer in &mut viewers {
        let told = viewer.next_news().await;
        assert_eq!(told["type"], "stale", "{}", viewer.transport());
        let since: Timestamp = told["since"].as_str().unwrap().parse().unwrap();
        let silence = Timestamp::now().since(since);
        assert!(silence > Duration::from_millis(4900), "after {silence:?}");
    }
    let ready = node
        .client
        .get(format!("{}/readyz", node.base))
        .send()
        .await
        .unwrap();
    assert_eq!(ready.status(), StatusCode::OK);
    assert!(ready.text().await.unwrap().contains("out of reach"));
    assert_eq!(nodes.status(0, 1).await, "eating");
    let mut late = Viewer::open("ws", &node.base, "").await;
    assert_eq!(late.next_news().await["type"], "snapshot");
    assert_eq!(late.next_news().await["type"], "stale");

    servers.begin(0);
    until("a write", async || {
        let answer = node.set_status(1, "playing").await.unwrap();
        answer.status() == StatusCode::OK
    })
    .await;
    for viewer in &mut viewers {
        let news = viewer.next_news().await;
        assert_eq!(
            news["status"], "playing",
            "what was refused is not there: {news}"
        );
    }
}

/// The simulator stopped for good, and nothing was logged.
#[tokio::test]
async fn a_lease_that_was_deleted_is_created_again_and_the_simulator_goes_on() {
    let servers = Servers::start(1, NEWEST);
    let mut nodes = Nodes::start(&servers, 0).await;
    for _ in 0..2 {
        nodes.add(&servers, &["--simulate", "100ms"]).await;
    }
    let mut viewer = Viewer::open("ws", nodes.base(0), "").await;
    viewer.take_news(5).await;
    servers.ask("$JS.API.STREAM.DELETE.KV_pet-store-lease");
    until("the word of it in a log", async || {
        let lines = nodes.nodes.iter().flat_map(|node| node.lines());
        lines.into_iter().any(|line| line.contains("created again"))
    })
    .await;
    let made = servers.ask("$JS.API.STREAM.INFO.KV_pet-store-lease");
    assert!(made.contains("max_age\":15000000000"), "{made}");
    // What is on its way now may be from before.
    until("a lease", async || {
        !servers.ask(LEASE_STATE).contains("last_seq\":0,")
    })
    .await;
    let mut later = Viewer::open("ws", nodes.base(1), "").await;
    later.take_news(100).await;
}

const LEASE_STATE: &str = "$JS.API.STREAM.INFO.KV_pet-store-lease";

/// Nothing was logged, while nobody could sign in.
#[tokio::test]
async fn the_log_says_that_the_stream_of_staff_is_gone() {
    let servers = Servers::start(1, NEWEST);
    let folder = tempfile::tempdir().unwrap();
    let address = servers.address();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--engine", &address];
    let node = Process::start(folder.path(), &arguments).await;
    servers.ask("$JS.API.STREAM.DELETE.PET_STORE_STAFF");
    node.wait_for_line("staff cannot be read from the engine")
        .await;
}
