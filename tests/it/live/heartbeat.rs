//! Messages to an idle viewer.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::{Sse, TRANSPORTS, Viewer, Ws, rev, spawn_app, spawn_app_with};

const HEARTBEAT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn an_idle_connection_gets_heartbeats_that_a_page_can_see() {
    let app = spawn_app_with(|config| config.live.heartbeat = HEARTBEAT).await;
    app.add_pet("Biscuit").await;
    for transport in ["ws", "sse"] {
        let mut viewer = Viewer::open(transport, &app.url(""), "").await;
        let hello = viewer.next().await;
        assert_eq!(viewer.next().await["type"], "snapshot");
        for _ in 0..3 {
            let asked = Instant::now();
            let heartbeat = viewer.next().await;
            assert_eq!(heartbeat["type"], "heartbeat");
            assert_eq!(heartbeat["cursor"], hello["cursor"]);
            assert!(heartbeat["server_time"].is_string());
            // The default is every 15 s.
            assert!(asked.elapsed() < 100 * HEARTBEAT);
        }
    }
}

/// With an id, the heartbeat's cursor would replace that of the last change as `Last-Event-ID`. The
/// interface promises the latter.
#[tokio::test]
async fn a_heartbeat_over_sse_does_not_change_the_last_event_id() {
    let app = spawn_app_with(|config| config.live.heartbeat = HEARTBEAT).await;
    let pet = app.add_pet("Biscuit").await;
    let since = app.cursor().await;
    let changed = app.set_status(pet, "eating").await;
    let mut sse = Sse::open(&app.url(""), &format!("?since={since}")).await;
    while sse.next().await["type"] != "heartbeat" {}
    assert_eq!(sse.last_id, Some(changed));
}

#[tokio::test]
async fn a_poll_without_changes_ends_with_a_heartbeat() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let since = app.cursor().await;
    let asked = Instant::now();
    let answer = app
        .json(&format!("/live/poll?wait=0.2&since={since}"))
        .await;
    assert!(asked.elapsed() >= Duration::from_millis(200));
    assert_eq!(answer["cursor"], since.as_str());
    assert_eq!(answer["messages"][0]["type"], "hello");
    assert_eq!(answer["messages"][1]["type"], "heartbeat");
    assert_eq!(answer["messages"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_change_does_not_wait_for_the_next_heartbeat() {
    let app = spawn_app_with(|config| config.live.heartbeat = Duration::from_hours(1)).await;
    let pet = app.add_pet("Biscuit").await;
    let since = app.cursor().await;
    for mut viewer in Viewer::open_all(&app.url(""), &format!("?since={since}")).await {
        let before = rev(&viewer.next().await);
        app.set_status(pet, "eating").await;
        assert_eq!(rev(&viewer.next_news().await), before + 1);
    }
}

/// A network that forgets quiet connections after 10 s once made changes up to 12 s late, again and again.
#[tokio::test]
async fn a_viewer_may_ask_for_a_heartbeat_within_the_bounds() {
    let app = spawn_app_with(|config| config.live.min_heartbeat = HEARTBEAT).await;
    let since = app.cursor().await;
    for transport in TRANSPORTS {
        for (wish, interval_ms) in [("0.3", 300), ("0", 100), ("3600", 15_000)] {
            let query = format!("?heartbeat={wish}&since={since}&wait=0.05");
            let mut viewer = Viewer::open(transport, &app.url(""), &query).await;
            assert_eq!(
                viewer.next().await["heartbeat_ms"],
                interval_ms,
                "{transport} {wish}"
            );
            if interval_ms < 1000 {
                let asked = Instant::now();
                assert_eq!(viewer.next().await["type"], "heartbeat");
                assert_eq!(
                    viewer.next().await["type"],
                    if transport == "poll" {
                        "hello"
                    } else {
                        "heartbeat"
                    }
                );
                // The default is every 15 s.
                assert!(asked.elapsed() < Duration::from_secs(10));
            }
        }
    }
}

#[tokio::test]
async fn a_request_for_a_heartbeat_is_answered_immediately_and_may_change_the_interval() {
    let app = spawn_app_with(|config| config.live.min_heartbeat = HEARTBEAT).await;
    let mut ws = Ws::open(&app.url(""), "").await;
    assert_eq!(ws.next().await["type"], "hello");
    assert_eq!(ws.next().await["type"], "snapshot");
    for (request, interval_ms, reference) in [
        (json!({ "do": "heartbeat" }), 15_000, Value::Null),
        (
            json!({ "do": "heartbeat", "heartbeat_ms": 9000, "ref": "a1" }),
            9000,
            "a1".into(),
        ),
        (json!({ "do": "heartbeat", "ref": "a2" }), 9000, "a2".into()),
        (
            json!({ "do": "heartbeat", "heartbeat_ms": 1e300 }),
            15_000,
            Value::Null,
        ),
        (
            json!({ "do": "heartbeat", "heartbeat_ms": -1 }),
            100,
            Value::Null,
        ),
    ] {
        ws.send(request.to_string()).await;
        let answer = ws.next().await;
        assert_eq!(answer["type"], "heartbeat", "{request}");
        assert_eq!(answer["heartbeat_ms"], interval_ms, "{request}");
        assert_eq!(answer["ref"], reference, "{request}");
        assert!(answer["after"].is_string(), "{answer}");
    }
    for _ in 0..3 {
        let heartbeat = ws.next().await;
        assert_eq!(heartbeat["type"], "heartbeat");
        assert!(heartbeat.get("heartbeat_ms").is_none(), "{heartbeat}");
    }
    ws.send(json!({ "do": "heartbeat", "ref": "x".repeat(101) }).to_string())
        .await;
    assert_eq!(ws.answer().await["status"], 400);
}
