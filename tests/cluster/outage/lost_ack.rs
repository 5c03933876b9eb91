//! Writes whose ack is lost: the node finds their outcome in the stream or reports that it is unknown,
//! and a write is never stored twice.

use reqwest::{Response, StatusCode};
use rustix::process::Signal;
use serde_json::Value;

use super::super::server::{NEWEST, Servers};
use super::super::support::Nodes;
use super::super::support::faulty_link::{FaultyLink, LinkFault};
use crate::support::{Viewer, until};

/// Starts a node with servers of its own, and a viewer that starts from the first change.
async fn start_node() -> (Servers, Nodes, Viewer) {
    let servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 1).await;
    let viewer = open_viewer(&nodes).await;
    (servers, nodes, viewer)
}

/// Starts a node that is connected over a link that can fail.
async fn start_linked_node() -> (Servers, FaultyLink, Nodes, Viewer) {
    let servers = Servers::start(1, NEWEST);
    let link = FaultyLink::open(&servers).await;
    let mut nodes = Nodes::start(&servers, 0).await;
    nodes.add_at(&link.address, &["--simulate", "off"]).await;
    let viewer = open_viewer(&nodes).await;
    (servers, link, nodes, viewer)
}

async fn open_viewer(nodes: &Nodes) -> Viewer {
    let before = nodes.set(0, 1, "eating").await;
    Viewer::open("ws", nodes.base(0), &format!("?since={before}")).await
}

/// Asserts that a write was acknowledged, that the viewer was shown it, and that a later write follows
/// it directly.
async fn assert_stored_once(answer: Response, nodes: &Nodes, viewer: &mut Viewer) {
    assert_eq!(answer.status(), StatusCode::OK);
    let answer: Value = answer.json().await.unwrap();
    let shown = viewer.next_news().await;
    assert_eq!(shown["cursor"], answer["cursor"]);
    assert_eq!(shown["status"], "bathing");
    let after = nodes.set_eventually(0, 1, "playing").await;
    assert_eq!(viewer.next_news().await["cursor"], after.as_str());
}

async fn detail(answer: Response) -> String {
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let problem: Value = answer.json().await.unwrap();
    problem["detail"].as_str().unwrap().to_owned()
}

/// The server pauses for longer than the ack may take, and then continues. The write is stored, and
/// the node finds it in the stream.
#[tokio::test]
async fn a_write_whose_ack_came_too_late_is_found_in_the_stream() {
    let (servers, nodes, mut viewer) = start_node().await;
    servers.signal(0, Signal::STOP);
    let write = nodes.nodes[0].set_status(1, "bathing");
    let resume = async {
        // The node no longer waits for the ack and searches for the write.
        nodes.nodes[0].wait_for_line("no ack for a write").await;
        servers.signal(0, Signal::CONT);
    };
    let (answer, ()) = tokio::join!(write, resume);
    assert_stored_once(answer.unwrap(), &nodes, &mut viewer).await;
}

/// The server pauses until no client waits any more: the outcome is reported as unknown. Whether or
/// not the write was stored, it is shown at most once.
#[tokio::test]
async fn a_write_without_any_ack_is_reported_as_unknown_and_stored_at_most_once() {
    let (servers, nodes, mut viewer) = start_node().await;
    servers.signal(0, Signal::STOP);
    let write = nodes.nodes[0].set_status(1, "bathing");
    let mut write = std::pin::pin!(write);
    let second = async {
        nodes.nodes[0].wait_for_line("no ack for a write").await;
        nodes.nodes[0].set_status(2, "bathing").await.unwrap()
    };
    let refused = tokio::select! {
        _ = &mut write => panic!("the second write waited behind the first"),
        refused = second => refused,
    };
    let refused = detail(refused).await;
    assert!(refused.contains("nothing was changed"), "{refused}");
    let answer = write.await.unwrap();
    assert!(answer.headers().contains_key("retry-after"));
    let unknown = detail(answer).await;
    assert!(unknown.contains("may still be applied"), "{unknown}");
    servers.signal(0, Signal::CONT);
    until("a write", async || {
        let answer = nodes.nodes[0].set_status(1, "playing").await.unwrap();
        answer.status() == StatusCode::OK
    })
    .await;
    let mut shown = Vec::new();
    while shown.last().is_none_or(|status| status != "playing") {
        let news = viewer.next_news().await;
        shown.extend(news["status"].as_str().map(str::to_owned));
    }
    let (without, with) = (["playing"], ["bathing", "playing"]);
    assert!(shown == without || shown == with, "{shown:?}");
}

#[tokio::test]
async fn a_write_whose_ack_was_dropped_is_found_in_the_stream_and_stored_once() {
    let (_servers, link, nodes, mut viewer) = start_linked_node().await;
    link.fault.send_replace(LinkFault::DropAck);
    let answer = nodes.nodes[0].set_status(1, "bathing").await.unwrap();
    assert!(
        *link.fault.borrow() == LinkFault::None,
        "the ack was dropped"
    );
    nodes.nodes[0].wait_for_line("no ack for a write").await;
    assert_stored_once(answer, &nodes, &mut viewer).await;
}

/// The outcome was reported as unknown after 7 s.
#[tokio::test]
async fn a_write_that_was_dropped_is_sent_again_and_stored_once() {
    let (_servers, link, nodes, mut viewer) = start_linked_node().await;
    link.fault.send_replace(LinkFault::DropWrite);
    let answer = nodes.nodes[0].set_status(1, "bathing").await.unwrap();
    assert!(
        *link.fault.borrow() == LinkFault::None,
        "the write was dropped"
    );
    assert_stored_once(answer, &nodes, &mut viewer).await;
}
