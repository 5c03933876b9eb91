//! The operations, each by its answer.

use serde_json::{Value, json};

use crate::support::{Viewer, rev, rev_of, spawn_app};

#[tokio::test]
async fn a_pet_is_created_with_its_address_and_read_back_whole() {
    let app = spawn_app().await;
    let fields = json!({
        "name": "Biscuit", "species": "dog", "breed": "Beagle mix", "sex": "male",
        "age": "about 3 years", "about": "Found at a petrol station.\nWalks well.",
    });
    let response = app.send("POST", "/pets", &fields).await;
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["location"], "/api/v1/pets/1");
    let created: Value = response.json().await.unwrap();
    assert_eq!(created["id"], 1);
    assert_eq!(created["status"], "sleeping");
    assert_eq!(created["activity"], "not-set-yet");
    for (name, value) in fields.as_object().unwrap() {
        assert_eq!(&created[name], value, "{name}");
    }
    assert_eq!(app.json("/api/v1/pets/1").await, created);
    assert_eq!(created["cursor"], app.cursor().await);
}

#[tokio::test]
async fn the_list_has_every_pet_and_the_cursor_at_which_it_is_true() {
    let app = spawn_app().await;
    let empty = app.json("/api/v1/pets").await;
    assert_eq!(empty["pets"], json!([]));
    assert_eq!(rev(&empty), 0);
    app.add_pet("Biscuit").await;
    app.add_pet("Miso").await;
    let list = app.json("/api/v1/pets").await;
    assert_eq!(list["pets"][0]["name"], "Biscuit");
    assert_eq!(list["pets"][1]["name"], "Miso");
    assert_eq!(list["cursor"], app.cursor().await);
}

#[tokio::test]
async fn an_edit_changes_what_it_names_and_leaves_the_rest() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let before = app.json("/api/v1/pets/1").await;
    let patch = json!({ "age": "4 years", "sex": "male" });
    let response = app.send("PATCH", &format!("/pets/{pet}"), &patch).await;
    assert_eq!(response.status(), 200);
    let after: Value = response.json().await.unwrap();
    assert_eq!(after["age"], "4 years");
    assert_eq!(after["sex"], "male");
    for kept in ["id", "name", "species", "status", "since"] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
}

#[tokio::test]
async fn a_status_is_answered_with_the_cursor_of_its_change() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let before = app.cursor().await;
    let cursor = app.set_status(pet, "bathing").await;
    assert_eq!(rev_of(&cursor), rev_of(&before) + 1);
    let again = app.set_status(pet, "bathing").await;
    assert_eq!(
        rev_of(&again),
        rev_of(&cursor) + 1,
        "the same status again is a change too"
    );
    assert_eq!(app.json("/api/v1/pets/1").await["status"], "bathing");
}

/// A client that knows only the four words sees a new pet asleep, as every new pet was before.
#[tokio::test]
async fn a_new_pet_has_no_status_until_somebody_sets_one_and_an_undo_takes_it_back() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let path = format!("/api/v1/pets/{pet}");
    let new = app.json(&path).await;
    let words = |pet: &Value| (pet["status"].clone(), pet["activity"].clone());
    let not_set = (json!("sleeping"), json!("not-set-yet"));
    assert_eq!(words(&new), not_set);
    let state = app.json("/live/state").await;
    assert_eq!(words(&state["pets"][0]), not_set);

    let mut viewer = Viewer::open(
        "ws",
        &app.url(""),
        &format!("?since={}", app.cursor().await),
    )
    .await;
    let cursor = app.set_status(pet, "sleeping").await;
    assert_eq!(
        words(&app.json(&path).await),
        (json!("sleeping"), Value::Null)
    );
    let message = viewer.next_news().await;
    assert_eq!(words(&message), (json!("sleeping"), Value::Null));
    let undo = json!({ "status": "not-set-yet", "since": new["since"], "replaces": cursor });
    let undone = app.send("PUT", &format!("/pets/{pet}/status"), &undo).await;
    assert_eq!(undone.status(), 200);
    let again = app.json(&path).await;
    assert_eq!(words(&again), not_set);
    assert_eq!(again["since"], new["since"]);
    let message = viewer.next_news().await;
    assert_eq!(words(&message), not_set);
    let changes = app.json(&format!("{path}/changes")).await;
    let changes = changes["changes"].as_array().unwrap();
    let changes: Vec<_> = changes.iter().map(words).collect();
    let set = (json!("sleeping"), Value::Null);
    assert_eq!(changes, [not_set.clone(), set, not_set]);
}

#[tokio::test]
async fn a_removed_pet_is_unknown_and_its_id_is_not_given_again() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let last = app.add_pet("Miso").await;
    let path = format!("/pets/{last}");
    let response = app.send("DELETE", &path, &json!({})).await;
    assert_eq!(response.status(), 200);
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["cursor"], app.cursor().await);
    for method in ["PATCH", "DELETE"] {
        assert_eq!(app.send(method, &path, &json!({})).await.status(), 404);
    }
    assert_eq!(app.get(&format!("/api/v1{path}")).await.status(), 404);
    assert_eq!(app.add_pet("Pepper").await, last + 1);
}

#[tokio::test]
async fn the_openapi_document_describes_every_operation() {
    let app = spawn_app().await;
    let document = app.json("/api/openapi.json").await;
    let mut described = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            if method == "servers" {
                assert_eq!(
                    operation,
                    &json!([{ "url": "/" }]),
                    "{path} is not below /api/v1"
                );
                continue;
            }
            described.push(format!("{method} {path}"));
            assert!(operation["summary"].is_string(), "{method} {path}");
        }
    }
    described.sort();
    let expected = [
        "delete /pets/{id}",
        "delete /trash/{id}",
        "get /activities",
        "get /live/log",
        "get /live/poll",
        "get /live/sse",
        "get /live/state",
        "get /live/state/{cursor}",
        "get /pets",
        "get /pets/{id}",
        "get /pets/{id}/changes",
        "get /pets/{id}/days/{date}",
        "get /trash",
        "patch /pets/{id}",
        "post /pets",
        "post /pets/{id}/photos",
        "post /statuses",
        "post /trash/{id}/restore",
        "put /pets/{id}/photos",
        "put /pets/{id}/status",
    ];
    assert_eq!(described, expected);
    assert_eq!(document["servers"][0]["url"], "/api/v1");
    let page = app.text("/api/docs").await;
    assert!(page.contains("&#x2f;api&#x2f;v1&#x2f;pets&#x2f;{id}&#x2f;changes"));
    assert!(page.contains("<code>&#x2f;live&#x2f;sse</code>"));
}
