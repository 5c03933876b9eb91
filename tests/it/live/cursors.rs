//! Cursors that are old, of another epoch, of the future, or invalid.

use serde_json::Value;

use crate::support::{Sse, TestApp, Viewer, Ws, fill, rev, spawn_app, spawn_app_in, within};

/// One change more than can be replayed after rev 1, so that rev 1 gets a snapshot and rev 2 a replay.
/// Most changes are not among the 4,096 frames in memory, and come from the log.
const NEWEST: u64 = 10_002;
const REPLAYED: u64 = 10_000;

async fn long_lived_app(folder: &std::path::Path) -> (TestApp, String) {
    let epoch = fill(folder, NEWEST);
    (spawn_app_in(folder, |_| {}).await, epoch)
}

#[tokio::test]
async fn an_old_cursor_is_served_from_the_log_without_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let (app, epoch) = long_lived_app(folder.path()).await;
    let query = format!("?since={epoch}-2");
    for mut viewer in Viewer::open_all(&app.url(""), &query).await {
        for expected in 3..=NEWEST {
            let message = viewer.next_news().await;
            assert_eq!(rev(&message), expected, "{}: {message}", viewer.transport());
            assert_eq!(message["type"], "status");
        }
    }
}

#[tokio::test]
async fn changes_during_a_replay_of_the_log_follow_it() {
    let folder = tempfile::tempdir().unwrap();
    let (app, epoch) = long_lived_app(folder.path()).await;
    let query = format!("?since={epoch}-2");
    let mut viewer = Viewer::open("ws", &app.url(""), &query).await;
    viewer.next().await;
    let watching = async {
        for expected in 3..=NEWEST + 50 {
            assert_eq!(rev(&viewer.next_news().await), expected);
        }
    };
    let changing = async {
        for _ in 0..50 {
            app.set_status(1, "eating").await;
        }
    };
    tokio::join!(watching, changing);
}

/// A poll with `wait=0` once got no changes, however often it was repeated.
#[tokio::test]
async fn a_poll_that_does_not_wait_gets_changes_that_are_only_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let (app, epoch) = long_lived_app(folder.path()).await;
    let answer = app
        .json(&format!("/live/poll?wait=0&since={epoch}-3"))
        .await;
    assert_eq!(answer["messages"][1]["cursor"], format!("{epoch}-4"));
}

/// The log was once read to its end, and then the response waited for a change, whatever `wait` said.
#[tokio::test]
async fn a_poll_responds_in_time_when_the_log_has_nothing_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let (app, epoch) = long_lived_app(folder.path()).await;
    let path = format!("/live/poll?wait=0&pet=2&since={epoch}-3");
    let answer = within("an answer without news", app.json(&path)).await;
    assert_eq!(answer["messages"][1]["type"], "heartbeat");
    assert_eq!(answer["cursor"], format!("{epoch}-{NEWEST}"));
}

#[tokio::test]
async fn a_cursor_before_the_replay_limit_gets_a_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let (app, epoch) = long_lived_app(folder.path()).await;
    assert_eq!(NEWEST - 1, REPLAYED + 1);
    let query = format!("?since={epoch}-1");
    for mut viewer in Viewer::open_all(&app.url(""), &query).await {
        let snapshot = viewer.next_news().await;
        assert_eq!(snapshot["type"], "snapshot");
        assert_eq!(rev(&snapshot), NEWEST);
    }
}

#[tokio::test]
async fn a_cursor_of_another_epoch_or_from_the_future_gets_a_snapshot() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let here = app.cursor().await;
    let (epoch, _) = here.split_once('-').unwrap();
    let foreign = if epoch == "00000000" {
        "11111111"
    } else {
        "00000000"
    };
    for since in [
        format!("{foreign}-1"),
        format!("{epoch}-2"),
        format!("{epoch}-{}", u64::MAX),
    ] {
        let query = format!("?since={since}");
        for mut viewer in Viewer::open_all(&app.url(""), &query).await {
            let hello = viewer.next().await;
            assert_eq!(hello["cursor"], here.as_str(), "{since}");
            let snapshot = viewer.next_news().await;
            assert_eq!(snapshot["type"], "snapshot", "{since}");
        }
    }
    let mut viewer = Viewer::open("sse", &app.url(""), &format!("?since={foreign}-1")).await;
    viewer.next_news().await;
    let next = app.set_status(pet, "eating").await;
    assert_eq!(viewer.next_news().await["cursor"], next.as_str());
}

#[tokio::test]
async fn an_invalid_cursor_is_refused_with_an_explanation() {
    let app = spawn_app().await;
    let long = "a".repeat(10 * 1024);
    for since in [
        "x",
        "9F2C41AA-1",
        "9f2c41aa-",
        "9f2c41aa-01",
        "%ff",
        long.as_str(),
    ] {
        for route in ["sse", "poll", "state"] {
            let response = app.get(&format!("/live/{route}?since={since}")).await;
            assert_eq!(response.status(), 400, "{route} {since:.20}");
            let problem: Value = response.json().await.unwrap();
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.len() < 300, "what was sent is not sent back");
        }
        let path = format!("/live/ws?since={since}");
        let refused = Ws::try_open(&app.url(""), &path, &[]).await;
        assert_eq!(refused.err(), Some(Some(400)), "{since:.20}");
    }
}

/// An `EventSource` that gets a 400 never reconnects, and cannot change the header that it sends.
#[tokio::test]
async fn a_last_event_id_that_is_not_a_cursor_is_ignored() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let long = "1".repeat(10 * 1024);
    for id in ["", "x", "9f2c41aa", long.as_str()] {
        let sse = Sse::try_open(&app.url(""), "", Some(id)).await;
        let mut sse = sse.unwrap();
        assert_eq!(sse.next().await["type"], "hello");
        assert_eq!(sse.next().await["type"], "snapshot");
    }
}
