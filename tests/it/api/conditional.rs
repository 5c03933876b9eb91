//! Entity tags: what a client that read a pet can say about it when it writes.

use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{Rescue, TestApp, Ws, spawn_app};

async fn tag_of(app: &TestApp, path: &str) -> String {
    let response = app.get(path).await;
    assert_eq!(response.status(), 200);
    response.headers()["etag"].to_str().unwrap().to_owned()
}

async fn patch(app: &TestApp, if_match: &[&str], fields: &Value) -> Response {
    write(app, "PATCH", "/api/v1/pets/1", if_match, fields).await
}

async fn write(
    app: &TestApp,
    method: &str,
    path: &str,
    if_match: &[&str],
    fields: &Value,
) -> Response {
    let mut request = app.request(method, path);
    for tags in if_match {
        request = request.header("if-match", *tags);
    }
    if method != "DELETE" {
        request = request.json(fields);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_pets_entity_tag_changes_with_the_pet_and_with_nothing_else() {
    let app = spawn_app().await;
    let created = app
        .send(
            "POST",
            "/pets",
            &json!({ "name": "Biscuit", "species": "dog" }),
        )
        .await;
    let first = created.headers()["etag"].to_str().unwrap().to_owned();
    let body = created.text().await.unwrap();
    assert_eq!(tag_of(&app, "/api/v1/pets/1").await, first);
    assert_eq!(app.text("/api/v1/pets/1").await, body, "byte by byte");
    app.add_pet("Pretzel").await;
    app.set_status(2, "playing").await;
    assert_eq!(tag_of(&app, "/api/v1/pets/1").await, first);
    assert_eq!(app.text("/api/v1/pets/1").await, body, "byte by byte");
    let cursor = app.set_status(1, "eating").await;
    let second = tag_of(&app, "/api/v1/pets/1").await;
    assert_eq!(second, format!("\"{cursor}\""));
    let edited = patch(&app, &[], &json!({ "breed": "Beagle" })).await;
    let third = edited.headers()["etag"].to_str().unwrap().to_owned();
    assert!(third != second && second != first);
    assert_eq!(tag_of(&app, "/api/v1/pets/1").await, third);
}

#[tokio::test]
async fn a_pet_that_the_client_has_is_304_until_it_changes() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let tag = tag_of(&app, "/api/v1/pets/1").await;
    let ask = async |method: &str, tags: &str| {
        let request = app.request(method, "/api/v1/pets/1");
        request.header("if-none-match", tags).send().await.unwrap()
    };
    for method in ["GET", "HEAD"] {
        for tags in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
            let response = ask(method, &tags).await;
            assert_eq!(response.status(), 304, "{tags}");
            assert_eq!(response.headers()["etag"], tag.as_str());
            assert_eq!(response.text().await.unwrap(), "");
        }
    }
    assert_eq!(ask("GET", "\"x\"").await.status(), 200);
    app.set_status(1, "eating").await;
    assert_eq!(ask("GET", &tag).await.status(), 200);
}

/// A PATCH with a made-up `If-Match` was answered 200.
#[tokio::test]
async fn what_does_not_match_is_412_and_changes_nothing() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let stale = tag_of(&app, "/api/v1/pets/1").await;
    app.set_status(1, "eating").await;
    let tag = tag_of(&app, "/api/v1/pets/1").await;
    let other_digit = i32::from(tag.starts_with("\"0"));
    let (weak, other_epoch) = (format!("W/{tag}"), format!("\"{other_digit}{}", &tag[2..]));
    let breed = json!({ "breed": "Beagle" });
    let status = json!({ "status": "bathing" });
    for wrong in ["\"made-up\"", "made-up", "", &stale, &weak, &other_epoch] {
        for (method, path, fields) in [
            ("PATCH", "/api/v1/pets/1", &breed),
            ("PATCH", "/api/v1/pets/1", &json!({})),
            ("PUT", "/api/v1/pets/1/status", &status),
            ("DELETE", "/api/v1/pets/1", &breed),
        ] {
            let refused = write(&app, method, path, &[wrong], fields).await;
            assert_eq!(refused.status(), 412, "{method} {wrong:?}");
            let problem: Value = refused.json().await.unwrap();
            assert_eq!(problem["title"], "Precondition failed");
        }
    }
    assert_eq!(tag_of(&app, "/api/v1/pets/1").await, tag);
    let unknown = write(&app, "PATCH", "/api/v1/pets/9", &["*"], &breed).await;
    assert_eq!(unknown.status(), 404);
}

#[tokio::test]
async fn what_matches_is_done() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let tag = tag_of(&app, "/api/v1/pets/1").await;
    let edited = patch(&app, &["\"x\"", &tag], &json!({ "breed": "Beagle" })).await;
    assert_eq!(edited.status(), 200);
    let tag = edited.headers()["etag"].to_str().unwrap().to_owned();
    let list = format!("\"x\" , {tag}");
    let status = json!({ "status": "bathing" });
    let set = write(&app, "PUT", "/api/v1/pets/1/status", &[&list], &status).await;
    assert_eq!(set.status(), 200);
    assert_eq!(
        patch(&app, &["*"], &json!({ "age": "3" })).await.status(),
        200
    );
    let tag = tag_of(&app, "/api/v1/pets/1").await;
    let removed = write(&app, "DELETE", "/api/v1/pets/1", &[&tag], &json!({})).await;
    assert_eq!(removed.status(), 200);
}

#[tokio::test]
async fn entity_tags_outlive_a_restart() {
    let rescue = Rescue::start().await;
    let tag = tag_of(&rescue.app, "/api/v1/pets/1").await;
    let rescue = rescue.restart().await;
    assert_eq!(tag_of(&rescue.app, "/api/v1/pets/1").await, tag);
}

#[tokio::test]
async fn a_socket_may_say_which_status_it_replaces() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let mut ws = Ws::open(&app.url(""), "").await;
    let eating = app.set_status(1, "eating").await;
    app.set_status(1, "bathing").await;
    let replace = |expected| {
        let mut command = json!({ "do": "set-status", "pet": 1, "status": "playing", "ref": "a" });
        command["expected"] = expected;
        command
    };
    let answer = ws.command(&replace(json!(eating))).await;
    assert_eq!(
        (&answer["ref"], &answer["status"]),
        (&json!("a"), &json!(409))
    );
    let pet = app.json("/api/v1/pets/1").await;
    assert_eq!(pet["status"], "bathing");
    let answer = ws.command(&replace(pet["cursor"].clone())).await;
    assert_eq!(answer["type"], "ack");
    let answer = ws.command(&replace(json!("made up"))).await;
    assert_eq!(answer["status"], 400);
}
