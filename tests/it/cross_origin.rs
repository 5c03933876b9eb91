//! Cross-origin reads: headers and preflights.

mod embeds;
mod live_picture;

use reqwest::Response;
use reqwest::header::HeaderMap;
use serde_json::json;

use crate::support::{Raw, ask, spawn_app, spawn_app_with};

/// Every address that a page of any origin may read.
const READABLE: [&str; 14] = [
    "/live/ws",
    "/live/sse",
    "/live/poll?wait=0",
    "/live/state",
    "/live/log",
    "/live/state/00000000-1",
    "/api/v1/pets",
    "/api/v1/pets/1",
    "/api/v1/pets/1/changes",
    "/api/openapi.json",
    "/api/asyncapi.json",
    "/api/live.schema.json",
    "/healthz",
    "/readyz",
];

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

/// The words of a header that lists them, in lower case.
fn words(headers: &HeaderMap, name: &str) -> Vec<String> {
    let list = header(headers, name).unwrap_or_default();
    list.split(", ").map(str::to_lowercase).collect()
}

#[track_caller]
fn assert_readable(response: &Response, status: u16, what: &str) {
    assert_eq!(response.status(), status, "{what}");
    let headers = response.headers();
    let allowed = header(headers, "access-control-allow-origin");
    assert_eq!(allowed, Some("*"), "{what}");
    let exposed = words(headers, "access-control-expose-headers");
    for name in ["etag", "retry-after", "allow"] {
        assert!(exposed.iter().any(|word| word == name), "{name} of {what}");
    }
    // With credentials, a page of any origin would read what this browser's owner may.
    assert!(!headers.contains_key("access-control-allow-credentials"));
}

#[tokio::test]
async fn a_preflight_of_every_read_route_allows_what_readers_send() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    for path in READABLE {
        for method in ["GET", "HEAD"] {
            let preflight = app
                .request("OPTIONS", path)
                .header("origin", "https://rescue.example")
                .header("access-control-request-method", method)
                .header("access-control-request-headers", "last-event-id");
            let answer = preflight.send().await.unwrap();
            assert_readable(&answer, 204, path);
            let headers = answer.headers();
            let methods = words(headers, "access-control-allow-methods");
            assert_eq!(methods, ["get", "head"], "{path}");
            let allowed = words(headers, "access-control-allow-headers");
            for name in [
                "accept",
                "cache-control",
                "if-none-match",
                "last-event-id",
                "pragma",
                "x-requested-with",
            ] {
                assert!(allowed.iter().any(|word| word == name), "{name}: {path}");
            }
            let age = header(headers, "access-control-max-age").unwrap();
            assert!(age.parse::<u32>().unwrap() >= 600, "{path}");
        }
    }
}

/// POST needs no leave for its method, and a header that was allowed once for an address is allowed
/// for every method of it. So a preflight of a write is answered without any of it, and that of a
/// read never allows what a write would need.
#[tokio::test]
async fn no_preflight_allows_a_write() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    for path in READABLE
        .into_iter()
        .chain(["/api/v1/pets/1/status", "/pets"])
    {
        for method in ["POST", "PUT", "PATCH", "DELETE", "post", "QUERY"] {
            let preflight = app
                .request("OPTIONS", path)
                .header("origin", "https://elsewhere.example")
                .header("access-control-request-method", method)
                .header("access-control-request-headers", "content-type");
            let headers = preflight.send().await.unwrap().headers().clone();
            let told = headers.keys().map(reqwest::header::HeaderName::as_str);
            let told: Vec<_> = told
                .filter(|name| name.starts_with("access-control-"))
                .collect();
            assert_eq!(told, Vec::<&str>::new(), "{method} {path}");
        }
        let preflight = app
            .request("OPTIONS", path)
            .header("access-control-request-method", "GET");
        let answer = preflight.send().await.unwrap();
        let allowed = words(answer.headers(), "access-control-allow-headers");
        for name in ["*", "authorization", "content-type", "cookie", "if-match"] {
            assert!(!allowed.iter().any(|word| word == name), "{name}: {path}");
        }
    }
    let write = app
        .request("POST", "/api/v1/pets")
        .header("origin", "https://elsewhere.example")
        .json(&json!({ "name": "Mallory", "species": "cat" }));
    let refused = write.send().await.unwrap();
    assert_eq!(refused.status(), 403);
    assert_eq!(
        header(refused.headers(), "access-control-allow-origin"),
        None
    );
}

