//! A write whose answer does not come: found by its name, or said to be unknown, and never there
//! twice.

use reqwest::StatusCode;
use rustix::process::Signal;
use serde_json::Value;

use super::Nodes;
use super::server::{NEWEST, Servers};
use crate::support::{Viewer, until};

/// The server holds still for longer than an answer may take, and then goes on: the write is there,
/// and the node hears of it by following the stream.
#[tokio::test]
async fn a_write_whose_answer_came_too_late_is_found_by_its_name() {
    let servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 1).await;
    let before = nodes.set(0, 1, "eating").await;
    let mut viewer = Viewer::open("ws", nodes.base(0), &format!("?since={before}")).await;
    servers.signal(0, Signal::STOP);
    let writing = nodes.nodes[0].set_status(1, "bathing");
    let going_on = async {
        // The node has given up waiting for the answer, and looks for the write.
        nodes.nodes[0].wait_for_line("no ack for a write").await;
        servers.signal(0, Signal::CONT);
    };
    let (answer, ()) = tokio::join!(writing, going_on);
    let answer = answer.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let answer: Value = answer.json().await.unwrap();
    let shown = viewer.next_news().await;
    assert_eq!(shown["cursor"], answer["cursor"]);
    let after = nodes.set(0, 1, "playing").await;
    assert_eq!(
        viewer.next_news().await["cursor"],
        after.as_str(),
        "nothing in between"
    );
}

/// It holds still until nobody waits any more: the asker is told that nobody knows. Whatever came
/// of it is shown at most once.
#[tokio::test]
async fn a_write_that_nobody_answers_for_is_said_to_be_unknown_and_is_there_at_most_once() {
    let servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 1).await;
    let before = nodes.set(0, 1, "eating").await;
    let mut viewer = Viewer::open("ws", nodes.base(0), &format!("?since={before}")).await;
    servers.signal(0, Signal::STOP);
    let writing = nodes.nodes[0].set_status(1, "bathing");
    let mut writing = std::pin::pin!(writing);
    let behind = async {
        nodes.nodes[0].wait_for_line("no ack for a write").await;
        nodes.nodes[0].set_status(2, "bathing").await.unwrap()
    };
    let refused = tokio::select! {
        _ = &mut writing => panic!("who came later waited behind the first"),
        refused = behind => refused,
    };
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    let problem: Value = refused.json().await.unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("nothing was changed"), "{detail}");
    let answer = writing.await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
    let problem: Value = answer.json().await.unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("may have been made"), "{detail}");
    servers.signal(0, Signal::CONT);
    until("a write", async || {
        let answer = nodes.nodes[0].set_status(1, "playing").await.unwrap();
        answer.status() == StatusCode::OK
    })
    .await;
    let mut shown = Vec::new();
    while shown.last().is_none_or(|word| word != "playing") {
        let news = viewer.next_news().await;
        shown.extend(news["status"].as_str().map(str::to_owned));
    }
    assert!(
        shown == ["playing"] || shown == ["bathing", "playing"],
        "{shown:?}"
    );
}
