//! Viewers who stop reading before they were given what they missed.

use std::time::Duration;

use pet_store::store::RedbEngine;
use serde_json::json;

use crate::support::{Raw, TestApp, metric, spawn_app_in, spawn_app_with, until};

/// More than any socket's buffers hold, at two kilobytes a change.
const MISSED: usize = 500;

/// Makes changes after the cursor that is returned, as large as changes get.
async fn large_changes(app: &TestApp) -> String {
    let pet = app.add_pet("Biscuit").await;
    let since = app.cursor().await;
    let about = json!({ "about": "x".repeat(2000) });
    for _ in 0..MISSED {
        let path = format!("/pets/{pet}");
        assert_eq!(app.send("PATCH", &path, &about).await.status(), 200);
    }
    since
}

/// Opens a viewer who has missed a lot and reads only the beginning of it.
async fn stop_reading_at_once(app: &TestApp, version: &str, since: &str) -> Raw {
    let mut raw = Raw::open_narrow(app.address);
    raw.send(&format!(
        "GET /live/sse?since={since} HTTP/{version}\r\nHost: x\r\n\r\n"
    ))
    .await;
    raw.read_until("event: hello").await;
    raw
}

/// The socket of a viewer who took too long went to a sender all the same, which went on with the
/// next change in the middle of an event.
#[tokio::test]
async fn a_viewer_that_is_dropped_during_its_catch_up_is_given_nothing_after_it() {
    for version in ["1.0", "1.1"] {
        let app = spawn_app_with(|config| config.timeouts.write = Duration::from_millis(300)).await;
        let since = large_changes(&app).await;
        let mut raw = stop_reading_at_once(&app, version, &since).await;
        let dropped = "petstore_viewers_dropped_total{reason=\"write-timeout\"}";
        until("it to be dropped", async || {
            metric(&app, dropped).await >= 1
        })
        .await;
        let later = app.set_status(1, "playing").await;
        let rest = raw.read_to_end().await;
        assert!(!rest.contains(&later), "HTTP/{version}");
        assert_eq!(metric(&app, dropped).await, 1, "HTTP/{version}");
        until("its place to be free", async || {
            metric(&app, "petstore_viewers{transport=\"sse\"}").await == 0
        })
        .await;
    }
}

/// One such viewer used up the grace, after which the store was left open.
#[tokio::test]
async fn a_viewer_that_stalls_in_its_catch_up_is_cut_at_a_stop_and_the_store_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let app = spawn_app_in(folder.path(), |config| {
        config.grace = Duration::from_millis(500);
    })
    .await;
    let since = large_changes(&app).await;
    let _stalled = stop_reading_at_once(&app, "1.1", &since).await;
    assert!(!app.stop().await, "it did not end by itself");
    RedbEngine::open(folder.path()).expect("the store was closed");
}
