//! Polls that wait at the same cursor share one response.

use futures_util::future::join_all;
use serde_json::Value;

use crate::support::{metric, rev_of, spawn_app, until};

#[tokio::test]
async fn polls_from_the_same_cursor_share_one_response() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    app.add_pet("Miso").await;
    let since = app.cursor().await;
    let path = format!("/live/poll?since={since}&wait=20");
    let only_miso = format!("/live/poll?since={since}&wait=20&pet=2");
    let polls = join_all((0..20).map(|_| app.text(&path)));
    let changing = async {
        until("all polls to wait", async || {
            metric(&app, "petstore_viewers{transport=\"poll\"}").await == 20
        })
        .await;
        app.set_status(pet, "eating").await
    };
    let (answers, cursor) = tokio::join!(polls, changing);
    // Equal including the time in hello: encoded once.
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let answer: Value = serde_json::from_str(&answers[0]).unwrap();
    assert_eq!(answer["cursor"], cursor);
    assert_eq!(answer["messages"][0]["type"], "hello");
    assert_eq!(answer["messages"][1]["cursor"], cursor);
    app.set_status(2, "bathing").await;
    let other: Value = serde_json::from_str(&app.text(&only_miso).await).unwrap();
    assert_eq!(other["messages"][1]["status"], "bathing");
    assert_eq!(other["messages"].as_array().unwrap().len(), 2);
    assert_eq!(
        rev_of(other["cursor"].as_str().unwrap()),
        rev_of(&cursor) + 1
    );
}

#[tokio::test]
async fn a_poll_with_a_nonce_in_its_path_has_the_same_response() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let since = app.cursor().await;
    let cursor = app.set_status(pet, "eating").await;
    let shared = app.text(&format!("/live/poll?since={since}")).await;
    for nonce in ["k2x9-1", "k2x9-2"] {
        let path = format!("/live/poll/{nonce}?since={since}&wait=0&pet=99");
        assert_eq!(app.json(&path).await["cursor"], cursor);
        let path = format!("/live/poll/{nonce}?since={since}");
        assert_eq!(app.text(&path).await, shared);
    }
}
