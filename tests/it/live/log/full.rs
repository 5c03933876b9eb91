//! A full server leads pages to the log.

use serde_json::Value;

use crate::support::{Raw, TestApp, Viewer, spawn_app_with, until};

async fn start_with_a_slot() -> TestApp {
    spawn_app_with(|config| config.live.max_viewers = 1).await
}

#[tokio::test]
async fn a_page_that_finds_the_server_full_is_led_to_the_log_until_there_is_room() {
    let app = start_with_a_slot().await;
    let pet = app.add_pet("Biscuit").await;
    let since = app.cursor().await;
    let cursor = app.set_status(pet, "eating").await;
    let led_to = async |wait: &str| {
        let poll = format!("/live/poll?wait={wait}&log=1&since={since}&pet={pet}");
        let body = app.json(&poll).await;
        assert_eq!(body["messages"][1]["type"], "status");
        assert_eq!(body["cursor"], cursor);
        body["messages"][0]["log"].clone()
    };
    assert_eq!(led_to("0").await, Value::Null);
    let viewer = Viewer::open("sse", &app.url(""), "").await;
    let log = format!("/live/log?pet={pet}&since={cursor}&slice=0&wait=5");
    for wait in ["0", "0.1", "20"] {
        assert_eq!(led_to(wait).await, log, "{wait}");
    }
    let path = log.replace("wait=5", "wait=0");
    assert!(app.json(&path).await.get("room").is_none());
    drop(viewer);
    until("room", async || app.json(&path).await["room"] == true).await;
    assert_eq!(led_to("20").await, Value::Null);
}

#[tokio::test]
async fn a_client_that_does_not_know_the_log_is_refused() {
    let app = start_with_a_slot().await;
    let _viewer = Viewer::open("sse", &app.url(""), "").await;
    for path in ["/live/poll?wait=1", "/live/sse?log=1"] {
        let refused = app.get(path).await;
        assert_eq!(refused.status(), 503);
        assert!(refused.headers().contains_key("retry-after"), "{path}");
    }
    let hello = &app.json("/live/poll?wait=0").await["messages"][0];
    assert_eq!(hello.get("log"), None);
}

#[tokio::test]
async fn a_server_short_of_connections_counts_as_full_and_closes_connections_that_wait() {
    let app = spawn_app_with(|config| config.max_connections = 32).await;
    let is_led = async || {
        let body = app.json("/live/poll?wait=0.1&log=1").await;
        body["messages"][0].get("log").is_some()
    };
    assert!(!is_led().await);
    let mut others = Vec::new();
    for _ in 0..30 {
        others.push(Raw::open(app.address).await);
    }
    until("the shortage", is_led).await;
    assert_eq!(app.get("/live/sse").await.status(), 503);
    assert_eq!(app.get("/healthz").await.headers()["connection"], "close");
    drop(others);
    until("the end of the shortage", async || !is_led().await).await;
}
