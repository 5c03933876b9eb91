//! Networks that end what is open: after a moment, or after a while.

use std::time::Duration;

use tokio::time::Instant;

use super::open;
use crate::support::{Raw, TestApp, Viewer, spawn_app};

/// Joins over `transport` and reads to the end: the types of all messages, and how long that took.
async fn join_and_read(app: &TestApp, transport: &str, mode: &str) -> (Vec<String>, Duration) {
    let asked = Instant::now();
    let mut viewer = open(app, transport, mode).await;
    let mut types = Vec::new();
    while let Some(message) = viewer.try_next().await {
        types.push(message["type"].as_str().unwrap().to_owned());
    }
    if let Viewer::Ws(ws) = &viewer {
        assert_eq!(ws.closed, None, "a network that cuts does not say so");
    }
    (types, asked.elapsed())
}

/// Over WebSocket and SSE at once.
async fn end_of_both(app: &TestApp, mode: &str) -> [(Vec<String>, Duration); 2] {
    let [ws, sse] = ["ws", "sse"].map(|transport| join_and_read(app, transport, mode));
    tokio::join!(ws, sse).into()
}

#[tokio::test]
async fn a_killed_connection_says_hello_and_is_gone_a_moment_later() {
    let app = spawn_app().await;
    for (types, lived) in end_of_both(&app, "kill").await {
        assert_eq!(types[..2], ["hello", "snapshot"]);
        assert!(
            types[2..].iter().all(|kind| kind == "heartbeat"),
            "{types:?}"
        );
        assert!(lived >= Duration::from_millis(300), "{lived:?}");
        // A bound against the network that cuts what waits.
        assert!(lived < Duration::from_secs(5), "{lived:?}");
    }
}

#[tokio::test]
async fn a_network_that_cuts_what_waits_does_so_after_five_seconds_and_polls_too() {
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
