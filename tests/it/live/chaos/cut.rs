//! Networks that close connections, immediately or after some seconds.

use std::time::Duration;

use tokio::time::Instant;

use super::open;
use crate::support::{Raw, TestApp, spawn_app};

/// Connects over `transport` and reads to the end. Returns the types of all messages, and the duration.
async fn join_and_read(app: &TestApp, transport: &str, mode: &str) -> (Vec<String>, Duration) {
    let asked = Instant::now();
    let mut viewer = open(app, transport, mode).await;
    let mut types = Vec::new();
    while let Some(message) = viewer.try_next().await {
        types.push(message["type"].as_str().unwrap().to_owned());
    }
    if let Some(ws) = viewer.ws() {
        assert_eq!(ws.closed, None, "a cut connection has no close frame");
    }
    (types, asked.elapsed())
}

/// Does that over WebSocket and SSE concurrently.
async fn end_of_both(app: &TestApp, mode: &str) -> [(Vec<String>, Duration); 2] {
    let [ws, sse] = ["ws", "sse"].map(|transport| join_and_read(app, transport, mode));
    tokio::join!(ws, sse).into()
}

#[tokio::test]
async fn a_killed_connection_delivers_hello_and_is_closed_soon_after() {
    let app = spawn_app().await;
    for (types, lived) in end_of_both(&app, "kill").await {
        assert_eq!(types[..2], ["hello", "snapshot"]);
        assert!(
            types[2..].iter().all(|kind| kind == "heartbeat"),
            "{types:?}"
        );
        assert!(lived >= Duration::from_millis(300), "{lived:?}");
        // Sooner than on a network that cuts connections.
        assert!(lived < Duration::from_secs(5), "{lived:?}");
    }
}

#[tokio::test]
async fn a_network_that_cuts_connections_does_so_after_five_seconds_also_for_polls() {
    let app = spawn_app().await;
    let since = app.cursor().await;
    let mut poll = Raw::open(app.address).await;
    let asked = Instant::now();
    let waiting = format!("GET /live/poll?chaos=cut&since={since} HTTP/1.1\r\nHost: x\r\n\r\n");
    poll.send(&waiting).await;
    let (both, answer) = tokio::join!(end_of_both(&app, "cut"), poll.read_to_end());
    assert_eq!(answer, "", "a poll that is cut gets no answer");
    assert!(asked.elapsed() >= Duration::from_secs(5));
    for (types, lived) in both {
        assert_eq!(types[..2], ["hello", "snapshot"]);
        assert!(
            types[2..].iter().all(|kind| kind == "heartbeat"),
            "{types:?}"
        );
        assert!(lived >= Duration::from_secs(5), "{lived:?}");
    }
}
