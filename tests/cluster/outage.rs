//! What viewers, clients and the operator see of an outage: viewers are notified that the board may be out
//! of date, reads continue, writes are refused, and all of it ends when the servers are back.

mod gap;
mod lost_ack;

use std::time::Duration;

use pet_store::model::Timestamp;
use reqwest::StatusCode;
use rustix::process::Signal;
use serde_json::Value;
use tokio::time::Instant;

use super::server::{NEWEST, Servers};
use super::support::Nodes;
use crate::support::{Process, Viewer, metric_in, until};

/// Starts a node and deletes its stream, so that the server answers that it has none.
async fn start_without_stream() -> (Servers, Nodes) {
    let servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 1).await;
    nodes.set(0, 1, "eating").await;
    servers.ask("$JS.API.STREAM.DELETE.PET_STORE");
    (servers, nodes)
}

async fn is_writable(node: &Process) -> bool {
    metric_in(&node.text("/metrics").await, "petstore_store_writable ") == 1
}

fn lines_with(node: &Process, part: &str) -> usize {
    let lines = node.lines();
    lines.iter().filter(|line| line.contains(part)).count()
}

/// The node reported that it was ready until its next poll of the engine.
#[tokio::test]
async fn from_the_first_refused_write_on_a_node_reports_that_no_changes_can_be_made() {
    let (_servers, nodes) = start_without_stream().await;
    let node = &nodes.nodes[0];
    let refused = node.set_status(1, "bathing").await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    let ready = node.text("/readyz").await;
    assert!(ready.contains("unreachable"), "{ready}");
}

/// The log said that the engine does not answer, whatever the error was.
#[tokio::test]
async fn the_log_gives_the_cause_for_which_viewers_are_told_that_the_board_may_be_old() {
    let (_servers, nodes) = start_without_stream().await;
    let node = &nodes.nodes[0];
    node.wait_for_line("viewers are notified").await;
    let lines = node.lines();
    let line = lines
        .iter()
        .find(|line| line.contains("viewers are notified"));
    assert!(line.unwrap().contains("stream not found"), "{lines:?}");
}

#[tokio::test]
async fn an_outage_makes_viewers_stale_and_refuses_writes_until_the_server_is_back() {
    let mut servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 1).await;
    let node = &nodes.nodes[0];
    let before = nodes.set(0, 1, "eating").await;
    let mut viewers = Viewer::open_all(&node.base, &format!("?since={before}")).await;
    servers.kill(0);
    // The first write may have been in flight; the next ones are not sent.
    until("a refusal", async || {
        let refused = node.set_status(1, "bathing").await.unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        let problem: Value = refused.json().await.unwrap();
        let detail = problem["detail"].as_str().unwrap();
        detail.contains("nothing was changed")
    })
    .await;
    for viewer in &mut viewers {
        let news = viewer.next_news().await;
        assert_eq!(news["type"], "stale", "{}", viewer.transport());
        let since: Timestamp = news["since"].as_str().unwrap().parse().unwrap();
        let age = Timestamp::now().since(since);
        assert!(age > Duration::from_millis(4900), "after {age:?}");
    }
    let ready = node.client.get(format!("{}/readyz", node.base));
    let ready = ready.send().await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK);
    assert!(ready.text().await.unwrap().contains("unreachable"));
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
        assert_eq!(news["status"], "playing", "no refused write: {news}");
    }
}

/// The metric changed after 4 to 7 s. The log reported that changes could be written again 44 us after
/// it had reported that they could not, and then nothing.
#[tokio::test]
async fn an_outage_shows_in_the_metric_first_and_its_end_in_the_log_when_it_is_over() {
    let servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 1).await;
    let node = &nodes.nodes[0];
    let begun = || lines_with(node, "the store cannot be written");
    let ended = || lines_with(node, "can be written again");
    for _ in 0..2 {
        let before = (begun(), ended());
        assert_eq!(before.0, before.1);
        servers.signal(0, Signal::STOP);
        let stopped = Instant::now();
        until("the metric", async || !is_writable(node).await).await;
        eprintln!("not writable after {:.2?}", stopped.elapsed());
        let ready = node.text("/readyz").await;
        assert!(ready.contains("read-only"), "{ready}");
        until("the outage in the log", async || begun() > before.0).await;
        assert_eq!(ended(), before.1, "{:#?}", node.lines());
        servers.signal(0, Signal::CONT);
        let resumed = Instant::now();
        nodes.set_eventually(0, 1, "eating").await;
        eprintln!("written after {:.2?}", resumed.elapsed());
        until("the metric", async || is_writable(node).await).await;
        until("the end in the log", async || ended() > before.1).await;
    }
}

/// A node that connected to a server without a leader reported that changes could be written again,
/// because another server had answered it a moment before.
#[tokio::test]
async fn while_there_is_no_leader_the_log_does_not_report_that_changes_can_be_written() {
    let mut servers = Servers::start(3, NEWEST);
    let nodes = Nodes::start(&servers, 3).await;
    nodes.set(0, 1, "eating").await;
    servers.kill(0);
    servers.kill(1);
    let killed = Instant::now();
    for node in &nodes.nodes {
        let write = node.set_status(1, "bathing");
        let metric = async {
            until("the metric", async || !is_writable(node).await).await;
            let after = killed.elapsed();
            eprintln!("not writable {after:.2?} after two were killed");
        };
        let (answer, ()) = tokio::join!(write, metric);
        assert_eq!(answer.unwrap().status(), 503);
        until("the outage in the log", async || {
            lines_with(node, "the store cannot be written") == 1
        })
        .await;
        assert_eq!(lines_with(node, "can be written again"), 0);
    }
    servers.begin(0);
    servers.begin(1);
    for node in 0..3 {
        nodes.set_eventually(node, 1, "playing").await;
    }
}

const LEASE_INFO: &str = "$JS.API.STREAM.INFO.KV_pet-store-lease";

/// The simulator stopped for good, and nothing was logged.
#[tokio::test]
async fn a_lease_that_was_deleted_is_created_again_and_the_simulator_continues() {
    let servers = Servers::start(1, NEWEST);
    let mut nodes = Nodes::start(&servers, 0).await;
    for _ in 0..2 {
        nodes.add(&servers, &["--simulate", "100ms"]).await;
    }
    let mut viewer = Viewer::open("ws", nodes.base(0), "").await;
    viewer.take_news(5).await;
    servers.ask("$JS.API.STREAM.DELETE.KV_pet-store-lease");
    until("the line in a log", async || {
        let mut nodes = nodes.nodes.iter();
        nodes.any(|node| lines_with(node, "created again") > 0)
    })
    .await;
    let info = servers.ask(LEASE_INFO);
    assert!(info.contains("max_age\":15000000000"), "{info}");
    // Changes that arrive before that may be from the former lease.
    until("a lease", async || {
        !servers.ask(LEASE_INFO).contains("last_seq\":0,")
    })
    .await;
    let mut later = Viewer::open("ws", nodes.base(1), "").await;
    later.take_news(100).await;
}

/// Nothing was logged while nobody could sign in.
#[tokio::test]
async fn the_log_reports_that_the_stream_of_accounts_is_gone() {
    let servers = Servers::start(1, NEWEST);
    let folder = tempfile::tempdir().unwrap();
    let address = servers.address();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--engine", &address];
    let node = Process::start(folder.path(), &arguments).await;
    servers.ask("$JS.API.STREAM.DELETE.PET_STORE_STAFF");
    let line = "accounts cannot be read from the engine";
    node.wait_for_line(line).await;
}
