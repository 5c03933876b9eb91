//! A stream that is another one: deleted and made anew, or put back to an older state. Its numbers
//! are given out again for other things, so there is a new epoch, and every viewer of every node
//! begins anew with a snapshot and sees what comes after it.

use serde_json::Value;

use super::Nodes;
use super::server::{NEWEST, Servers};
use crate::support::{TRANSPORTS, Viewer};

fn epoch(cursor: &Value) -> &str {
    cursor.as_str().unwrap().split('-').next().unwrap()
}

/// A viewer who comes back with its cursor when it is told to, as the page does.
struct Loyal {
    viewer: Viewer,
    base: String,
    cursor: String,
}

/// For each transport one at each node, who know of the change at `cursor`.
async fn audience(nodes: &Nodes, cursor: &str) -> Vec<Loyal> {
    let mut audience = Vec::new();
    for node in 0..nodes.nodes.len() {
        for transport in TRANSPORTS {
            let base = nodes.base(node).to_owned();
            audience.push(Loyal {
                viewer: Viewer::open(transport, &base, &format!("?wait=1&since={cursor}")).await,
                base,
                cursor: cursor.to_owned(),
            });
        }
    }
    audience
}

impl Loyal {
    /// The next news that are no `stale`, after a new connection if there has to be one.
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
                    news["cursor"]
                        .as_str()
                        .unwrap()
                        .clone_into(&mut self.cursor);
                    return news;
                }
            }
        }
    }

    /// Reads until the snapshot of an epoch that is not `old`, and gives the new one.
    async fn until_anew(&mut self, old: &str) -> String {
        let mut news = self.next().await;
        while epoch(&news["cursor"]) == old {
            news = self.next().await;
        }
        let who = format!("{} at {}", self.viewer.transport(), self.base);
        assert_eq!(news["type"], "snapshot", "{who}: {news}");
        epoch(&news["cursor"]).to_owned()
    }
}

/// Everyone is given a snapshot of one new epoch, and then the change that `make` makes.
async fn assert_everyone_begins_anew(audience: &mut [Loyal], nodes: &Nodes, old: &str) {
    let mut epochs = Vec::new();
    for viewer in audience.iter_mut() {
        epochs.push(viewer.until_anew(old).await);
    }
    epochs.dedup();
    assert_eq!(epochs.len(), 1, "one new epoch: {epochs:?}");
    let cursor = nodes.set_at_last(0, 2, "playing").await;
    assert_eq!(cursor.split('-').next(), Some(epochs[0].as_str()));
    for viewer in audience {
        let mut news = viewer.next().await;
        while news["cursor"] != cursor.as_str() {
            news = viewer.next().await;
        }
        assert_eq!(news["status"], "playing", "nobody is deaf");
    }
}

#[tokio::test]
async fn after_a_stream_was_deleted_and_made_anew_every_viewer_gets_a_snapshot_and_goes_on() {
    let servers = Servers::start(1, NEWEST);
    let mut nodes = Nodes::start(&servers, 2).await;
    let before = nodes.set(0, 1, "eating").await;
    let mut audience = audience(&nodes, &before).await;
    servers.ask("$JS.API.STREAM.DELETE.PET_STORE");
    // Whoever starts next makes it, and finds no pets there.
    nodes.add(&servers, &["--simulate", "off"]).await;
    let old = before.split('-').next().unwrap();
    assert_everyone_begins_anew(&mut audience, &nodes, old).await;
}

/// A backup is put into place under nodes that go on: the stream gives out numbers again that
/// viewers have seen, for other things.
#[tokio::test]
async fn after_an_old_backup_was_put_back_every_viewer_gets_a_snapshot_and_goes_on() {
    let mut servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 2).await;
    let kept = nodes.set(0, 1, "eating").await;
    servers.kill(0);
    servers.save(0);
    servers.begin(0);
    let forgotten = nodes.set_at_last(0, 1, "bathing").await;
    let mut audience = audience(&nodes, &forgotten).await;
    servers.kill(0);
    servers.restore(0);
    servers.begin(0);
    let old = kept.split('-').next().unwrap();
    assert_everyone_begins_anew(&mut audience, &nodes, old).await;
    assert_eq!(nodes.status(1, 1).await, "eating", "as the backup has it");
}
