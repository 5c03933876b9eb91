//! Viewers of a node that was disconnected from the servers.

use pet_store::model::Timestamp;
use serde_json::{Value, json};

use super::super::server::{NEWEST, Servers};
use super::super::support::Nodes;
use super::super::support::faulty_link::{FaultyLink, LinkFault};
use crate::support::{TRANSPORTS, Viewer, rev_of, until};

const STATUSES: [&str; 4] = ["eating", "bathing", "playing", "sleeping"];

/// Starts two nodes, the second over a link, with a change that both show. Returns its cursor too.
async fn start_nodes() -> (Servers, FaultyLink, Nodes, String) {
    let servers = Servers::start(1, NEWEST);
    let link = FaultyLink::open(&servers).await;
    let mut nodes = Nodes::start(&servers, 1).await;
    nodes.add_at(&link.address, &["--simulate", "off"]).await;
    let before = nodes.set(0, 1, "eating").await;
    until("the change at both", async || {
        nodes.status(1, 1).await == "eating"
    })
    .await;
    (servers, link, nodes, before)
}

/// Returns the next message other than `stale`.
async fn next(viewer: &mut Viewer) -> Value {
    loop {
        let news = viewer.next_news().await;
        if news["type"] != "stale" {
            return news;
        }
    }
}

/// Reduces the stream to 16 messages of each pet, as the first version kept them.
fn keep_16_per_pet(servers: &Servers) {
    let info = servers.ask("$JS.API.STREAM.INFO.PET_STORE");
    let info: Value = serde_json::from_str(&info).unwrap();
    let mut config = info["config"].clone();
    config["max_msgs_per_subject"] = json!(16);
    let answer = servers.ask_with("$JS.API.STREAM.UPDATE.PET_STORE", &config.to_string());
    assert!(!answer.contains("error"), "{answer}");
}

/// The viewers of such a node missed what the stream had dropped, and got `pet` where those of other
/// nodes got `status` under the same cursor.
#[tokio::test]
async fn viewers_of_a_node_that_missed_dropped_changes_get_a_snapshot_and_then_the_same_bytes() {
    let (servers, link, nodes, before) = start_nodes().await;
    keep_16_per_pet(&servers);
    let query = format!("?wait=1&since={before}");
    let mut viewers = Viewer::open_all(nodes.base(1), &query).await;
    for viewer in &mut viewers {
        assert_eq!(viewer.next().await["type"], "hello");
    }
    link.fault.send_replace(LinkFault::Disconnect);
    let mut last = String::new();
    for turn in 0..40 {
        last = nodes.set(0, 1, STATUSES[turn % 4]).await;
    }
    link.fault.send_replace(LinkFault::None);
    for viewer in &mut viewers {
        let news = next(viewer).await;
        let transport = viewer.transport();
        assert_eq!(news["type"], "snapshot", "{transport}: {news}");
        assert_eq!(news["cursor"], last.as_str(), "{transport}");
    }
    // A viewer that returns to either node with a cursor from before the gap.
    for node in 0..2 {
        for transport in TRANSPORTS {
            let mut viewer = Viewer::open(transport, nodes.base(node), &query).await;
            let news = viewer.next_news().await;
            let expected = if node == 0 { "status" } else { "snapshot" };
            assert_eq!(news["type"], expected, "{transport} at {node}");
        }
    }
    let since = format!("?wait=1&since={last}");
    let mut others = Viewer::open_all(nodes.base(0), &since).await;
    let after = nodes.set(0, 1, "eating").await;
    for (viewer, other) in viewers.iter_mut().zip(&mut others) {
        let news = next(viewer).await;
        assert_eq!(news["cursor"], after.as_str());
        assert_eq!(news, next(other).await, "the same cursor, the same message");
    }
}

/// A viewer that came from another node got an older board after 2 s.
#[tokio::test]
async fn a_viewer_ahead_of_a_disconnected_node_is_notified_stale_and_keeps_its_board() {
    let (_servers, link, nodes, _) = start_nodes().await;
    link.fault.send_replace(LinkFault::Disconnect);
    let newer = nodes.set(0, 1, "bathing").await;
    let query = format!("?wait=1&since={newer}");
    let mut viewers = Viewer::open_all(nodes.base(1), &query).await;
    for viewer in &mut viewers {
        let transport = viewer.transport();
        let hello = viewer.next().await;
        assert_eq!(hello["cursor"], newer.as_str(), "{transport}: {hello}");
        let news = viewer.next().await;
        assert_eq!(news["type"], "stale", "{transport}: {news}");
        assert!(news["since"].as_str().unwrap().parse::<Timestamp>().is_ok());
    }
    let path = format!("/live/state?since={newer}");
    let state = nodes.nodes[1].json(&path).await;
    assert_eq!(state["type"], "stale", "{state}");
    let url = format!("{}/live/state", nodes.base(1));
    let request = nodes.nodes[1].client.get(url);
    let tag = format!("\"{newer}\"");
    let known = request.header("If-None-Match", tag).send().await.unwrap();
    assert_eq!(known.status(), 304);
    link.fault.send_replace(LinkFault::None);
    let after = nodes.set(0, 1, "playing").await;
    for viewer in &mut viewers {
        let news = next(viewer).await;
        let transport = viewer.transport();
        assert_eq!(news["cursor"], after.as_str(), "{transport}: {news}");
    }
    let state = nodes.nodes[1].json(&path).await;
    assert_eq!(state["type"], "snapshot", "{state}");
    assert!(rev_of(state["cursor"].as_str().unwrap()) > rev_of(&newer));
}

/// No node has such a cursor: the servers themselves are not that far.
#[tokio::test]
async fn a_cursor_ahead_of_the_servers_gets_a_snapshot() {
    let servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 1).await;
    let cursor = nodes.set(0, 1, "eating").await;
    let (epoch, _) = cursor.split_once('-').unwrap();
    let query = format!("?wait=1&since={epoch}-999999");
    for mut viewer in Viewer::open_all(nodes.base(0), &query).await {
        let news = viewer.next_news().await;
        assert_eq!(news["type"], "snapshot", "{}", viewer.transport());
        assert_eq!(news["cursor"], cursor.as_str());
    }
    let state = nodes.nodes[0].json(&format!("/live/state{query}")).await;
    assert_eq!(state["cursor"], cursor.as_str());
}
