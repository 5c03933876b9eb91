//! The one server there is dies: whoever watches is told that it may be old, reads go on, and writes
//! are refused until it is back.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;

use super::Nodes;
use super::server::{NEWEST, Servers};
use crate::support::{Viewer, until};

/// The only server is gone: reads go on, viewers are told, writes are refused without being kept
/// for later, and all of it ends when the server is back.
#[tokio::test]
async fn an_engine_out_of_reach_makes_viewers_stale_and_refuses_writes_and_comes_back() {
    let mut servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 1).await;
    let node = &nodes.nodes[0];
    let before = nodes.set(0, 1, "eating").await;
    let mut viewers = Viewer::open_all(&node.base, &format!("?since={before}")).await;
    let began = Instant::now();
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
        assert!(told["since"].is_string());
    }
    let after = began.elapsed();
    assert!(after > Duration::from_secs(4), "told after {after:?}");
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
