//! Limits per client and per request, and the answers that name them.

use std::time::Duration;

use futures_util::future::join_all;
use pet_store::limits::Quota;
use reqwest::Response;
use serde_json::json;
use tokio::time::Instant;

use crate::support::{Raw, Sse, TestApp, Ws, ask, metric, spawn_app, spawn_app_with};

const TIME: Duration = Duration::from_millis(300);

/// Starts an app behind a trusted proxy on this machine, with two connections per address and bursts of
/// two writes.
async fn behind_a_proxy() -> TestApp {
    spawn_app_with(|config| {
        let own = "127.0.0.0/8".parse().unwrap();
        config.client_limits.trusted_proxies = vec![own];
        config.client_limits.connections_per_address.limit = 2;
        config.client_limits.writes_per_second.limit = 1;
    })
    .await
}

async fn write(app: &TestApp, address: &str) -> Response {
    let request = app.request("POST", "/api/v1/pets");
    let request = request.header("x-forwarded-for", address);
    let fields = json!({ "name": "Miso", "species": "cat" });
    request.json(&fields).send().await.unwrap()
}

/// Writes for all `addresses` concurrently, so that the limit applies to all at the same time, however
/// slow the disk is.
async fn write_concurrently(app: &TestApp, addresses: &[&str]) -> Vec<Response> {
    join_all(addresses.iter().map(|address| write(app, address))).await
}

/// Returns the responses with this status.
fn with_status(answers: Vec<Response>, status: u16) -> Vec<Response> {
    let is_such = |answer: &Response| answer.status() == status;
    answers.into_iter().filter(is_such).collect()
}

/// Concurrent writes: two of them are accepted, and one more per second that the machine needs.
const WRITES: usize = 20;

#[tokio::test]
async fn a_client_that_writes_too_often_gets_429_with_retry_after_and_others_can_write() {
    let app = behind_a_proxy().await;
    let own = write_concurrently(&app, &["203.0.113.9"; WRITES]).await;
    let refused = with_status(own, 429);
    assert!((WRITES / 2..=WRITES - 2).contains(&refused.len()));
    for answer in &refused {
        let seconds = answer.headers()["retry-after"].to_str().unwrap();
        assert!((1..=2).contains(&seconds.parse::<u32>().unwrap()));
    }
    // Entries to the left of the proxy's own entry do not make it another client.
    let forged = (1..=WRITES).map(|number| format!("198.51.100.{number}, 203.0.113.9"));
    let forged: Vec<String> = forged.collect();
    let forged: Vec<&str> = forged.iter().map(String::as_str).collect();
    let as_others = with_status(write_concurrently(&app, &forged).await, 429);
    assert!(as_others.len() >= WRITES / 2, "{}", as_others.len());
    // One of them may share the token bucket, by chance.
    let others = ["198.51.100.1", "198.51.100.2", "198.51.100.3"];
    assert!(!with_status(write_concurrently(&app, &others).await, 201).is_empty());
    let series = r#"petstore_connections_refused_total{reason="writes"}"#;
    let counted = metric(&app, series).await;
    let told = (refused.len() + as_others.len()) as u64;
    assert!((told..=told + 2).contains(&counted), "{counted} and {told}");
}

#[tokio::test]
async fn a_forged_address_changes_nothing_without_a_trusted_proxy() {
    let app = spawn_app_with(|config| {
        config.client_limits.writes_per_second = Quota {
            limit: 1,
            includes_loopback: true,
        };
    })
    .await;
    let forged: Vec<String> = (0..WRITES)
        .map(|last| format!("203.0.113.{last}"))
        .collect();
    let forged: Vec<&str> = forged.iter().map(String::as_str).collect();
    let refused = with_status(write_concurrently(&app, &forged).await, 429);
    assert!((WRITES / 2..=WRITES - 2).contains(&refused.len()));
}

