//! The one budget for the memory of all unfinished requests, and what is answered beyond it.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::support::{Raw, Ws, ask, metric, spawn_app_with, until};

/// How long an answer is waited for that need not come.
const TIME: Duration = Duration::from_millis(300);

const REFUSED: &str = r#"petstore_connections_refused_total{reason="buffers"}"#;

/// A request of which everything but a little of the body came.
fn half_sent(bytes: usize) -> String {
    format!(
        "POST /api/v1/pets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: 65000\r\n\r\n{}",
        "x".repeat(bytes)
    )
}

/// A thousand bodies of 64 KiB that were never finished once took 289 MB.
#[tokio::test]
async fn unfinished_bodies_have_one_budget_together_and_give_it_back() {
    let app = spawn_app_with(|config| config.limits.request_buffers = 700 * 1024).await;
    let mut held = Vec::new();
    for _ in 0..10 {
        let mut raw = Raw::open(app.address).await;
        raw.send(&half_sent(60_000)).await;
        held.push(raw);
    }
    let mut answers = Vec::new();
    for raw in &mut held {
        if let Some(answer) = raw.try_read_until("\"detail\"", TIME).await {
            answers.push(answer);
        }
    }
    assert!((3..10).contains(&answers.len()), "{}", answers.len());
    for answer in &answers {
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        let answer = answer.to_lowercase();
        assert!(answer.contains("retry-after: "), "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
    }
    drop(held);
    until("room again", async || {
        let fields = json!({ "name": "Miso", "species": "cat", "about": "x".repeat(1000) });
        app.send("POST", "/pets", &fields).await.status() == 201
    })
    .await;
    assert!(metric(&app, REFUSED).await > 0);
}

#[tokio::test]
async fn unfinished_heads_are_part_of_the_budget() {
    let app = spawn_app_with(|config| config.limits.request_buffers = 512 * 1024).await;
    let mut held = Vec::new();
    for _ in 0..10 {
        let mut raw = Raw::open(app.address).await;
        let long = "x".repeat(50_000);
        raw.send(&format!("GET /pets HTTP/1.1\r\nHost: x\r\nX: {long}"))
            .await;
        held.push(raw);
    }
    let mut refused = 0;
    for raw in &mut held {
        let answer = raw.try_read_until("Try again", TIME).await;
        if let Some(answer) = answer {
            assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
            assert!(answer.contains("Retry-After: "), "{answer}");
            refused += 1;
        }
    }
    assert!((2..10).contains(&refused), "{refused}");
}

#[tokio::test]
async fn one_address_holds_a_quarter_of_the_budget_and_others_are_served() {
    let app = spawn_app_with(|config| {
        config.limits.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.limits.request_buffers = 1024 * 1024;
    })
    .await;
    let from = |address: &str, body: &str| {
        let head = "POST /api/v1/pets HTTP/1.1\r\nHost: x\r\n";
        format!("{head}X-Forwarded-For: {address}\r\nContent-Length: 65000\r\n\r\n{body}")
    };
    let body = "x".repeat(60_000);
    let mut held = Vec::new();
    for _ in 0..5 {
        let mut raw = Raw::open(app.address).await;
        raw.send(&from("203.0.113.9", &body)).await;
        held.push(raw);
    }
    until("a refusal", async || metric(&app, REFUSED).await > 0).await;
    let mut raw = Raw::open(app.address).await;
    raw.send(&from("198.51.100.1", &body)).await;
    assert_eq!(raw.try_read_until("HTTP/1.1", TIME).await, None, "it waits");
}

/// Every connection takes memory, also one that says nothing.
#[tokio::test]
async fn connections_without_a_request_are_part_of_the_budget() {
    let app = spawn_app_with(|config| config.limits.request_buffers = 256 * 1024).await;
    let mut held = Vec::new();
    for _ in 0..12 {
        held.push(Raw::open(app.address).await);
    }
    let mut refused = 0;
    for raw in &mut held {
        if let Some(answer) = raw.try_read_until("Try again", TIME).await {
            assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
            refused += 1;
        }
    }
    assert!((1..12).contains(&refused), "{refused}");
    held.clear();
    until("a place again", async || {
        let answer = ask(app.address, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
        answer.starts_with("HTTP/1.1 200 ")
    })
    .await;
}

#[tokio::test]
async fn unfinished_messages_over_a_socket_are_part_of_the_budget() {
    let app = spawn_app_with(|config| config.limits.request_buffers = 160 * 1024).await;
    let mut held = Vec::new();
    while held.len() < 40 {
        held.extend(Ws::try_open(&app.url(""), "/live/ws", &[]).await.ok());
    }
    // A masked text frame of 4,000 bytes, of which the last is missing.
    let frame = [&[0x81, 0xFE, 0x0F, 0xA0, 0, 0, 0, 0][..], &[b'x'; 3999]].concat();
    for ws in &mut held {
        ws.socket.get_mut().write_all(&frame).await.unwrap();
    }
    let mut closed = Vec::new();
    for ws in &mut held {
        while tokio::time::timeout(TIME, ws.try_next())
            .await
            .is_ok_and(|next| next.is_some())
        {}
        closed.extend(ws.closed.map(u16::from));
    }
    assert!((1..held.len()).contains(&closed.len()), "{closed:?}");
    assert!(closed.iter().all(|code| *code == 1013), "{closed:?}");
    drop(held);
    until("room again", async || {
        app.get("/metrics").await.status() == 200
    })
    .await;
    assert!(metric(&app, REFUSED).await > 0);
}
