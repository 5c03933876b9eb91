//! A stream that was deleted and created again, or restored from an older backup. Its sequence numbers
//! are used again for other changes, so a new epoch begins, and every viewer of every node continues
//! from a snapshot.

use serde_json::Value;

use super::server::{NEWEST, Servers};
use super::support::Nodes;
use crate::support::{TRANSPORTS, Viewer};

fn epoch(cursor: &Value) -> &str {
    cursor.as_str().unwrap().split('-').next().unwrap()
}

/// A viewer that reconnects with its cursor after a `bye`, as the page does.
struct ReturningViewer {
    viewer: Viewer,
    base: String,
    cursor: String,
}

/// Opens a viewer of each transport at each node, from `cursor` on.
async fn open_viewers(nodes: &Nodes, cursor: &str) -> Vec<ReturningViewer> {
    let mut viewers = Vec::new();
    for node in 0..nodes.nodes.len() {
        for transport in TRANSPORTS {
            let base = nodes.base(node).to_owned();
            viewers.push(ReturningViewer {
                viewer: Viewer::open(transport, &base, &format!("?wait=1&since={cursor}")).await,
                base,
                cursor: cursor.to_owned(),
            });
        }
    }
    viewers
}

impl ReturningViewer {
    /// Returns the next message other than `stale`, from a new connection if necessary.
    async fn next(&mut self) -> Value {
        loop {
            let news = self.viewer.next_news().await;
            match news["type"].as_str().unwrap() {
                "stale" => {}
                "bye" => {
                    let query = format!("?wait=1&since={}", self.cursor);
                    let transport = self.viewer.transport();
                    self.viewer = Viewer::open(transport, &self.base, &query).await;
                }
                _ => {
                    let cursor = news["cursor"].as_str().unwrap();
                    cursor.clone_into(&mut self.cursor);
                    return news;
                }
            }
        }
    }

    /// Reads until the snapshot of another epoch than `old`. Returns the new epoch.
    async fn read_until_new_epoch(&mut self, old: &str) -> String {
        let mut news = self.next().await;
        while epoch(&news["cursor"]) == old {
            news = self.next().await;
        }
        let viewer = format!("{} at {}", self.viewer.transport(), self.base);
        assert_eq!(news["type"], "snapshot", "{viewer}: {news}");
        epoch(&news["cursor"]).to_owned()
    }
}

/// Asserts that every viewer gets a snapshot of the same new epoch, and then the next change.
async fn assert_new_epoch(viewers: &mut [ReturningViewer], nodes: &Nodes, old: &str) {
    let mut epochs = Vec::new();
    for viewer in viewers.iter_mut() {
        epochs.push(viewer.read_until_new_epoch(old).await);
    }
    epochs.dedup();
    assert_eq!(epochs.len(), 1, "one new epoch: {epochs:?}");
    let cursor = nodes.set_eventually(0, 2, "playing").await;
    assert_eq!(cursor.split('-').next(), Some(epochs[0].as_str()));
    for viewer in viewers {
        let mut news = viewer.next().await;
        while news["cursor"] != cursor.as_str() {
            news = viewer.next().await;
        }
        assert_eq!(news["status"], "playing");
    }
}

#[tokio::test]
async fn after_a_stream_was_deleted_and_created_again_every_viewer_gets_a_snapshot() {
    let servers = Servers::start(1, NEWEST);
    let mut nodes = Nodes::start(&servers, 2).await;
    let before = nodes.set(0, 1, "eating").await;
    let mut viewers = open_viewers(&nodes, &before).await;
    servers.ask("$JS.API.STREAM.DELETE.PET_STORE");
    // The next node to start creates the stream, without pets.
    nodes.add(&servers, &["--simulate", "off"]).await;
    let old = before.split('-').next().unwrap();
    assert_new_epoch(&mut viewers, &nodes, old).await;
}

/// A backup is restored under running nodes: the stream uses sequence numbers again that viewers have
/// seen.
#[tokio::test]
async fn after_an_older_backup_was_restored_every_viewer_gets_a_snapshot() {
    let mut servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 2).await;
    let saved = nodes.set(0, 1, "eating").await;
    servers.kill(0);
    servers.save(0);
    servers.begin(0);
    let lost = nodes.set_eventually(0, 1, "bathing").await;
    let mut viewers = open_viewers(&nodes, &lost).await;
    servers.kill(0);
    servers.restore(0);
    servers.begin(0);
    let old = saved.split('-').next().unwrap();
    assert_new_epoch(&mut viewers, &nodes, old).await;
    assert_eq!(nodes.status(1, 1).await, "eating", "as in the backup");
}
