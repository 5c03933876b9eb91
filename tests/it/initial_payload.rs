//! Viewers that stop reading while they receive the changes that they missed.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Raw, TestApp, metric, open, spawn_app_in, spawn_app_with, until};

/// Batches of changes that a viewer missed; more than the buffers of any socket hold, at 2 KB per change.
const BATCHES: usize = 10;
const BATCH: usize = 50;

/// Makes large changes. Returns the cursor before them.
async fn make_large_changes(app: &TestApp) -> String {
    let pet = app.add_pet("Biscuit").await;
    let since = app.cursor().await;
    let about = json!({ "about": "x".repeat(2000) });
    let path = format!("/pets/{pet}");
    for _ in 0..BATCHES {
        let sent = (0..BATCH).map(|_| app.send("PATCH", &path, &about));
        for response in join_all(sent).await {
            assert_eq!(response.status(), 200);
        }
    }
    since
}

/// Opens a viewer that reads only the beginning of the changes after `since`.
async fn open_stalled(app: &TestApp, version: &str, since: &str) -> Raw {
    let mut raw = Raw::open_narrow(app.address);
    raw.send(&format!(
        "GET /live/sse?since={since} HTTP/{version}\r\nHost: x\r\n\r\n"
    ))
    .await;
    raw.read_until("event: hello").await;
    raw
}

/// The socket of a viewer that timed out was handed to a delivery worker all the same, which wrote the
/// next change into the middle of an event.
#[tokio::test]
async fn a_viewer_that_is_dropped_during_its_catch_up_receives_nothing_more() {
    for version in ["1.0", "1.1"] {
        let app = spawn_app_with(|config| config.timeouts.write = Duration::from_millis(300)).await;
        let since = make_large_changes(&app).await;
        let mut raw = open_stalled(&app, version, &since).await;
        let dropped = "petstore_viewers_dropped_total{reason=\"write-timeout\"}";
        until("the viewer to be dropped", async || {
            metric(&app, dropped).await >= 1
        })
        .await;
        let later = app.set_status(1, "playing").await;
        let rest = raw.read_to_end().await;
        assert!(!rest.contains(&later), "HTTP/{version}");
        assert_eq!(metric(&app, dropped).await, 1, "HTTP/{version}");
        until("its slot to be free", async || {
            metric(&app, "petstore_viewers{transport=\"sse\"}").await == 0
        })
        .await;
    }
}

/// One such viewer used up the grace, and the store was not closed.
#[tokio::test]
async fn a_viewer_that_stalls_during_its_catch_up_is_cut_at_shutdown_and_the_store_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let app = spawn_app_in(folder.path(), |config| {
        config.grace = Duration::from_millis(500);
    })
    .await;
    let since = make_large_changes(&app).await;
    let _stalled = open_stalled(&app, "1.1", &since).await;
    assert!(!app.stop().await, "the viewer was cut");
    open(folder.path());
}
