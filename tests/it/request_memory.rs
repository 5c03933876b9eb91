//! The memory budget of all unfinished requests and unread responses.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::support::{Raw, Rescue, Ws, ask, ask_until, metric, spawn_app_with, until};

/// How long to wait for a response that may not come.
const TIME: Duration = Duration::from_millis(300);

const REFUSED: &str = r#"petstore_connections_refused_total{reason="buffers"}"#;

const USED: &str = "petstore_request_buffer_bytes";

/// Number of pets whose list is longer than the buffers of the kernel, and fits into the budget of the tests.
const PETS: u32 = 1_500;

/// Requests the response that readers share.
const GET_SNAPSHOT: &str = "GET /live/state HTTP/1.1\r\nHost: x\r\n\r\n";

/// Edits in the long activity log.
const EDITS: usize = 90;

/// Number of pets whose snapshot is longer than the buffers of the kernel.
const PETS_OF_A_LONG_SNAPSHOT: u32 = 9_000;

/// A lower limit of the length of that snapshot.
const SNAPSHOT_BYTES: u64 = 9_000 * 60;

/// Returns a request with an incomplete body of `bytes`.
fn half_sent(bytes: usize) -> String {
    format!(
        "POST /api/v1/pets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: 65000\r\n\r\n{}",
        "x".repeat(bytes)
    )
}

/// A thousand unfinished bodies of 64 KiB used 289 MB.
#[tokio::test]
async fn unfinished_bodies_share_one_budget_and_free_it() {
    let app = spawn_app_with(|config| config.client_limits.request_memory_bytes = 700 * 1024).await;
    let mut held = Vec::new();
    for _ in 0..10 {
        let mut raw = Raw::open(app.address).await;
        raw.send(&half_sent(60_000)).await;
        held.push(raw);
    }
    let answers = answers_within(&mut held, "\"detail\"").await;
    assert!((3..10).contains(&answers.len()), "{}", answers.len());
    for answer in &answers {
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        let answer = answer.to_lowercase();
        assert!(answer.contains("retry-after: "), "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
    }
    drop(held);
    until("memory to be free", async || {
        let fields = json!({ "name": "Miso", "species": "cat", "about": "x".repeat(1000) });
        app.send("POST", "/pets", &fields).await.status() == 201
    })
    .await;
    assert!(metric(&app, REFUSED).await > 0);
}

#[tokio::test]
async fn unfinished_heads_are_part_of_the_budget() {
    let app = spawn_app_with(|config| config.client_limits.request_memory_bytes = 512 * 1024).await;
    let mut held = Vec::new();
    for _ in 0..10 {
        let mut raw = Raw::open(app.address).await;
        let long = "x".repeat(50_000);
        raw.send(&format!("GET /pets HTTP/1.1\r\nHost: x\r\nX: {long}"))
            .await;
        held.push(raw);
    }
    let refusals = answers_within(&mut held, "Try again").await;
    assert!((2..10).contains(&refusals.len()), "{}", refusals.len());
    for answer in &refusals {
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains("Retry-After: "), "{answer}");
    }
}

