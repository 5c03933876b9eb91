//! Polls that wait on a delivery worker: their sockets leave HTTP, and come back for the next request.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Raw, TestApp, metric, spawn_app, spawn_app_with, until};

const WAITING: &str = r#"petstore_viewers{transport="poll"}"#;

async fn until_waiting(app: &TestApp, count: u64) {
    until("the polls to wait", async || {
        metric(app, WAITING).await == count
    })
    .await;
}

fn request(since: &str, rest: &str) -> String {
    format!("GET /live/poll?wait=20&since={since}{rest} HTTP/1.1\r\nHost: x\r\n\r\n")
}

/// Reads one answer. Returns its head, and its body.
async fn answer(raw: &mut Raw) -> (String, Value) {
    let head = raw.read_until("\r\n\r\n").await;
    let (head, mut body) = head.split_once("\r\n\r\n").map_or_else(
        || panic!("no answer: {head:?}"),
        |(head, body)| (head.to_owned(), body.to_owned()),
    );
    if !body.ends_with("]}") {
        body.push_str(&raw.read_until("]}").await);
    }
    let body: Value = serde_json::from_str(&body).unwrap();
    (head, body)
}

#[tokio::test]
async fn one_socket_serves_poll_after_poll_and_other_requests_between() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let mut cursor = app.cursor().await;
    let mut raw = Raw::open(app.address).await;
    let mut ids = BTreeSet::new();
    for turn in 0..10 {
        raw.send(&request(&cursor, "")).await;
        until_waiting(&app, 1).await;
        let status = ["eating", "bathing", "sleeping", "playing"][turn % 4];
        let changed = app.set_status(pet, status).await;
        let (head, body) = answer(&mut raw).await;
        assert_eq!(body["cursor"], changed, "{body}");
        assert_eq!(body["messages"][1]["status"], status);
        assert_eq!(body["messages"][1]["after"], cursor);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        ids.extend(
            head.lines()
                .find_map(|line| line.strip_prefix("x-request-id: ").map(str::to_owned)),
        );
        cursor = changed;
        if turn % 3 == 0 {
            raw.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
            assert!(raw.read_until("ok\n").await.starts_with("HTTP/1.1 200 "));
        }
    }
    assert_eq!(metric(&app, WAITING).await, 0);
    assert_eq!(ids.len(), 10, "{ids:?}");
    let count =
        r#"petstore_http_request_duration_seconds_count{route="/live/poll",status_class="2xx"}"#;
    assert_eq!(metric(&app, count).await, 10);
}

/// The second request of a socket does not pass the middleware again if only its cursor is another.
#[tokio::test]
async fn a_repeated_poll_is_limited_and_refused_like_the_first() {
    let app = spawn_app_with(|config| config.live.max_viewers = 1).await;
    let pet = app.add_pet("Biscuit").await;
    let cursor = app.cursor().await;
    let mut raw = Raw::open(app.address).await;
    raw.send(&request(&cursor, "")).await;
    until_waiting(&app, 1).await;
    let changed = app.set_status(pet, "eating").await;
    answer(&mut raw).await;
    let mut other = Raw::open(app.address).await;
    other.send(&request(&changed, "")).await;
    until_waiting(&app, 1).await;
    raw.send(&request(&changed, "")).await;
    let refused = raw.read_until("\r\n\r\n").await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    // From the cursor of another store: a snapshot.
    let (mut raw, other_store) = (other, "00000001-5");
    app.set_status(pet, "sleeping").await;
    answer(&mut raw).await;
    raw.send(&request(other_store, "")).await;
    let (_, body) = answer(&mut raw).await;
    assert_eq!(body["messages"][1]["type"], "snapshot", "{body}");
}

/// The middleware adds its headers before there is an answer.
#[tokio::test]
async fn a_late_answer_has_the_same_headers_as_an_immediate_one() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let cursor = app.cursor().await;
    let mut raw = Raw::open(app.address).await;
    raw.send(&request(&cursor, "")).await;
    until_waiting(&app, 1).await;
    app.set_status(pet, "eating").await;
    let (late, _) = answer(&mut raw).await;
    raw.send(&request(&cursor, "&wait=0")).await;
    let (immediate, _) = answer(&mut raw).await;
    let names = |head: &str| {
        let lines = head.lines().skip(1);
        let mut names: Vec<String> = lines
            .map(|line| line.split(':').next().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&late), names(&immediate), "{late}\n{immediate}");
    let date = |head: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix("date: "));
        line.unwrap().len()
    };
    assert_eq!(date(&late), date(&immediate), "{late}\n{immediate}");
}

