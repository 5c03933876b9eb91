//! What a node does not start on, and in which words.

use super::Nodes;
use super::server::{NEWEST, Servers, TOO_OLD};
use crate::support::refused;

async fn said(address: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["serve", "--listen", "127.0.0.1:0", "--engine", address];
    let (code, lines) = refused(folder.path(), &flags, &[]).await;
    assert_ne!(code, 0);
    assert_eq!(lines.len(), 1, "one sentence: {lines:?}");
    lines[0].clone()
}

/// It would take every write and leave out what makes it safe.
#[tokio::test]
async fn servers_that_are_too_old_are_refused() {
    let servers = Servers::start(1, TOO_OLD);
    let line = said(&servers.address()).await;
    assert!(
        line.contains("nats-server 2.9.10") && line.contains("2.12 or newer"),
        "{line}"
    );
}

/// A node that comes back to other servers asks them again before it sends anything.
#[tokio::test]
async fn servers_that_are_too_old_are_not_written_to_after_a_reconnect_either() {
    let mut servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 1).await;
    let node = &nodes.nodes[0];
    servers.kill(0);
    servers.replace(0, TOO_OLD);
    let settings = r#"{"name":"PET_STORE","subjects":["ps.>"],"num_replicas":1,"storage":"file"}"#;
    servers.ask_with("$JS.API.STREAM.CREATE.PET_STORE", settings);
    node.wait_for_line("2.12 or newer").await;
    let refused = node.set_status(1, "bathing").await.unwrap();
    assert_eq!(refused.status(), 503);
    let info = servers.ask("$JS.API.STREAM.INFO.PET_STORE");
    assert!(info.contains(r#""messages":0"#), "{info}");
}

#[tokio::test]
async fn a_stream_with_other_settings_is_refused_and_left_as_it_is() {
    let servers = Servers::start(1, NEWEST);
    let settings = r#"{"name":"PET_STORE","subjects":["ps.>"],"num_replicas":1,"storage":"file"}"#;
    servers.ask_with("$JS.API.STREAM.CREATE.PET_STORE", settings);
    let line = said(&servers.address()).await;
    assert!(
        line.contains("PET_STORE has") && line.contains("pet-store needs"),
        "{line}"
    );
}

/// Whoever began with one address of three would learn of it when a server dies.
#[tokio::test]
async fn a_stream_that_is_kept_once_is_refused_where_three_servers_are_named() {
    let servers = Servers::start(3, NEWEST);
    let addresses = servers.address();
    let mut nodes = Nodes::start(&servers, 0).await;
    let (first, _) = addresses.split_once(',').unwrap();
    nodes.add_at(first, &[]).await;
    let line = said(&addresses).await;
    assert!(
        line.contains("1 time") && line.contains("nats stream edit PET_STORE --replicas 3"),
        "{line}"
    );
}

#[tokio::test]
async fn servers_that_are_not_there_are_named() {
    let line = said("nats://127.0.0.1:1").await;
    assert!(line.contains("127.0.0.1:1"), "{line}");
}

#[tokio::test]
async fn an_engine_that_is_none_is_an_option_that_is_wrong() {
    let line = said("redis://127.0.0.1").await;
    assert!(
        line.contains("--engine") && line.contains("nats://a:4222"),
        "{line}"
    );
}