#[tokio::test]
async fn every_answer_of_a_read_route_is_readable_errors_too() {
    let app = spawn_app_with(|config| config.live.max_viewers = 1).await;
    app.add_pet("Biscuit").await;
    for (method, path, status) in [
        ("GET", "/live/state", 200),
        ("HEAD", "/live/state", 200),
        ("GET", "/live/poll?wait=0", 200),
        ("GET", "/live/sse?since=x", 400),
        ("GET", "/live/poll?wait=x", 400),
        ("GET", "/live/state?pet=x", 400),
        ("GET", "/live/nothing", 404),
        ("PUT", "/live/state", 405),
        ("HEAD", "/live/poll", 405),
        ("GET", "/live/ws", 426),
        ("GET", "/api/v1/pets", 200),
        ("HEAD", "/api/v1/pets/1", 200),
        ("GET", "/api/v1/pets/x", 400),
        ("GET", "/api/v1/pets/1/changes?limit=0", 400),
        ("GET", "/api/v1/pets/99", 404),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/openapi.json", 200),
        ("DELETE", "/api/openapi.json", 405),
        ("GET", "/healthz", 200),
        ("POST", "/healthz", 405),
        ("GET", "/readyz", 200),
        ("GET", "/readyz/", 308),
        ("GET", "/healthz//", 308),
        ("GET", "/api/openapi.json/", 308),
        ("GET", "/api/v1/pets/", 308),
        ("GET", "/live/state/", 308),
        ("GET", "/live/ws/", 308),
    ] {
        let answer = app.request(method, path).send().await.unwrap();
        assert_readable(&answer, status, &format!("{method} {path}"));
    }
    let state = app.get("/live/state").await;
    let request = app.request("GET", "/live/state");
    let request = request.header("if-none-match", &state.headers()["etag"]);
    assert_readable(&request.send().await.unwrap(), 304, "not modified");
    let _viewer = app.get("/live/sse").await;
    assert_readable(&app.get("/live/sse").await, 503, "too many viewers");
    let broken = "GET /live/state HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
    let answer = ask(app.address, broken).await;
    assert!(
        answer.contains("access-control-allow-origin: *"),
        "{answer}"
    );
}

/// What is answered before a request is read.
#[tokio::test]
async fn the_refusal_of_a_connection_over_the_limit_or_too_slow_is_readable() {
    let app = spawn_app_with(|config| {
        config.max_connections = 1;
        config.timeouts.head = std::time::Duration::from_millis(200);
    })
    .await;
    let mut slow = Raw::open(app.address).await;
    slow.send("GET /live/state HTTP/1.1\r\n").await;
    let refused = Raw::open(app.address).await.read_to_end().await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    let late = slow.read_to_end().await;
    assert!(late.starts_with("HTTP/1.1 408 "), "{late}");
    for answer in [refused, late] {
        assert!(
            answer.contains("\r\nAccess-Control-Allow-Origin: *\r\n"),
            "{answer}"
        );
        let exposed = "\r\nAccess-Control-Expose-Headers: Retry-After\r\n";
        assert!(answer.contains(exposed), "{answer}");
    }
}

/// Also a head that no route ever sees, because hyper answers it: at the beginning of a connection and
/// after a request that was answered.
#[tokio::test]
async fn the_refusal_of_an_invalid_request_head_is_readable() {
    let app = spawn_app().await;
    let long = "x".repeat(70_000);
    let many: String = (0..200).map(|at| format!("x-{at}: 1\r\n")).collect();
    for (status, head) in [
        (400, "GET /healthz HTTP/1.1\r\nno colon\r\n\r\n".to_owned()),
        (431, format!("GET /live/poll?since={long} HTTP/1.1\r\n\r\n")),
        (431, format!("GET /live/poll HTTP/1.1\r\n{many}\r\n")),
    ] {
        for is_first in [true, false] {
            let mut raw = Raw::open(app.address).await;
            if !is_first {
                raw.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    .await;
                let answer = raw.read_until("ok\n").await;
                assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            }
            raw.send(&head).await;
            let refused = raw.read_to_end().await;
            assert!(
                refused.starts_with(&format!("HTTP/1.1 {status} ")),
                "{refused}"
            );
            let allowed = "\r\nAccess-Control-Allow-Origin: *\r\n\r\n";
            assert!(refused.ends_with(allowed), "first: {is_first}, {refused}");
        }
    }
}

#[tokio::test]
async fn pages_and_metrics_are_not_readable_from_other_origins() {
    let app = spawn_app().await;
    for path in [
        "/pets",
        "/live/doctor",
        "/live/doctor/",
        "/sign-in",
        "/metrics",
        "/api/docs",
        "/hello",
    ] {
        let answer = app.get(path).await;
        assert_eq!(
            header(answer.headers(), "access-control-allow-origin"),
            None,
            "{path}"
        );
    }
}
