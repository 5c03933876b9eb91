//! What the one who runs the machine asks: is it alive, should it get traffic, what has it counted.

use crate::support::{Sse, metric, spawn_app};

#[tokio::test]
async fn a_running_server_is_alive_and_ready() {
    let app = spawn_app().await;
    assert_eq!(app.text("/healthz").await, "ok\n");
    assert_eq!(app.text("/readyz").await, "ready\n");
}

/// A rate over a series that is not there yet is empty, and an alert on it never fires.
#[tokio::test]
async fn every_series_is_there_from_the_start() {
    let app = spawn_app().await;
    for series in [
        r#"petstore_viewers{transport="ws"}"#,
        r#"petstore_viewers{transport="sse"}"#,
        r#"petstore_viewers{transport="poll"}"#,
        r#"petstore_viewers{transport="short"}"#,
        r#"petstore_switches_total{from="ws",reason="died",to="sse"}"#,
        r#"petstore_changes_total{type="status"}"#,
        r#"petstore_changes_total{type="pet"}"#,
        r#"petstore_changes_total{type="gone"}"#,
        "petstore_commits_total",
        "petstore_commit_failures_total",
        "petstore_resyncs_total",
        r#"petstore_viewers_dropped_total{reason="write-timeout"}"#,
        r#"petstore_viewers_dropped_total{reason="protocol"}"#,
        r#"petstore_connections_refused_total{reason="connections"}"#,
        r#"petstore_connections_refused_total{reason="viewers"}"#,
        r#"petstore_connections_refused_total{reason="address"}"#,
        r#"petstore_connections_refused_total{reason="writes"}"#,
    ] {
        assert_eq!(metric(&app, series).await, 0, "{series}");
    }
}

#[tokio::test]
async fn what_happens_is_counted() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    app.set_status(pet, "eating").await;
    app.set_status(pet, "playing").await;
    let mut sse = Sse::open(&app.url(""), "").await;
    sse.next().await;
    for (series, expected) in [
        (r#"petstore_viewers{transport="sse"}"#, 1),
        (r#"petstore_changes_total{type="pet"}"#, 1),
        (r#"petstore_changes_total{type="status"}"#, 2),
        ("petstore_commits_total", 3),
    ] {
        assert_eq!(metric(&app, series).await, expected, "{series}");
    }
    let answer = app.get("/metrics").await;
    let kind = answer.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
}
