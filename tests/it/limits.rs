//! What one visitor may take, and that each limit is answered by its name.

use std::time::Duration;

use futures_util::future::join_all;
use pet_store::limits::Quota;
use reqwest::Response;
use serde_json::json;
use tokio::time::Instant;

use crate::support::{Raw, Sse, TestApp, Ws, ask, metric, spawn_app, spawn_app_with};

const TIME: Duration = Duration::from_millis(300);

/// An app behind a proxy on this machine, where an address may have two connections and write
/// twice at once.
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

/// Writes for each of `addresses` at once, and gives the answers. However slow the disk is, they
/// are let through or refused in the same moment.
async fn write_at_once(app: &TestApp, addresses: &[&str]) -> Vec<Response> {
    join_all(addresses.iter().map(|address| write(app, address))).await
}

/// Those of the answers that are `status`.
fn having(answers: Vec<Response>, status: u16) -> Vec<Response> {
    let is_such = |answer: &Response| answer.status() == status;
    answers.into_iter().filter(is_such).collect()
}

/// Of so many at once two are let through, and one for each second that the machine takes.
const AT_ONCE: usize = 20;

#[tokio::test]
async fn one_who_writes_too_often_is_told_when_to_come_back_and_others_write() {
    let app = behind_a_proxy().await;
    let own = write_at_once(&app, &["203.0.113.9"; AT_ONCE]).await;
    let refused = having(own, 429);
    assert!((AT_ONCE / 2..=AT_ONCE - 2).contains(&refused.len()));
    for answer in &refused {
        let seconds = answer.headers()["retry-after"].to_str().unwrap();
        assert!((1..=2).contains(&seconds.parse::<u32>().unwrap()));
    }
    // What it wrote in front of the proxy's own entry does not make it somebody else.
    let forged = (1..=AT_ONCE).map(|number| format!("198.51.100.{number}, 203.0.113.9"));
    let forged: Vec<String> = forged.collect();
    let forged: Vec<&str> = forged.iter().map(String::as_str).collect();
    let as_others = having(write_at_once(&app, &forged).await, 429);
    assert!(as_others.len() >= AT_ONCE / 2, "{}", as_others.len());
    // One of them may have the same place in the meter, by chance.
    let others = ["198.51.100.1", "198.51.100.2", "198.51.100.3"];
    assert!(!having(write_at_once(&app, &others).await, 201).is_empty());
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
    let forged: Vec<String> = (0..AT_ONCE)
        .map(|last| format!("203.0.113.{last}"))
        .collect();
    let forged: Vec<&str> = forged.iter().map(String::as_str).collect();
    let refused = having(write_at_once(&app, &forged).await, 429);
    assert!((AT_ONCE / 2..=AT_ONCE - 2).contains(&refused.len()));
}

#[tokio::test]
async fn commands_over_a_socket_count_as_writes() {
    let app = behind_a_proxy().await;
    let pet = app.add_pet("Biscuit").await;
    let from = [("x-forwarded-for", "203.0.113.9")];
    let mut ws = Ws::try_open(&app.url(""), "/live/ws", &from).await.unwrap();
    let command = json!({ "do": "set-status", "pet": pet, "status": "eating", "ref": "r" });
    for _ in 0..AT_ONCE {
        ws.send(command.to_string()).await;
    }
    let mut refused = 0;
    for turn in 0..AT_ONCE {
        let answer = ws.answer().await;
        assert_eq!(answer["ref"], "r");
        if answer["type"] == "ack" {
            continue;
        }
        assert!(turn >= 2, "the first two are made: {answer}");
        assert_eq!(answer["status"], 429);
        refused += 1;
    }
    assert!(refused >= AT_ONCE / 2, "{refused}");
}

#[tokio::test]
async fn one_address_has_so_many_viewers_and_another_has_its_own() {
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
async fn a_header_that_a_visitor_adds_gets_them_out_of_no_limit() {
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
async fn one_address_has_so_many_connections() {
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
async fn a_head_that_is_begun_has_its_time_and_is_told_so() {
    let app = spawn_app_with(|config| config.timeouts.head = TIME).await;
    for part in ["G", "GET /pets HTTP/1.1\r\nHost: x\r\n"] {
        let answer = ask(app.address, part).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{part:?}: {answer}");
    }
    // Also on a connection that was of use before.
    let mut raw = Raw::open(app.address).await;
    raw.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    raw.read_until("ok\n").await;
    raw.send("GET").await;
    assert!(raw.read_to_end().await.starts_with("HTTP/1.1 408 "));
}

/// The head's time once closed idle connections, and browsers paid for a new one after 10 s.
#[tokio::test]
async fn a_connection_may_be_idle_for_longer_than_a_head_may_take_and_not_for_ever() {
    let app = spawn_app_with(|config| {
        config.timeouts.head = TIME;
        config.timeouts.idle = 4 * TIME;
    })
    .await;
    let mut raw = Raw::open(app.address).await;
    let before = Instant::now();
    raw.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    raw.read_until("ok\n").await;
    assert_eq!(raw.read_to_end().await, "", "closed without a word");
    assert!(before.elapsed() > 3 * TIME, "{:?}", before.elapsed());
}

#[tokio::test]
async fn what_never_says_anything_is_not_idle() {
    let app = spawn_app_with(|config| {
        config.timeouts.head = TIME;
        config.timeouts.idle = Duration::from_hours(1);
    })
    .await;
    assert_eq!(Raw::open(app.address).await.read_to_end().await, "");
}

#[tokio::test]
async fn an_answer_that_takes_long_is_not_idleness() {
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
    assert_eq!(ws.next().await["status"], "eating", "they live on");
}

#[tokio::test]
async fn a_body_has_its_time_and_its_size() {
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
async fn a_longer_command_and_more_of_them_are_refused_by_name() {
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

/// Viewers may fill their places, and a form still comes through.
#[tokio::test]
async fn what_viewers_leave_free_is_for_everyone_else() {
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
async fn no_answer_tells_where_the_server_lives_or_what_it_is_made_of() {
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
