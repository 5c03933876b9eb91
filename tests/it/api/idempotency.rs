//! A request that is repeated because its answer was lost is carried out once.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Rescue, TestApp, spawn_app};

/// The status, entity tag, address and body of an answer.
type Answer = (u16, Option<String>, Option<String>, String);

async fn send(app: &TestApp, token: &str, key: &str, call: (&str, &str, Value)) -> Answer {
    let (method, path, fields) = call;
    let method: Method = method.parse().unwrap();
    let mut request = app
        .client
        .request(method.clone(), app.url(&format!("/api/v1{path}")))
        .header("idempotency-key", key);
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    if method != Method::DELETE {
        request = request.json(&fields);
    }
    let response = request.send().await.unwrap();
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    let (status, tag, place) = (
        response.status().as_u16(),
        header("etag"),
        header("location"),
    );
    (status, tag, place, response.text().await.unwrap())
}

fn create(name: &str) -> (&'static str, &'static str, Value) {
    ("POST", "/pets", json!({ "name": name, "species": "dog" }))
}

async fn pets(app: &TestApp) -> usize {
    app.json("/api/v1/pets").await["pets"]
        .as_array()
        .unwrap()
        .len()
}

#[tokio::test]
async fn the_same_request_with_the_same_key_is_carried_out_once_and_answered_the_same() {
    let app = spawn_app().await;
    let first = send(&app, "", "\"a\"", create("Biscuit")).await;
    assert_eq!(first.0, 201);
    app.set_status(1, "eating").await;
    assert_eq!(send(&app, "", "a", create("Biscuit")).await, first);
    assert_eq!(pets(&app).await, 1);
    let calls = [
        ("PATCH", "/pets/1", json!({ "breed": "Beagle" })),
        ("PUT", "/pets/1/status", json!({ "status": "bathing" })),
        ("DELETE", "/pets/1", json!({})),
    ];
    for (key, call) in ["b", "c", "d"].into_iter().zip(calls) {
        let first = send(&app, "", key, call.clone()).await;
        assert_eq!(first.0, 200, "{call:?}");
        let cursor = app.cursor().await;
        assert_eq!(send(&app, "", key, call.clone()).await, first, "{call:?}");
        assert_eq!(app.cursor().await, cursor, "nothing was written");
    }
    let again = send(&app, "", "a", create("Biscuit")).await;
    assert_eq!(again, first, "also when the pet is gone");
}

#[tokio::test]
async fn many_at_once_are_one() {
    let app = spawn_app().await;
    let sent = (0..20).map(|_| send(&app, "", "a", create("Biscuit")));
    let answers = futures_util::future::join_all(sent).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(pets(&app).await, 1);
}

#[tokio::test]
async fn another_request_with_the_key_is_422_and_a_refused_one_does_not_use_it_up() {
    let app = spawn_app().await;
    let invalid = ("POST", "/pets", json!({ "name": " ", "species": "dog" }));
    assert_eq!(send(&app, "", "a", invalid).await.0, 422);
    assert_eq!(send(&app, "", "a", create("Biscuit")).await.0, 201);
    let status = ("PUT", "/pets/1/status", json!({ "status": "eating" }));
    for other in [create("Pretzel"), status] {
        let refused = send(&app, "", "a", other).await;
        assert_eq!(refused.0, 422);
        assert!(refused.3.contains("another request"), "{}", refused.3);
    }
    assert_eq!(pets(&app).await, 1);
    for wrong in ["\"\"", "two words", &"k".repeat(256)] {
        assert_eq!(send(&app, "", wrong, create("Pretzel")).await.0, 400);
    }
}

/// An edit without fields is a request as well.
#[tokio::test]
async fn an_edit_without_fields_uses_its_key_and_is_refused_with_a_used_one() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let edit = |fields| ("PATCH", "/pets/1", fields);
    let first = send(&app, "", "a", edit(json!({}))).await;
    assert_eq!(first.0, 200);
    assert_eq!(send(&app, "", "a", edit(json!({}))).await, first);
    assert_eq!(
        send(&app, "", "a", edit(json!({ "age": "3" }))).await.0,
        422
    );
    assert_eq!(
        send(&app, "", "b", edit(json!({ "age": "4" }))).await.0,
        200
    );
    assert_eq!(send(&app, "", "b", edit(json!({}))).await.0, 422);
}

#[tokio::test]
async fn keys_outlive_a_restart_and_are_those_of_one_account() {
    let rescue = Rescue::start().await;
    let token = rescue.tokens[2].clone();
    let first = send(&rescue.app, &token, "a", create("Pretzel")).await;
    assert_eq!(first.0, 201);
    let rescue = rescue.restart().await;
    let again = send(&rescue.app, &token, "a", create("Pretzel")).await;
    assert_eq!(again, first);
    assert_eq!(pets(&rescue.app).await, 2);
    let nobody = send(&rescue.app, "", "a", create("Pretzel")).await;
    assert_eq!(nobody.0, 401);
}
