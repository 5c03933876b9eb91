//! Viewers of some pets.

use std::time::Duration;

use crate::support::{TRANSPORTS, Viewer, rev, rev_of, spawn_app, spawn_app_with, within};

#[tokio::test]
async fn a_viewer_of_some_pets_gets_only_their_changes() {
    let app = spawn_app().await;
    for name in ["Biscuit", "Miso", "Pepper"] {
        app.add_pet(name).await;
    }
    for transport in TRANSPORTS {
        let mut viewer = Viewer::open(transport, &app.url(""), "?pet=1&pet=3").await;
        let snapshot = viewer.next_news().await;
        let pets = snapshot["pets"].as_array().unwrap().iter();
        let ids: Vec<_> = pets.map(|pet| pet["id"].as_u64().unwrap()).collect();
        assert_eq!(ids, [1, 3]);
        app.set_status(2, "eating").await;
        let first = app.set_status(3, "eating").await;
        app.set_status(2, "playing").await;
        let second = app.set_status(1, "eating").await;
        let news = viewer.take_news(2).await;
        assert_eq!(news[0]["cursor"], first.as_str());
        assert_eq!(news[1]["cursor"], second.as_str());
    }
}

#[tokio::test]
async fn a_replay_leaves_out_other_pets_too() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    app.add_pet("Miso").await;
    let since = app.cursor().await;
    app.set_status(2, "eating").await;
    let wanted = app.set_status(1, "eating").await;
    let query = format!("?pet=1&since={since}");
    for mut viewer in Viewer::open_all(&app.url(""), &query).await {
        assert_eq!(viewer.next_news().await["cursor"], wanted.as_str());
    }
}

#[tokio::test]
async fn the_cursor_of_a_heartbeat_advances_past_pets_that_are_not_watched() {
    let app = spawn_app_with(|config| config.live.heartbeat = Duration::from_millis(50)).await;
    app.add_pet("Biscuit").await;
    app.add_pet("Miso").await;
    let viewers = Viewer::open_all(&app.url(""), "?pet=1&wait=0.05").await;
    let cursor = app.set_status(2, "eating").await;
    for mut viewer in viewers {
        within("a heartbeat that has moved on", async {
            loop {
                let message = viewer.next().await;
                assert_ne!(message["pet"], 2, "another pet's change was sent");
                if message["type"] == "heartbeat" && rev(&message) == rev_of(&cursor) {
                    break;
                }
            }
        })
        .await;
    }
}

/// The sample pets of a demo are committed before the workers start. A viewer of the first pet once stayed
/// at rev 1 until the next change.
#[tokio::test]
async fn the_cursor_advances_past_changes_made_before_the_start() {
    let app = spawn_app_with(|config| config.simulator.sample_pets = 6).await;
    let cursor = app.cursor().await;
    let first = cursor.replace("-6", "-1");
    let answer = app
        .json(&format!("/live/poll?wait=0&pet=1&since={first}"))
        .await;
    assert_eq!(answer["messages"][1]["type"], "heartbeat");
    assert_eq!(answer["cursor"], cursor);
}

#[tokio::test]
async fn an_invalid_filter_is_refused_with_an_explanation() {
    let app = spawn_app().await;
    let many: Vec<String> = (1..=101).map(|pet| format!("pet={pet}")).collect();
    let many = many.join("&");
    for query in ["pet=x", "pet=0", "pet=-1", many.as_str()] {
        for route in ["ws", "sse", "poll", "state"] {
            let response = app.get(&format!("/live/{route}?{query}")).await;
            assert_eq!(response.status(), 400, "{route} {query}");
            let problem: serde_json::Value = response.json().await.unwrap();
            assert!(problem["detail"].as_str().unwrap().contains("pet"));
        }
    }
}
