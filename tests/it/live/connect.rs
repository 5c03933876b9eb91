//! The start of a connection: headers, hello, and a snapshot or the changes since the cursor.

use crate::support::{Poll, Sse, TRANSPORTS, Viewer, rev, spawn_app, spawn_app_with};
use pet_store::model::Timestamp;
use std::time::Duration;

#[tokio::test]
async fn hello_comes_first_on_every_transport() {
    let app = spawn_app_with(|config| config.live.heartbeat = Duration::from_millis(7500)).await;
    app.add_pet("Biscuit").await;
    let cursor = app.cursor().await;
    for transport in TRANSPORTS {
        let mut viewer = Viewer::open(transport, &app.url(""), "").await;
        let hello = viewer.next().await;
        assert_eq!(hello["type"], "hello");
        assert_eq!(hello["transport"], transport);
        assert_eq!(hello["heartbeat_ms"], 7500);
        assert_eq!(hello["cursor"], cursor.as_str());
        let time: Timestamp = hello["server_time"].as_str().unwrap().parse().unwrap();
        assert!(Timestamp::now().since(time) < Duration::from_mins(1));
    }
}

#[tokio::test]
async fn a_viewer_without_a_cursor_gets_a_snapshot_and_then_changes() {
    let app = spawn_app().await;
    let biscuit = app.add_pet("Biscuit").await;
    let miso = app.add_pet("Miso").await;
    app.set_status(miso, "playing").await;
    let state = app.json("/live/state").await;
    let mut viewers = Viewer::open_all(&app.url(""), "").await;
    for viewer in &mut viewers {
        let snapshot = viewer.next_news().await;
        assert_eq!(snapshot, state, "{}", viewer.transport());
        assert_eq!(snapshot["type"], "snapshot");
        assert_eq!(snapshot["pets"][0]["id"], biscuit);
        assert_eq!(snapshot["pets"][0]["name"], "Biscuit");
        assert_eq!(snapshot["pets"][0]["status"], "sleeping");
        assert_eq!(snapshot["pets"][1]["status"], "playing");
    }
    let cursor = app.set_status(biscuit, "eating").await;
    for viewer in &mut viewers {
        assert_eq!(viewer.next_news().await["cursor"], cursor.as_str());
    }
}

#[tokio::test]
async fn a_viewer_with_a_cursor_gets_exactly_the_changes_after_it() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let since = app.set_status(pet, "eating").await;
    app.set_status(pet, "bathing").await;
    app.set_status(pet, "playing").await;
    let query = format!("?since={since}");
    for mut viewer in Viewer::open_all(&app.url(""), &query).await {
        let hello = viewer.next().await;
        assert_eq!(hello["cursor"], since.as_str());
        let news = viewer.take_news(2).await;
        assert_eq!(news[0]["status"], "bathing");
        assert_eq!(news[1]["status"], "playing");
        assert_eq!(rev(&news[0]), rev(&hello) + 1);
    }
}

#[tokio::test]
async fn a_browser_that_reconnects_over_sse_continues_from_the_later_of_its_two_cursors() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let early = app.set_status(pet, "eating").await;
    let late = app.set_status(pet, "bathing").await;
    let next = app.set_status(pet, "playing").await;
    for (since, last_id) in [(&early, &late), (&late, &early)] {
        let query = format!("?since={since}");
        let sse = Sse::try_open(&app.url(""), &query, Some(last_id)).await;
        let mut sse = sse.unwrap();
        assert_eq!(sse.next().await["cursor"], late.as_str());
        assert_eq!(sse.next().await["cursor"], next.as_str());
    }
}

/// Polyfills of `EventSource` cannot set the header, and send parameters with these names.
#[tokio::test]
async fn a_polyfill_that_reconnects_continues_from_its_cursor_on_every_transport() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let early = app.set_status(pet, "eating").await;
    let late = app.set_status(pet, "bathing").await;
    let next = app.set_status(pet, "playing").await;
    for name in [
        "lastEventId",
        "lastEventID",
        "Last-Event-ID",
        "last_event_id",
    ] {
        let query = format!("?since={early}&{name}={late}");
        for mut viewer in Viewer::open_all(&app.url(""), &query).await {
            assert_eq!(viewer.next().await["cursor"], late.as_str(), "{name}");
            assert_eq!(viewer.next().await["cursor"], next.as_str(), "{name}");
        }
    }
}

#[tokio::test]
async fn the_headers_forbid_proxies_to_cache_transform_or_buffer_a_live_response() {
    let app = spawn_app().await;
    let sse = Sse::open(&app.url(""), "").await;
    let headers = sse.headers();
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["cache-control"], "no-store, no-transform");
    assert_eq!(headers["x-accel-buffering"], "no");
    assert!(headers.get("content-length").is_none());
    let poll = app.get("/live/poll?wait=0").await;
    assert_eq!(poll.headers()["content-type"], "application/json");
    assert_eq!(poll.headers()["cache-control"], "no-store, no-transform");
}

#[tokio::test]
async fn a_page_of_any_origin_may_read() {
    let app = spawn_app().await;
    for path in ["/live/sse", "/live/poll?wait=0", "/live/state"] {
        let request = app
            .request("GET", path)
            .header("origin", "https://rescue.example");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        let allowed = response.headers().get("access-control-allow-origin");
        assert_eq!(allowed.unwrap(), "*", "{path}");
    }
}

#[tokio::test]
async fn a_poll_responds_immediately_with_all_changes_since_its_cursor() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let since = app.cursor().await;
    for status in ["eating", "bathing", "playing"] {
        app.set_status(pet, status).await;
    }
    let answer = app.json(&format!("/live/poll?wait=25&since={since}")).await;
    let types = answer["messages"].as_array().unwrap().iter();
    let types: Vec<_> = types
        .map(|message| message["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["hello", "status", "status", "status"]);
    assert_eq!(answer["cursor"], answer["messages"][3]["cursor"]);
}

#[tokio::test]
async fn a_waiting_poll_responds_with_the_next_change() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let since = app.cursor().await;
    let mut poll = Poll::open(&app.url(""), &format!("?wait=25&since={since}"));
    let waiting = async {
        poll.next().await;
        poll.next().await
    };
    let (message, cursor) = tokio::join!(waiting, app.set_status(pet, "eating"));
    assert_eq!(message["cursor"], cursor.as_str());
}
