//! Follow-up heartbeats, and the maximum age of connections.

use std::time::Duration;

use tokio::time::Instant;

use crate::support::{Sse, Viewer, rev, spawn_app_with};

const AN_HOUR: Duration = Duration::from_hours(1);

/// Antivirus programs that hold back each event until the next one would otherwise hold back the last
/// event until the heartbeat.
#[tokio::test]
async fn over_sse_the_last_event_is_followed_by_a_heartbeat() {
    let app = spawn_app_with(|config| config.live.heartbeat = AN_HOUR).await;
    let (pet, other) = (app.add_pet("Biscuit").await, app.add_pet("Waffle").await);
    for query in [String::new(), format!("?pet={pet}")] {
        let mut viewer = Viewer::open("sse", &app.url(""), &query).await;
        assert_eq!(viewer.next().await["type"], "hello");
        assert_eq!(viewer.next().await["type"], "snapshot");
        assert_eq!(
            viewer.next().await["type"],
            "heartbeat",
            "after the initial payload"
        );
        app.set_status(pet, "eating").await;
        let status = viewer.next().await;
        assert_eq!(status["type"], "status");
        // Another pet's changes do not delay it.
        app.set_status(other, "eating").await;
        let mut heartbeat = viewer.next().await;
        if query.is_empty() {
            // On a slow machine, a follow-up may come before it.
            while heartbeat["pet"] != other {
                assert_eq!(heartbeat["type"], "heartbeat");
                heartbeat = viewer.next().await;
            }
            heartbeat = viewer.next().await;
        }
        assert_eq!(heartbeat["type"], "heartbeat", "long before the next one");
        assert!(rev(&heartbeat) >= rev(&status));
        app.set_status(pet, "sleeping").await;
        assert_eq!(
            viewer.next().await["type"],
            "status",
            "one heartbeat is enough"
        );
    }
}

#[tokio::test]
async fn over_websocket_no_heartbeat_follows_an_event() {
    let app = spawn_app_with(|config| config.live.heartbeat = AN_HOUR).await;
    let pet = app.add_pet("Biscuit").await;
    let mut ws = Viewer::open("ws", &app.url(""), "").await;
    let mut sse = Viewer::open("sse", &app.url(""), "").await;
    ws.next().await;
    ws.next().await;
    for status in ["eating", "sleeping"] {
        // Meanwhile, an SSE viewer gets its follow-up.
        while sse.next().await["type"] != "heartbeat" {}
        app.set_status(pet, status).await;
        assert_eq!(ws.next().await["type"], "status");
    }
}

#[tokio::test]
async fn a_connection_is_renewed_at_about_its_maximum_age_and_misses_nothing() {
    let age = Duration::from_millis(500);
    let app = spawn_app_with(|config| config.live.max_connection_age = age).await;
    let pet = app.add_pet("Biscuit").await;
    for transport in ["ws", "sse"] {
        let asked = Instant::now();
        let mut viewer = Viewer::open(transport, &app.url(""), "").await;
        let mut last = viewer.next().await["cursor"].clone();
        let bye = loop {
            let message = viewer.next().await;
            if message["type"] == "bye" {
                break message;
            }
            last = message["cursor"].clone();
        };
        assert_eq!(bye["reason"], "renewal");
        assert_eq!(bye["retry_ms"], 0);
        assert!(asked.elapsed() >= age.mul_f64(0.8), "not before its time");
        assert!(viewer.try_next().await.is_none(), "the connection ends");
        app.set_status(pet, "eating").await;
        let query = format!("?since={}", last.as_str().unwrap());
        let mut renewed = Viewer::open(transport, &app.url(""), &query).await;
        assert_eq!(renewed.next_news().await["type"], "status");
        app.set_status(pet, "sleeping").await;
    }
}

/// An `EventSource` keeps the last `retry` for as long as no server responds. After a renewal with
/// `retry: 0`, one without a network once tried 462 times in 5 s.
#[tokio::test]
async fn a_renewal_sets_a_short_retry_that_causes_no_reconnect_storm() {
    let age = Duration::from_millis(200);
    let app = spawn_app_with(|config| config.live.max_connection_age = age).await;
    let mut sse = Sse::open(&app.url(""), "").await;
    while sse.next().await["type"] != "bye" {}
    let retry_ms = sse.retry_ms.unwrap();
    assert!(5_000 / retry_ms <= 15, "tries in 5 s: {}", 5_000 / retry_ms);
    assert!(retry_ms <= 500, "too long: {retry_ms}");
}
