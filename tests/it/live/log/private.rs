//! A private pet in the log and in states that were kept. Every address of theirs is in `private_pets::places`, too.

use serde_json::{Value, json};

use super::{header, now, until_collecting_begins, until_waiting};
use crate::support::{TestApp, spawn_app};

async fn set_state(app: &TestApp, pet: u64, state: &str) {
    let response = app
        .send("PATCH", &format!("/pets/{pet}"), &json!({ "state": state }))
        .await;
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn a_state_is_no_longer_served_when_a_pet_in_it_becomes_private() {
    let app = spawn_app().await;
    let pet = app.add_pet("Zyxwvut").await;
    let miso = app.add_pet("Miso").await;
    let kept = header(&app.get("/live/log").await, "location").to_owned();
    app.set_status(miso, "eating").await;
    assert!(app.text(&kept).await.contains("Zyxwvut"));
    set_state(&app, pet, "private").await;
    let response = app.get(&kept).await;
    assert_eq!(response.status(), 307);
    let newest = app.text(header(&response, "location")).await;
    assert!(
        newest.contains("Miso") && !newest.contains("Zyxwvut"),
        "{newest}"
    );
}

/// The request reads the change, waits for more, and the pet becomes private meanwhile.
#[tokio::test]
async fn an_answer_that_is_being_collected_has_nothing_of_a_pet_that_became_private() {
    let app = spawn_app().await;
    app.add_pet("Miso").await;
    let since = app.cursor().await;
    let pet = app.add_pet("Zyxwvut").await;
    let path = now(&since).replace("wait=0", "wait=20");
    until_collecting_begins().await;
    let concealing = async {
        until_waiting(&app, 1).await;
        set_state(&app, pet, "private").await;
    };
    let (answer, ()) = tokio::join!(app.json(&path), concealing);
    let types: Vec<&Value> = answer["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["type"])
        .collect();
    assert_eq!(types, ["gone"], "{answer}");
}

#[tokio::test]
async fn a_change_of_a_private_pet_is_not_even_named_by_its_number() {
    let app = spawn_app().await;
    let pet = app.add_pet("Zyxwvut").await;
    let miso = app.add_pet("Miso").await;
    set_state(&app, pet, "private").await;
    let since = app.cursor().await;
    let announced = app.set_status(miso, "eating").await;
    let hidden = app.set_status(pet, "eating").await;
    let answer = app.json(&now(&since)).await;
    assert_eq!(answer["cursor"], announced);
    // A page of staff continues from a change that visitors do not know.
    assert_eq!(app.json(&now(&hidden)).await["cursor"], hidden);
}
