//! The limit on viewers.

use crate::support::{Sse, Viewer, Ws, metric, spawn_app_with, until};

const REFUSED: &str = r#"petstore_connections_refused_total{reason="viewers"}"#;

#[tokio::test]
async fn a_viewer_over_the_limit_gets_a_retry_time_and_pages_are_still_served() {
    let app = spawn_app_with(|config| config.live.max_viewers = 1).await;
    let watching = Sse::open(&app.url(""), "").await;
    for path in ["/live/sse", "/live/poll"] {
        let response = app.get(path).await;
        assert_eq!(response.status(), 503, "{path}");
        let seconds = response.headers()["retry-after"].to_str().unwrap();
        assert!((1..=60).contains(&seconds.parse::<u32>().unwrap()));
    }
    for path in ["/live/ws", "/hello/ws"] {
        let refused = Ws::try_open(&app.url(""), path, &[]).await;
        assert_eq!(refused.err(), Some(Some(503)), "{path}");
    }
    assert_eq!(metric(&app, REFUSED).await, 4);
    // A poll that does not wait is no viewer.
    for path in ["/pets", "/live/state", "/live/poll?wait=0", "/readyz"] {
        assert_eq!(app.get(path).await.status(), 200, "{path}");
    }
    drop(watching);
}

#[tokio::test]
async fn the_slot_of_a_viewer_that_left_can_be_taken() {
    let app = spawn_app_with(|config| config.live.max_viewers = 1).await;
    let base = app.url("");
    for transport in ["sse", "ws", "sse"] {
        let mut viewer = None;
        until("the slot of the viewer before", async || {
            viewer = Viewer::try_open(transport, &base, "").await;
            viewer.is_some()
        })
        .await;
        assert_eq!(viewer.unwrap().next().await["type"], "hello");
    }
    until("the slot of the last viewer", async || {
        app.get("/live/poll?wait=0.01").await.status() == 200
    })
    .await;
}
