//! Security headers of every kind of answer.

use data_encoding::BASE64;
use reqwest::Response;
use sha2::{Digest, Sha256};

use crate::support::{TestApp, ask, spawn_app};

pub async fn answers(app: &TestApp) -> Vec<Response> {
    let mut answers = Vec::new();
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/pets"),
        ("GET", "/pets/1"),
        ("GET", "/pets/99"),
        ("GET", "/nothing"),
        ("PUT", "/pets"),
        ("OPTIONS", "/pets"),
        ("POST", "/pets"),
        ("GET", "/live/sse"),
        ("GET", "/live/poll?wait=0"),
        ("GET", "/live/state"),
        ("GET", "/live/state?since=x"),
        ("GET", "/live/ws"),
        ("GET", "/live/doctor"),
        ("GET", "/api/v1/pets"),
        ("GET", "/api/v1/pets/99"),
        ("POST", "/api/v1/pets"),
        ("PUT", "/api/v1/pets"),
        ("GET", "/api/openapi.json"),
        ("GET", "/api/docs"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/manifest.webmanifest"),
        ("GET", "/offline"),
    ] {
        answers.push(app.request(method, path).send().await.unwrap());
    }
    let too_long = app.request("POST", "/pets").body("x".repeat(70_000));
    answers.push(too_long.send().await.unwrap());
    answers
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    for answer in answers(&app).await {
        let (status, url) = (answer.status(), answer.url().path().to_owned());
        assert!(status.as_u16() < 500, "{status} {url}");
        let header = |name: &str| {
            let value = answer.headers().get(name);
            let value = value.unwrap_or_else(|| panic!("no {name}: {status} {url}"));
            value.to_str().unwrap().to_owned()
        };
        assert_eq!(header("x-content-type-options"), "nosniff");
        let policy = header("content-security-policy");
        let content_type = answer.headers().get("content-type");
        if content_type.is_some_and(|value| !value.as_bytes().starts_with(b"text/html")) {
            assert_eq!(
                policy, "default-src 'none'; frame-ancestors 'none'",
                "{url}"
            );
            continue;
        }
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "img-src 'self' data:;",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(rule), "{status} {url}");
        }
        assert!(
            !policy.contains("unsafe") && !policy.contains('*'),
            "{policy}"
        );
        assert_eq!(header("referrer-policy"), "same-origin");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
    }
}

/// The policy allows the one inline script by its hash.
#[tokio::test]
async fn the_only_inline_script_is_the_one_that_the_policy_allows() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    for path in ["/pets", "/pets/1", "/hello", "/live/doctor", "/nothing"] {
        let response = app.get(path).await;
        let policy = response.headers()["content-security-policy"].clone();
        let page = response.text().await.unwrap();
        let scripts: Vec<&str> = page.split("<script>").skip(1).collect();
        assert_eq!(scripts.len(), 1, "{path}");
        let (script, _) = scripts[0].split_once("</script>").unwrap();
        let hash = BASE64.encode(&Sha256::digest(script));
        let rule = format!("script-src 'self' 'sha256-{hash}';");
        assert!(
            policy.to_str().unwrap().contains(&rule),
            "{path} {policy:?}"
        );
        assert!(
            !page.contains(" onload=") && !page.contains("style="),
            "{path}"
        );
    }
}

#[tokio::test]
async fn pages_are_revalidated_and_may_enter_the_back_forward_cache() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    for path in ["/pets", "/pets/1", "/pets/new", "/hello", "/live/doctor"] {
        let answer = app.get(path).await;
        assert_eq!(answer.headers()["cache-control"], "no-cache", "{path}");
    }
    for path in ["/nothing", "/"] {
        let answer = app.get(path).await;
        assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
    }
}

#[tokio::test]
async fn an_accepted_handshake_has_the_security_headers_too() {
    let app = spawn_app().await;
    let answer = ask(
        app.address,
        "GET /live/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    let head = answer.to_ascii_lowercase();
    assert!(head.contains("x-content-type-options: nosniff"), "{answer}");
}