#[tokio::test]
async fn commands_over_websocket_count_as_writes() {
    let app = behind_a_proxy().await;
    let pet = app.add_pet("Biscuit").await;
    let from = [("x-forwarded-for", "203.0.113.9")];
    let mut ws = Ws::try_open(&app.url(""), "/live/ws", &from).await.unwrap();
    let command = json!({ "do": "set-status", "pet": pet, "status": "eating", "ref": "r" });
    for _ in 0..WRITES {
        ws.send(command.to_string()).await;
    }
    let mut refused = 0;
    for turn in 0..WRITES {
        let answer = ws.answer().await;
        assert_eq!(answer["ref"], "r");
        if answer["type"] == "ack" {
            continue;
        }
        assert!(turn >= 2, "the first two are made: {answer}");
        assert_eq!(answer["status"], 429);
        refused += 1;
    }
    assert!(refused >= WRITES / 2, "{refused}");
}

#[tokio::test]
async fn viewers_are_limited_per_address() {
    let app = behind_a_proxy().await;
    let open = async |address: &str| {
        let from = [("x-forwarded-for", address)];
        Ws::try_open(&app.url(""), "/live/ws", &from).await
    };
    let first = open("2001:db8::1").await.ok().unwrap();
    let second = open("2001:db8::2").await.ok().unwrap();
    assert_eq!(open("2001:db8::3").await.err(), Some(Some(503)));
    let other = open("2001:db8:0:1::1").await;
    assert!(other.is_ok(), "another /64");
    drop((first, second));
}

#[tokio::test]
async fn a_forged_forwarding_header_evades_no_limit() {
    let app = behind_a_proxy().await;
    let open = async || {
        let from = [
            ("x-forwarded-for", "203.0.113.9"),
            ("forwarded", "for=198.51.100.1"),
        ];
        Ws::try_open(&app.url(""), "/live/ws", &from).await
    };
    let (first, second) = (open().await, open().await);
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(open().await.err(), Some(Some(503)));
}

#[tokio::test]
async fn connections_are_limited_per_address() {
    let app = spawn_app_with(|config| {
        config.client_limits.connections_per_address = Quota {
            limit: 2,
            includes_loopback: true,
        };
    })
    .await;
    let mut first = Raw::open(app.address).await;
    first.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    first.read_until("ok\n").await;
    let _second = Raw::open(app.address).await;
    let answer = Raw::open(app.address).await.read_to_end().await;
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("Retry-After"),
        "{answer}"
    );
    assert!(answer.contains("from your address"), "{answer}");
}

#[tokio::test]
async fn an_incomplete_head_times_out_with_408() {
    let app = spawn_app_with(|config| config.timeouts.head = TIME).await;
    for part in ["G", "GET /pets HTTP/1.1\r\nHost: x\r\n"] {
        let answer = ask(app.address, part).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{part:?}: {answer}");
    }
    // Also for a later request of a connection.
    let mut raw = Raw::open(app.address).await;
    raw.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    raw.read_until("ok\n").await;
    raw.send("GET").await;
    assert!(raw.read_to_end().await.starts_with("HTTP/1.1 408 "));
}

/// The head timeout closed idle connections too, so browsers had to reconnect after 10 s.
#[tokio::test]
async fn an_idle_connection_is_closed_after_the_idle_timeout_not_the_head_timeout() {
    let app = spawn_app_with(|config| {
        config.timeouts.head = TIME;
        config.timeouts.idle = 4 * TIME;
    })
    .await;
    let mut raw = Raw::open(app.address).await;
    let before = Instant::now();
    raw.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    raw.read_until("ok\n").await;
    assert_eq!(raw.read_to_end().await, "", "closed without a response");
    assert!(before.elapsed() > 3 * TIME, "{:?}", before.elapsed());
}

#[tokio::test]
async fn a_connection_that_sends_nothing_has_the_head_timeout() {
    let app = spawn_app_with(|config| {
        config.timeouts.head = TIME;
        config.timeouts.idle = Duration::from_hours(1);
    })
    .await;
    assert_eq!(Raw::open(app.address).await.read_to_end().await, "");
}