#[tokio::test]
async fn requests_behind_a_poll_on_the_same_socket_are_answered_after_it() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let cursor = app.cursor().await;
    let next = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    // In the same packet; in two; and a part of the next head.
    for (first, second, third) in [
        (next, "", ""),
        ("", next, ""),
        (&next[..9], "", &next[9..]),
        ("", &next[..9], &next[9..]),
    ] {
        let mut raw = Raw::open(app.address).await;
        let since = app.cursor().await;
        raw.send(&(request(&since, "") + first)).await;
        until_waiting(&app, 1).await;
        raw.send(second).await;
        app.set_status(pet, "eating").await;
        let both = raw.read_until(r#""by":"#).await;
        raw.send(third).await;
        let both = both + &raw.read_until("ok\n").await;
        assert!(both.starts_with("HTTP/1.1 200 "), "{both}");
        assert_eq!(both.matches("HTTP/1.1 200 ").count(), 2, "{both}");
        app.set_status(pet, "sleeping").await;
    }
    // Two polls and one change: the second is answered immediately.
    let mut raw = Raw::open(app.address).await;
    raw.send(&(request(&cursor, "&wait=0") + &request(&app.cursor().await, "")))
        .await;
    answer(&mut raw).await;
    until_waiting(&app, 1).await;
    app.set_status(pet, "playing").await;
    let (_, body) = answer(&mut raw).await;
    assert_eq!(body["messages"][1]["status"], "playing");
}

#[tokio::test]
async fn a_client_that_hangs_up_gives_back_its_slot_while_the_poll_waits() {
    let app = spawn_app_with(|config| config.live.max_viewers = 1).await;
    let cursor = app.cursor().await;
    for _ in 0..3 {
        let mut raw = Raw::open(app.address).await;
        raw.send(&request(&cursor, "")).await;
        until_waiting(&app, 1).await;
        drop(raw);
        until_waiting(&app, 0).await;
    }
}

#[tokio::test]
async fn the_connection_ends_with_the_answer_if_the_client_asked_for_that() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let cursor = app.cursor().await;
    let mut raw = Raw::open(app.address).await;
    let request = request(&cursor, "").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    raw.send(&request).await;
    until_waiting(&app, 1).await;
    app.set_status(pet, "eating").await;
    let text = raw.read_to_end().await;
    assert!(text.contains("\r\nconnection: close\r\n"), "{text}");
    assert!(text.ends_with("]}"), "{text}");
}

/// HTTP/1.0 has no answer that is finished later, and a request with a body is read by hyper.
#[tokio::test]
async fn a_poll_whose_socket_cannot_leave_http_waits_as_well() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    for (version, headers, body) in [
        ("1.0", "", ""),
        ("1.0", "Connection: keep-alive\r\n", ""),
        ("1.1", "Content-Length: 2\r\n", "{}"),
    ] {
        let cursor = app.cursor().await;
        let mut raw = Raw::open(app.address).await;
        raw.send(&format!(
            "GET /live/poll?since={cursor} HTTP/{version}\r\nHost: x\r\n{headers}\r\n{body}"
        ))
        .await;
        until_waiting(&app, 1).await;
        app.set_status(pet, "eating").await;
        let (_, body) = answer(&mut raw).await;
        assert_eq!(body["messages"][1]["status"], "eating", "{version}");
        app.set_status(pet, "sleeping").await;
    }
}

/// The duration of a request is that until its answer.
#[tokio::test]
async fn the_time_that_a_poll_waited_is_measured() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let cursor = app.cursor().await;
    let path = format!("/live/poll?wait=0.3&since={cursor}");
    let body = app.json(&path).await;
    assert_eq!(body["messages"][1]["type"], "heartbeat");
    let text = app.text("/metrics").await;
    let sum = text.lines().find_map(|line| {
        line.strip_prefix(
            r#"petstore_http_request_duration_seconds_sum{route="/live/poll",status_class="2xx"} "#,
        )
    });
    let sum: f64 = sum.unwrap_or_else(|| panic!("{text}")).parse().unwrap();
    assert!(sum >= Duration::from_millis(300).as_secs_f64(), "{sum}");
}

#[tokio::test]
async fn a_poll_learns_that_a_pet_became_private_and_nothing_after_that() {
    let app = spawn_app().await;
    let pet = app.add_pet("Biscuit").await;
    let cursor = app.cursor().await;
    let mut raw = Raw::open(app.address).await;
    raw.send(&request(&cursor, &format!("&pet={pet}"))).await;
    until_waiting(&app, 1).await;
    let path = format!("/api/v1/pets/{pet}");
    let private = app
        .request("PATCH", &path)
        .json(&json!({ "state": "private" }));
    assert_eq!(private.send().await.unwrap().status(), 200);
    let (_, body) = answer(&mut raw).await;
    assert_eq!(body["messages"][1]["type"], "gone", "{body}");
    assert_eq!(body["messages"].as_array().unwrap().len(), 2);
    let cursor = body["cursor"].as_str().unwrap();
    raw.send(&request(cursor, &format!("&pet={pet}"))).await;
    until_waiting(&app, 1).await;
    let renamed = app
        .request("PATCH", &path)
        .json(&json!({ "name": "Secret" }));
    assert_eq!(renamed.send().await.unwrap().status(), 200);
    let other = app.add_pet("Miso").await;
    let short = format!("/live/poll?wait=20&since={cursor}&pet={pet}&pet={other}");
    let body = app.json(&short).await;
    assert_eq!(body["messages"][1]["pet"], other, "{body}");
    assert_eq!(metric(&app, WAITING).await, 1, "the other poll still waits");
}
