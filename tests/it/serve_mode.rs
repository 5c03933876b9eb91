//! Who may write: in serve mode only staff, in the demo no page of another site.

use pet_store::auth::AuthMode;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{TestApp, Viewer, Ws, fill, spawn_app, spawn_app_in};

/// Every way to write over HTTP: method, path, content type, body.
const WRITES: [(&str, &str, &str, &str); 8] = [
    ("POST", "/pets", FORM, "name=Miso&species=cat"),
    ("POST", "/pets/1", FORM, "name=Miso&species=cat"),
    ("POST", "/pets/1/status", FORM, "status=eating"),
    ("POST", "/pets/1/delete", FORM, ""),
    (
        "POST",
        "/api/v1/pets",
        JSON,
        r#"{"name":"Miso","species":"cat"}"#,
    ),
    ("PATCH", "/api/v1/pets/1", JSON, r#"{"name":"Miso"}"#),
    (
        "PUT",
        "/api/v1/pets/1/status",
        JSON,
        r#"{"status":"eating"}"#,
    ),
    ("DELETE", "/api/v1/pets/1", JSON, ""),
];
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Tries every write with `headers`.
async fn write(app: &TestApp, headers: &[(&str, &str)]) -> Vec<StatusCode> {
    let mut answers = Vec::new();
    for (method, path, kind, body) in WRITES {
        let mut request = app.request(method, path).header("content-type", kind);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answers.push(request.body(body).send().await.unwrap().status());
    }
    answers
}

#[tokio::test]
async fn in_serve_mode_visitors_can_read_and_not_write() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 1);
    let app = spawn_app_in(folder.path(), |config| config.auth = AuthMode::Serve).await;
    let before = app.cursor().await;
    assert!(write(&app, &[]).await.iter().all(|status| *status == 401));
    let mut ws = Ws::open(&app.url(""), "").await;
    let command = json!({ "do": "set-status", "pet": 1, "status": "eating", "ref": "a" });
    let error = ws.command(&command).await;
    assert_eq!(
        (&error["status"], &error["ref"]),
        (&json!(403), &json!("a"))
    );
    for path in ["/pets/new", "/pets/1/edit"] {
        let answer = app.get(path).await;
        assert_eq!(answer.status(), 303, "{path}");
        let location = answer.headers()["location"].to_str().unwrap();
        assert!(location.starts_with("/sign-in?next="), "{location}");
    }
    assert_eq!(app.cursor().await, before);
    for path in [
        "/pets",
        "/pets/1",
        "/hello",
        "/live/doctor",
        "/api/v1/pets/1",
        "/api/v1/pets/1/changes",
    ] {
        assert_eq!(app.get(path).await.status(), 200, "{path}");
    }
    for mut viewer in Viewer::open_all(&app.url(""), "").await {
        assert_eq!(viewer.next().await["type"], "hello");
        assert_eq!(viewer.next().await["type"], "snapshot");
    }
}

#[tokio::test]
async fn in_serve_mode_pages_for_visitors_have_no_forms() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 1);
    let app = spawn_app_in(folder.path(), |config| config.auth = AuthMode::Serve).await;
    for path in ["/pets", "/pets/1", "/nothing"] {
        let page = app.text(path).await;
        for offer in ["method=\"post\"", "/pets/new", "/edit"] {
            assert!(!page.contains(offer), "{offer} on {path}");
        }
    }
}

#[tokio::test]
async fn a_page_of_another_site_cannot_write_through_a_visitors_browser() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let before = app.cursor().await;
    for header in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://elsewhere.example"),
        ("origin", "null"),
    ] {
        let answers = write(&app, &[header]).await;
        assert!(
            answers.iter().all(|status| *status == 403),
            "{header:?} {answers:?}"
        );
    }
    assert_eq!(app.cursor().await, before);
}

#[tokio::test]
async fn pages_of_the_site_and_programs_can_write() {
    let app = spawn_app().await;
    let own = app.url("");
    for headers in [
        &[][..],
        &[("origin", own.as_str())],
        &[("sec-fetch-site", "same-origin"), ("origin", own.as_str())],
        &[("sec-fetch-site", "none")],
    ] {
        let fields = [
            ("name", "Miso"),
            ("species", "cat"),
            ("another-animal", "yes"),
        ];
        let mut request = app.request("POST", "/pets").form(&fields);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        assert_eq!(request.send().await.unwrap().status(), 303, "{headers:?}");
    }
}
