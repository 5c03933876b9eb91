//! Answers are compressed when they are sent, unless that delays a message or gives away a secret.

use std::io::Read;

use reqwest::Response;
use reqwest::header::HeaderValue;

use crate::support::{Rescue, TestApp, spawn_app};

/// Returns the text of a body in this coding.
pub fn decompress(coding: Option<&HeaderValue>, body: &[u8]) -> String {
    let mut text = String::new();
    let read = match coding.map(|coding| coding.to_str().unwrap()) {
        Some("br") => brotli::Decompressor::new(body, 4096).read_to_string(&mut text),
        Some("gzip") => flate2::read::GzDecoder::new(body).read_to_string(&mut text),
        Some(other) => panic!("{other}"),
        None => (&mut &body[..]).read_to_string(&mut text),
    };
    read.unwrap();
    text
}

async fn get(app: &TestApp, path: &str, accepted: &str) -> Response {
    let request = app.request("GET", path).header("accept-encoding", accepted);
    request.send().await.unwrap()
}

fn is_compressed(response: &Response) -> bool {
    response.headers().contains_key("content-encoding")
}

async fn text(response: Response) -> String {
    let coding = response.headers().get("content-encoding").cloned();
    decompress(coding.as_ref(), &response.bytes().await.unwrap())
}

#[tokio::test]
async fn pages_the_api_and_snapshots_are_compressed_when_they_are_long() {
    let app = spawn_app().await;
    for pet in 0..20 {
        app.add_pet(&format!("Pet {pet}")).await;
    }
    for path in [
        "/pets",
        "/pets/1",
        "/api/docs",
        "/api/openapi.json",
        "/api/v1/pets",
        "/live/state",
        "/live/poll?wait=0",
        "/live/doctor",
        "/metrics",
    ] {
        let plain = get(&app, path, "identity").await;
        assert!(!is_compressed(&plain), "{path}");
        for coding in ["br", "gzip"] {
            let response = get(&app, path, coding).await;
            assert_eq!(response.headers()["content-encoding"], coding, "{path}");
            let vary = response.headers().get_all("vary").iter();
            assert!(
                vary.into_iter().any(|vary| vary == "accept-encoding"),
                "{path}"
            );
            let body = response.bytes().await.unwrap();
            let decompressed = decompress(Some(&HeaderValue::from_static(coding)), &body);
            assert!(
                body.len() * 2 < decompressed.len(),
                "{path}: {}",
                body.len()
            );
        }
    }
    for path in ["/live/state", "/api/v1/pets", "/api/docs"] {
        let plain = text(get(&app, path, "identity").await).await;
        assert_eq!(text(get(&app, path, "br").await).await, plain, "{path}");
    }
}

#[tokio::test]
async fn short_answers_and_live_streams_are_not_compressed() {
    let app = spawn_app().await;
    let cursor = app.cursor().await;
    for path in [
        "/live/sse".to_owned(),
        format!("/live/poll?wait=0&since={cursor}"),
        "/live/state".to_owned(),
        "/healthz".to_owned(),
        "/api/v1/pets".to_owned(),
    ] {
        let response = get(&app, &path, "br, gzip").await;
        assert_eq!(response.status(), 200, "{path}");
        assert!(!is_compressed(&response), "{path}");
    }
}

/// A board that is long enough to be streamed arrives whole.
#[tokio::test]
async fn a_streamed_list_is_compressed_piece_by_piece() {
    let app = spawn_app().await;
    for pet in 0..300 {
        app.add_pet(&format!("Pet {pet}")).await;
    }
    for coding in ["br", "gzip"] {
        let response = get(&app, "/api/v1/pets", coding).await;
        assert_eq!(response.headers()["content-encoding"], coding);
        assert!(!response.headers().contains_key("content-length"));
        let list = text(response).await;
        assert_eq!(list.matches("\"name\":\"Pet ").count(), 300);
        assert!(list.ends_with("]}"));
    }
}

