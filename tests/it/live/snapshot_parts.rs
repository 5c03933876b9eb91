//! Snapshots in parts, for clients with a limit on messages.

use serde_json::Value;

use crate::support::{Sse, TestApp, Viewer, spawn_app_with};

const PETS: usize = 400;

/// Starts an app whose snapshot is far longer than a part.
async fn spawn_full() -> TestApp {
    spawn_app_with(|config| config.simulator.sample_pets = PETS as _).await
}

/// Reads all parts, and returns their pets.
async fn read_parts(viewer: &mut Viewer) -> Vec<Value> {
    let mut pets = Vec::new();
    for part in 1.. {
        let snapshot = viewer.next().await;
        assert_eq!(snapshot["type"], "snapshot", "nothing comes between parts");
        assert_eq!(snapshot["part"], part);
        assert!(snapshot.to_string().len() <= 16 * 1024);
        pets.extend(snapshot["pets"].as_array().unwrap().clone());
        if snapshot["parts"] == part {
            assert!(part > 1);
            break;
        }
    }
    pets
}

#[tokio::test]
async fn a_viewer_that_asks_for_parts_gets_its_snapshot_in_parts_and_then_changes() {
    let app = spawn_full().await;
    let state = app.json("/live/state").await;
    let mut viewers = Viewer::open_all(&app.url(""), "?parts=1").await;
    for viewer in &mut viewers {
        assert_eq!(viewer.next().await["type"], "hello");
        let pets = read_parts(viewer).await;
        assert_eq!(Value::from(pets), state["pets"], "{}", viewer.transport());
    }
    let cursor = app.set_status(1, "eating").await;
    for viewer in &mut viewers {
        assert_eq!(viewer.next_news().await["cursor"], cursor.as_str());
    }
}

#[tokio::test]
async fn a_viewer_that_does_not_ask_for_parts_gets_one_message() {
    let app = spawn_full().await;
    for query in ["", "?parts=0"] {
        for mut viewer in Viewer::open_all(&app.url(""), query).await {
            let snapshot = viewer.next_news().await;
            assert_eq!(snapshot["pets"].as_array().unwrap().len(), PETS);
            assert_eq!(snapshot.get("part"), None);
        }
    }
}

/// A browser that reconnects in the middle of a snapshot has no cursor yet, and gets the snapshot again.
#[tokio::test]
async fn only_the_last_part_sets_the_last_event_id() {
    let app = spawn_full().await;
    let mut sse = Sse::open(&app.url(""), "?parts=1").await;
    assert_eq!(sse.next().await["type"], "hello");
    loop {
        let snapshot = sse.next().await;
        if snapshot["part"] == snapshot["parts"] {
            break;
        }
        assert_eq!(sse.last_id, None);
    }
    assert_eq!(sse.last_id, Some(app.cursor().await));
}
