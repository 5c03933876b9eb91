//! Engines on which a node does not start, and what it reports.

use super::server::{NEWEST, Servers, TOO_OLD};
use super::support::Nodes;
use crate::support::refused;

/// Starts a node that must exit. Returns the one line that it prints.
async fn start_error(address: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["serve", "--listen", "127.0.0.1:0", "--engine", address];
    let (code, lines) = refused(folder.path(), &flags, &[]).await;
    assert_ne!(code, 0);
    assert_eq!(lines.len(), 1, "one line: {lines:?}");
    lines[0].clone()
}

fn assert_contains(line: &str, parts: [&str; 2]) {
    assert!(parts.iter().all(|part| line.contains(part)), "{line}");
}

/// The settings of a stream that another program created.
const OTHER_STREAM: &str =
    r#"{"name":"PET_STORE","subjects":["ps.>"],"num_replicas":1,"storage":"file"}"#;

/// Such a server accepts every write and ignores what makes it atomic.
#[tokio::test]
async fn a_server_that_is_too_old_is_refused() {
    let servers = Servers::start(1, TOO_OLD);
    let line = start_error(&servers.address()).await;
    assert_contains(&line, ["nats-server 2.9.10", "2.12 or newer"]);
}

/// A node checks the server again after a reconnect, before it sends anything.
#[tokio::test]
async fn a_server_that_is_too_old_is_not_written_to_after_a_reconnect() {
    let mut servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 1).await;
    let node = &nodes.nodes[0];
    servers.kill(0);
    servers.replace(0, TOO_OLD);
    servers.ask_with("$JS.API.STREAM.CREATE.PET_STORE", OTHER_STREAM);
    node.wait_for_line("2.12 or newer").await;
    let refused = node.set_status(1, "bathing").await.unwrap();
    assert_eq!(refused.status(), 503);
    let info = servers.ask("$JS.API.STREAM.INFO.PET_STORE");
    assert!(info.contains(r#""messages":0"#), "{info}");
}

#[tokio::test]
async fn a_stream_with_other_settings_is_refused_and_not_changed() {
    let servers = Servers::start(1, NEWEST);
    servers.ask_with("$JS.API.STREAM.CREATE.PET_STORE", OTHER_STREAM);
    let line = start_error(&servers.address()).await;
    assert_contains(&line, ["PET_STORE has", "pet-store needs"]);
}

/// An operator who began with one address of three would notice only when a server fails.
#[tokio::test]
async fn a_stream_with_one_replica_is_refused_if_three_servers_are_named() {
    let servers = Servers::start(3, NEWEST);
    let addresses = servers.address();
    let mut nodes = Nodes::start(&servers, 0).await;
    let (first, _) = addresses.split_once(',').unwrap();
    nodes.add_at(first, &[]).await;
    let line = start_error(&addresses).await;
    assert_contains(
        &line,
        ["1 replica", "nats stream edit PET_STORE --replicas 3"],
    );
}

#[tokio::test]
async fn servers_that_cannot_be_reached_are_named() {
    let line = start_error("nats://127.0.0.1:1").await;
    assert!(line.contains("127.0.0.1:1"), "{line}");
}

#[tokio::test]
async fn an_unknown_engine_is_reported_with_the_option() {
    let line = start_error("redis://127.0.0.1").await;
    assert_contains(&line, ["--engine", "nats://a:4222"]);
}
