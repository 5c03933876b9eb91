//! A write whose answer is cut off on its way: between the node and its server stands a wire that
//! takes the write, drops what comes back, and breaks.

use reqwest::StatusCode;
use serde_json::Value;

use super::Nodes;
use super::cable::{Cable, Wire};
use super::server::{NEWEST, Servers};
use crate::support::Viewer;

/// A node at the end of a cable, a viewer of it, and a change that both know of.
async fn wired() -> (Servers, Cable, Nodes, Viewer) {
    let servers = Servers::start(1, NEWEST);
    let cable = Cable::lay(&servers).await;
    let mut nodes = Nodes::start(&servers, 0).await;
    nodes.add_at(&cable.address, &["--simulate", "off"]).await;
    let before = nodes.set(0, 1, "eating").await;
    let viewer = Viewer::open("ws", nodes.base(0), &format!("?since={before}")).await;
    (servers, cable, nodes, viewer)
}

#[tokio::test]
async fn a_write_whose_answer_was_cut_off_is_found_by_its_name_and_is_there_once() {
    let (_servers, cable, nodes, mut viewer) = wired().await;
    cable.wire.send_replace(Wire::CutsAnswers);
    let answer = nodes.nodes[0].set_status(1, "bathing").await.unwrap();
    assert!(*cable.wire.borrow() == Wire::Carries, "it was cut");
    assert_eq!(answer.status(), StatusCode::OK);
    let answer: Value = answer.json().await.unwrap();
    nodes.nodes[0].wait_for_line("no ack for a write").await;
    let shown = viewer.next_news().await;
    assert_eq!(shown["cursor"], answer["cursor"]);
    assert_eq!(shown["status"], "bathing");
    let after = nodes.set(0, 1, "playing").await;
    let next = viewer.next_news().await;
    assert_eq!(next["cursor"], after.as_str(), "nothing in between");
}

/// It was told as unknown, 7 s later.
#[tokio::test]
async fn a_write_that_was_cut_off_itself_is_sent_again_and_is_there_once() {
    let (_servers, cable, nodes, mut viewer) = wired().await;
    cable.wire.send_replace(Wire::CutsQuestions);
    let answer = nodes.nodes[0].set_status(1, "bathing").await.unwrap();
    assert!(*cable.wire.borrow() == Wire::Carries, "it was cut");
    assert_eq!(answer.status(), StatusCode::OK);
    let answer: Value = answer.json().await.unwrap();
    let shown = viewer.next_news().await;
    assert_eq!(shown["cursor"], answer["cursor"]);
    assert_eq!(shown["status"], "bathing");
    let after = nodes.set_at_last(0, 1, "playing").await;
    let next = viewer.next_news().await;
    assert_eq!(next["cursor"], after.as_str(), "nothing in between");
}
