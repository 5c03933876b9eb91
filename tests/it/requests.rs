//! Requests on every route: the Host header, and responses to HTTP/1.0.

mod base_path;

use crate::support::{Raw, ask, spawn_app};

#[tokio::test]
async fn an_invalid_host_is_400_on_every_route() {
    let app = spawn_app().await;
    for host in [
        "a b",
        "a,b",
        "a/b",
        "a?b",
        "a#b",
        "user@localhost",
        "a\\b",
        "<a>",
        "\"a\"",
        "a:b",
        "a:1:2",
        "a:65536",
        "a:-1",
        ":80",
        "[::1",
        "::1",
        "[::g]",
        "[]",
        "[::1]x",
        "[::1]:x",
        "a%zz",
        "a%",
        "caf\u{e9}",
        "",
    ] {
        for path in ["/pets", "/healthz", "/live/state", "/api/v1/pets"] {
            for version in ["1.0", "1.1"] {
                let request = format!("GET {path} HTTP/{version}\r\nHost: {host}\r\n\r\n");
                let answer = ask(app.address, &request).await;
                assert!(answer.contains(" 400 "), "{host:?} on {path}: {answer}");
            }
        }
    }
    for fields in ["", "Host: a\r\nHost: a\r\n", "Host: a\r\nHost: b\r\n"] {
        let answer = ask(app.address, &format!("GET /pets HTTP/1.1\r\n{fields}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{fields:?}: {answer}");
    }
}

#[tokio::test]
async fn every_valid_host_is_served() {
    let app = spawn_app().await;
    for host in [
        "localhost",
        "LOCALHOST:3000",
        "127.0.0.1",
        "[::1]:3000",
        "[fe80::1]",
        "[v1.a:b]",
        "pets.example.",
        "pets_of_anna.example",
        "xn--tirheim-b1a.example",
        "a%C3%A9",
        "a:",
        "a!$&'()*+;=~-",
    ] {
        for path in ["/pets", "/healthz"] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            let answer = ask(app.address, &request).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{host:?}: {answer}");
        }
    }
    let answer = ask(app.address, "GET /healthz HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200 "), "no Host: {answer}");
}

/// HTTP/1.0 has no chunks: a response without a length ends with its connection, which therefore cannot
/// be kept alive, even if the client asks for that.
#[tokio::test]
async fn an_http_1_0_stream_has_no_keep_alive_and_no_chunks() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let mut raw = Raw::open(app.address).await;
    raw.send("GET /live/sse HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        .await;
    let head = raw.read_until("}]}\n\n").await.to_lowercase();
    assert!(head.contains(" 200 "), "{head}");
    assert!(!head.contains("keep-alive"), "{head}");
    assert!(head.contains("connection: close"), "{head}");
    for field in ["transfer-encoding", "content-length"] {
        assert!(!head.contains(field), "{head}");
    }
    app.set_status(pet, "eating").await;
    let rest = raw.read_until("\"eating\"").await;
    for line in rest.lines() {
        let is_field = ["id:", "event:", "data:", "retry:"]
            .iter()
            .any(|field| line.starts_with(field));
        assert!(is_field || line.is_empty(), "no chunk size: {line:?}");
    }
}

#[tokio::test]
async fn an_http_1_0_response_of_known_length_keeps_its_connection() {
    let app = spawn_app().await;
    let mut raw = Raw::open(app.address).await;
    for _ in 0..2 {
        raw.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            .await;
        let answer = raw.read_until("ok\n").await.to_lowercase();
        assert!(answer.contains("connection: keep-alive"), "{answer}");
    }
}