#[tokio::test]
async fn the_live_state_has_a_tag_for_each_coding_and_knows_each_of_them() {
    let app = spawn_app().await;
    for pet in 0..20 {
        app.add_pet(&format!("Pet {pet}")).await;
    }
    let cursor = app.cursor().await;
    for (accepted, tag) in [
        ("identity", format!("\"{cursor}\"")),
        ("br", format!("\"{cursor}-br\"")),
        ("gzip", format!("\"{cursor}-gzip\"")),
    ] {
        let response = get(&app, "/live/state", accepted).await;
        assert_eq!(response.headers()["etag"], tag.as_str());
        let again = app
            .request("GET", "/live/state")
            .header("accept-encoding", accepted);
        let again = again.header("if-none-match", &tag).send().await.unwrap();
        assert_eq!(again.status(), 304, "{accepted}");
        assert_eq!(again.headers()["etag"], tag.as_str());
    }
}

#[tokio::test]
async fn a_tag_of_a_compressed_pet_is_a_precondition_of_an_edit() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let path = format!("/pets/{pet}");
    let notes = serde_json::json!({ "about": "long ".repeat(400) });
    assert_eq!(app.send("PATCH", &path, &notes).await.status(), 200);
    let response = get(&app, &format!("/api/v1{path}"), "br").await;
    let tag = response.headers()["etag"].clone();
    assert!(tag.to_str().unwrap().ends_with("-br\""), "{tag:?}");
    let request = app.request("PATCH", &format!("/api/v1{path}")).json(&notes);
    let edited = request.header("if-match", &tag).send().await.unwrap();
    assert_eq!(edited.status(), 200);
}

/// BREACH: the length of a compressed page gives away a secret that is the same in each answer.
#[tokio::test]
async fn no_answer_with_a_secret_is_compressed() {
    let rescue = Rescue::start().await;
    let mut anna = rescue.signed_in("anna").await;
    anna.get("/account").await;
    for path in ["/account", "/staff"] {
        let request = anna.ask("GET", path).header("accept-encoding", "br, gzip");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert!(!is_compressed(&response), "{path}");
    }
    let staff = anna.get("/staff").await;
    assert!(staff.len() > 2000);
    // The answers to forms, among them those with a link and with a token.
    for (path, fields) in [
        ("/staff", [("name", "clara"), ("role", "staff")]),
        (
            "/account/tokens",
            [("token-name", "camera"), ("scope", "read")],
        ),
        ("/pets", [("name", ""), ("species", "")]),
        ("/sign-in", [("name", "anna"), ("password", "wrong")]),
    ] {
        let mut fields = fields.to_vec();
        let token = anna.form_token.clone();
        fields.push(("form-token", &token));
        let request = anna.ask("POST", path).header("origin", &anna.origin);
        let request = request.header("accept-encoding", "br, gzip").form(&fields);
        let response = request.send().await.unwrap();
        assert!(!is_compressed(&response), "{path} {}", response.status());
        assert!(response.text().await.unwrap().len() > 1000, "{path}");
    }
}

#[tokio::test]
async fn each_page_of_a_session_has_another_form_token_and_all_are_valid() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    let pet = rescue.app.cursor().await;
    assert!(!pet.is_empty());
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let request = anna.ask("GET", "/pets/1").header("accept-encoding", "br");
        let response = request.send().await.unwrap();
        assert!(is_compressed(&response));
        let page = text(response).await;
        anna.learn_form_token(&page);
        tokens.push(anna.form_token.clone());
    }
    for (at, token) in tokens.iter().enumerate() {
        assert!(!tokens[..at].contains(token));
        anna.form_token = token.clone();
        let status = if at % 2 == 0 { "eating" } else { "playing" };
        let answer = anna.post("/pets/1/status", &[("status", status)]).await;
        assert_eq!(answer.status(), 303);
    }
}