#[tokio::test]
async fn waiting_for_a_response_is_not_idle() {
    let app = spawn_app_with(|config| {
        config.timeouts.head = TIME;
        config.timeouts.idle = TIME;
    })
    .await;
    app.add_pet("Biscuit").await;
    let since = app.cursor().await;
    let answer = app.get(&format!("/live/poll?wait=1&since={since}")).await;
    assert_eq!(answer.status(), 200);
    let mut sse = Sse::open(&app.url(""), "").await;
    let mut ws = Ws::open(&app.url(""), "").await;
    app.get(&format!("/live/poll?wait=1&since={since}")).await;
    app.set_status(1, "eating").await;
    for message in [sse.next().await, ws.next().await] {
        assert_eq!(message["type"], "hello");
    }
    ws.next().await;
    assert_eq!(
        ws.next().await["status"],
        "eating",
        "viewers stay connected"
    );
}

#[tokio::test]
async fn a_body_has_a_timeout_and_a_maximum_size() {
    let app = spawn_app_with(|config| {
        config.timeouts.body = TIME;
        config.size_limits.body_bytes = 2000;
    })
    .await;
    let head = "POST /api/v1/pets HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf";
    assert!(ask(app.address, head).await.starts_with("HTTP/1.1 408 "));
    let fields = json!({ "name": "Miso", "species": "cat", "about": "x".repeat(1990) });
    assert_eq!(app.send("POST", "/pets", &fields).await.status(), 413);
}

#[tokio::test]
async fn a_long_message_is_refused_and_too_many_messages_close_the_viewer() {
    let app = spawn_app_with(|config| {
        config.size_limits.message_bytes = 100;
        config.live.messages_per_second = 5;
    })
    .await;
    let mut ws = Ws::open(&app.url(""), "").await;
    ws.send("x".repeat(101)).await;
    let error = ws.answer().await;
    assert_eq!(error["status"], 413);
    assert!(
        error["detail"].as_str().unwrap().contains("100 bytes"),
        "{error}"
    );
    let mut ws = Ws::open(&app.url(""), "").await;
    for _ in 0..20 {
        if ws.try_send(r#"{"do":"feed"}"#.to_owned()).await.is_none() {
            break;
        }
    }
    while ws.try_next().await.is_some() {}
    assert_eq!(ws.closed.map(u16::from), Some(1008));
    let floods = metric(&app, r#"petstore_viewers_dropped_total{reason="flood"}"#).await;
    assert_eq!(floods, 1);
}

/// A form is accepted while all slots of viewers are taken.
#[tokio::test]
async fn pages_have_connections_beside_the_viewers() {
    let app = spawn_app_with(|config| {
        config.max_connections = 4;
        config.live.max_viewers = 2;
    })
    .await;
    let pet = app.add_pet("Biscuit").await;
    let _viewers = [
        Sse::open(&app.url(""), "").await,
        Sse::open(&app.url(""), "").await,
    ];
    assert!(Sse::try_open(&app.url(""), "", None).await.is_none());
    let form = app
        .post_form(&format!("/pets/{pet}/status"), &[("status", "eating")])
        .await;
    assert_eq!(form.status(), 303);
}

#[tokio::test]
async fn no_response_reveals_paths_or_libraries_of_the_server() {
    let app = spawn_app().await;
    for (method, path) in [
        ("GET", "/pets"),
        ("GET", "/assets/x/nothing.js"),
        ("GET", "/assets/x/..%2f..%2fCargo.toml"),
        ("GET", "/pets/%ff"),
        ("GET", "/live/state?since=x"),
        ("POST", "/api/v1/pets"),
        ("PUT", "/nothing"),
    ] {
        let answer = app.request(method, path).send().await.unwrap();
        for name in ["server", "x-powered-by", "via"] {
            assert!(!answer.headers().contains_key(name), "{name} on {path}");
        }
        let body = answer.text().await.unwrap();
        for word in [
            env!("CARGO_MANIFEST_DIR"),
            "/tmp",
            ".rs",
            "poem",
            "hyper",
            "panick",
        ] {
            assert!(!body.contains(word), "{word} on {path}: {body}");
        }
    }
}