#[tokio::test]
async fn one_address_uses_a_quarter_of_the_budget_and_others_are_served() {
    let app = spawn_app_with(|config| {
        config.client_limits.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.client_limits.request_memory_bytes = 1024 * 1024;
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
    assert_eq!(
        raw.try_read_until("HTTP/1.1", TIME).await,
        None,
        "the request is accepted"
    );
}

/// A connection uses memory even if it sends nothing.
#[tokio::test]
async fn connections_without_a_request_are_part_of_the_budget() {
    let app = spawn_app_with(|config| config.client_limits.request_memory_bytes = 256 * 1024).await;
    let mut held = Vec::new();
    for _ in 0..12 {
        held.push(Raw::open(app.address).await);
    }
    let refusals = answers_within(&mut held, "Try again").await;
    assert!((1..12).contains(&refusals.len()), "{}", refusals.len());
    for answer in &refusals {
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    }
    held.clear();
    until("memory to be free", async || {
        let answer = ask(app.address, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
        answer.starts_with("HTTP/1.1 200 ")
    })
    .await;
}

#[tokio::test]
async fn unfinished_websocket_messages_are_part_of_the_budget() {
    let app = spawn_app_with(|config| config.client_limits.request_memory_bytes = 160 * 1024).await;
    let mut held = Vec::new();
    while held.len() < 40 {
        held.extend(Ws::try_open(&app.url(""), "/live/ws", &[]).await.ok());
    }
    // A masked text frame of 4,000 bytes, of which the last is missing.
    let frame = [&[0x81, 0xFE, 0x0F, 0xA0, 0, 0, 0, 0][..], &[b'x'; 3999]].concat();
    for ws in &mut held {
        ws.socket.get_mut().write_all(&frame).await.unwrap();
    }
    join_all(held.iter_mut().map(async |ws| {
        while timeout(TIME, ws.try_next())
            .await
            .is_ok_and(|next| next.is_some())
        {}
    }))
    .await;
    let closed = held.iter().filter_map(|ws| ws.closed.map(u16::from));
    let closed: Vec<u16> = closed.collect();
    assert!((1..held.len()).contains(&closed.len()), "{closed:?}");
    assert!(closed.iter().all(|code| *code == 1013), "{closed:?}");
    drop(held);
    // A refused connection is answered before the request, which the client may report as an error.
    until("memory to be free", async || {
        let answer = app.request("GET", "/metrics").send().await;
        answer.is_ok_and(|answer| answer.status() == 200)
    })
    .await;
    assert!(metric(&app, REFUSED).await > 0);
}

/// Returns the responses that contain `end` within `TIME`.
async fn answers_within(held: &mut [Raw], end: &str) -> Vec<String> {
    let reading = held.iter_mut().map(|raw| raw.try_read_until(end, TIME));
    join_all(reading).await.into_iter().flatten().collect()
}

/// Sends `request` on `count` connections, and reads nothing of the responses but their heads.
async fn take_heads(address: SocketAddr, request: &str, count: usize) -> Vec<(Raw, String)> {
    let mut held = Vec::new();
    for _ in 0..count {
        let mut raw = Raw::open_narrow(address);
        raw.send(request).await;
        let head = raw.read_until("\r\n\r\n").await;
        held.push((raw, head));
    }
    held
}

/// Starts a rescue whose activity log is long: a page that readers do not share. Returns it with a request
/// for the page, and the length of the page.
async fn rescue_with_long_log(budget: usize) -> (Rescue, String, u64) {
    let rescue =
        Rescue::start_with(|config| config.client_limits.request_memory_bytes = budget).await;
    let mut anna = rescue.signed_in("anna").await;
    // Each of these is six characters in a page.
    let long = "/".repeat(78);
    let write = &rescue.tokens[2];
    let pet = json!({ "name": long, "species": "cat" });
    let request = rescue.bearing(write, "POST", "/api/v1/pets").json(&pet);
    assert_eq!(request.send().await.unwrap().status(), 201);
    // Sequentially, because each connection is part of the budget.
    for edit in 0..EDITS {
        let text = format!("{long}{edit}");
        let fields = json!({ "breed": text, "species": &text[40..], "name": text });
        let request = rescue
            .bearing(write, "PATCH", "/api/v1/pets/1")
            .json(&fields);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let length = anna.get("/audit").await.len() as u64;
    let (address, cookie) = (rescue.app.address, anna.cookie.clone().unwrap());
    let request = format!("GET /audit HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\n\r\n");
    (rescue, request, length)
}

/// 80 readers that read nothing of a page of 1 MB ended a server with 96 MiB of memory.
#[tokio::test]
async fn unread_responses_are_part_of_the_budget_and_free_it() {
    let budget = 2 * 1024 * 1024;
    let (rescue, request, length) = rescue_with_long_log(budget).await;
    let app = &rescue.app;
    let held = take_heads(app.address, &request, 20).await;
    let is_refused = |head: &str| head.starts_with("HTTP/1.1 503 ");
    let (refused, sent): (Vec<_>, Vec<_>) = held.iter().partition(|(_, head)| is_refused(head));
    let counts = (refused.len(), sent.len());
    assert!(counts.0 > 3 && counts.1 > 1, "{counts:?} of {length} bytes");
    for (_, head) in refused {
        assert!(head.to_lowercase().contains("retry-after: "), "{head}");
    }
    drop(held);
    until("memory to be free", async || {
        metric(app, USED).await < 200_000
    })
    .await;
    assert!(metric(app, REFUSED).await > 0);
    let answer = ask(app.address, &request).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn bytes_that_readers_share_are_in_the_budget_once() {
    let app = spawn_app_with(|config| {
        config.simulator.sample_pets = PETS;
        config.client_limits.request_memory_bytes = 2 * 1024 * 1024;
    })
    .await;
    let board = ask_until(app.address, GET_SNAPSHOT, "]}").await;
    let (length, readers) = (board.len() as u64, 25);
    let held = take_heads(app.address, GET_SNAPSHOT, readers).await;
    for (_, head) in &held {
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains("content-length: "), "{head}");
    }
    let bytes = metric(&app, USED).await;
    // Each connection, with its own part of the page, and the request for the metrics.
    let connections = readers as u64 + 1;
    let least = (connections * 24 + 30) * 1024;
    let most = (connections * 32 + 30) * 1024;
    assert!(bytes < most + length, "{bytes}, {length} each");
    assert!(bytes > least + length / 4, "{bytes}, {length} each");
}

#[tokio::test]
async fn of_pipelined_requests_one_response_is_in_memory() {
    let (rescue, request, length) = rescue_with_long_log(8 * 1024 * 1024).await;
    let app = &rescue.app;
    let mut held = take_heads(app.address, &request.repeat(8), 1).await;
    let bytes = metric(app, USED).await;
    // The connection and that of the metrics, and their requests.
    let connections = 2 * (24 + 30) * 1024;
    assert!(
        (connections + length / 2..connections + 2 * length).contains(&bytes),
        "{bytes}, {length} each"
    );
    for _ in 0..8 {
        let page = held[0].0.read_until("</html>").await;
        assert!(page.contains("</html>"));
    }
}

#[tokio::test]
async fn a_page_that_is_not_read_is_dropped_after_the_write_timeout() {
    let app = spawn_app_with(|config| {
        config.simulator.sample_pets = PETS;
        config.timeouts.write = Duration::from_millis(300);
    })
    .await;
    let held = take_heads(app.address, GET_SNAPSHOT, 3).await;
    let dropped = r#"petstore_viewers_dropped_total{reason="write-timeout"}"#;
    until("all viewers to be dropped", async || {
        metric(&app, dropped).await == 3
    })
    .await;
    until("memory to be free", async || {
        metric(&app, USED).await < 200_000
    })
    .await;
    drop(held);
}

/// Regression: the first messages of a viewer were not counted. Thousands of viewers that read nothing
/// held megabytes outside of the budget.
#[tokio::test]
async fn a_snapshot_that_viewers_do_not_read_is_in_the_budget_once() {
    let app = spawn_app_with(|config| {
        config.simulator.sample_pets = PETS_OF_A_LONG_SNAPSHOT;
        config.client_limits.request_memory_bytes = 16 * 1024 * 1024;
    })
    .await;
    let idle = metric(&app, USED).await;
    let held = take_heads(app.address, "GET /live/sse HTTP/1.1\r\nHost: x\r\n\r\n", 5).await;
    until("the snapshot to be in the budget", async || {
        metric(&app, USED).await > idle + SNAPSHOT_BYTES
    })
    .await;
    assert!(metric(&app, USED).await < idle + 3 * SNAPSHOT_BYTES);
    drop(held);
    until("memory to be free", async || {
        metric(&app, USED).await < idle + 100_000
    })
    .await;
}
