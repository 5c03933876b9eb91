//! A node that is cut off from the servers: what its viewers see of what happens meanwhile.

use pet_store::model::Timestamp;
use serde_json::{Value, json};

use super::Nodes;
use super::cable::{Cable, Wire};
use super::server::{NEWEST, Servers};
use crate::support::{TRANSPORTS, Viewer, rev_of, until};

const STATUSES: [&str; 4] = ["eating", "bathing", "playing", "sleeping"];

/// Two nodes, of which the second can be cut off, and a cursor that both know.
async fn one_at_a_cable() -> (Servers, Cable, Nodes, String) {
    let servers = Servers::start(1, NEWEST);
    let cable = Cable::lay(&servers).await;
    let mut nodes = Nodes::start(&servers, 1).await;
    nodes.add_at(&cable.address, &["--simulate", "off"]).await;
    let before = nodes.set(0, 1, "eating").await;
    until("the change at both", async || {
        nodes.status(1, 1).await == "eating"
    })
    .await;
    (servers, cable, nodes, before)
}

/// The next news that are no `stale`.
async fn next(viewer: &mut Viewer) -> Value {
    loop {
        let news = viewer.next_news().await;
        if news["type"] != "stale" {
            return news;
        }
    }
}

/// Has the stream keep as few messages of each pet as it did in the first version.
fn keep_16_per_pet(servers: &Servers) {
    let info = servers.ask("$JS.API.STREAM.INFO.PET_STORE");
    let info: Value = serde_json::from_str(&info).unwrap();
    let mut config = info["config"].clone();
    config["max_msgs_per_subject"] = json!(16);
    let answer = servers.ask_with("$JS.API.STREAM.UPDATE.PET_STORE", &config.to_string());
    assert!(!answer.contains("error"), "{answer}");
}

/// The viewers of such a node missed what the stream had dropped, and were given `pet` where those of
/// other nodes were given `status` under the same cursor.
#[tokio::test]
async fn viewers_of_a_node_that_missed_dropped_changes_get_a_snapshot_and_then_the_same_bytes() {
    let (servers, cable, nodes, before) = one_at_a_cable().await;
    keep_16_per_pet(&servers);
    let query = format!("?wait=1&since={before}");
    let mut viewers = Viewer::open_all(nodes.base(1), &query).await;
    for viewer in &mut viewers {
        assert_eq!(viewer.next().await["type"], "hello");
    }
    cable.wire.send_replace(Wire::Cut);
    let mut last = String::new();
    for turn in 0..40 {
        last = nodes.set(0, 1, STATUSES[turn % 4]).await;
    }
    cable.wire.send_replace(Wire::Carries);
    for viewer in &mut viewers {
        let news = next(viewer).await;
        let who = viewer.transport();
        assert_eq!(news["type"], "snapshot", "{who}: {news}");
        assert_eq!(news["cursor"], last.as_str(), "{who}");
    }
    // Whoever comes back from before the gap, to either node.
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

/// A viewer that came from another node was given an older board after 2 s.
#[tokio::test]
async fn a_viewer_that_is_ahead_of_a_node_that_is_cut_off_is_told_stale_and_keeps_what_it_has() {
    let (_servers, cable, nodes, _) = one_at_a_cable().await;
    cable.wire.send_replace(Wire::Cut);
    let newer = nodes.set(0, 1, "bathing").await;
    let query = format!("?wait=1&since={newer}");
    let mut viewers = Viewer::open_all(nodes.base(1), &query).await;
    for viewer in &mut viewers {
        let who = viewer.transport();
        let hello = viewer.next().await;
        assert_eq!(hello["cursor"], newer.as_str(), "{who}: {hello}");
        let news = viewer.next().await;
        assert_eq!(news["type"], "stale", "{who}: {news}");
        assert!(news["since"].as_str().unwrap().parse::<Timestamp>().is_ok());
    }
    let state = nodes.nodes[1]
        .json(&format!("/live/state?since={newer}"))
        .await;
    assert_eq!(state["type"], "stale", "{state}");
    let url = format!("{}/live/state", nodes.base(1));
    let asked = nodes.nodes[1].client.get(url);
    let tag = format!("\"{newer}\"");
    let known = asked.header("If-None-Match", tag).send().await.unwrap();
    assert_eq!(known.status(), 304);
    cable.wire.send_replace(Wire::Carries);
    let after = nodes.set(0, 1, "playing").await;
    for viewer in &mut viewers {
        let news = next(viewer).await;
        assert_eq!(
            news["cursor"],
            after.as_str(),
            "{}: {news}",
            viewer.transport()
        );
    }
    let state = nodes.nodes[1]
        .json(&format!("/live/state?since={newer}"))
        .await;
    assert_eq!(state["type"], "snapshot", "{state}");
    assert!(rev_of(state["cursor"].as_str().unwrap()) > rev_of(&newer));
}

/// Such a cursor is none of another node: the servers themselves have not come so far.
#[tokio::test]
async fn a_cursor_that_the_servers_have_not_either_gets_a_snapshot() {
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
