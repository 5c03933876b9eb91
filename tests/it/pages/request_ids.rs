//! `X-Request-Id` on every answer, and the duration of requests by route.

use std::collections::HashSet;

use pet_store::limits::parse_network;
use reqwest::Response;

use super::headers::answers;
use crate::support::{TestApp, ask, spawn_app, spawn_app_with};

const FORWARDED: (&str, &str) = ("x-forwarded-for", "203.0.113.9");

fn id_of(answer: &Response) -> String {
    answer.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned()
}

/// The id of the answer to a request that brings `id`.
async fn id_for(app: &TestApp, id: &str, forwarding: (&str, &str)) -> String {
    let request = app.request("GET", "/nothing").header("x-request-id", id);
    let request = request.header(forwarding.0, forwarding.1);
    id_of(&request.send().await.unwrap())
}

#[tokio::test]
async fn every_answer_has_its_own_request_id() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let answers = answers(&app).await;
    let ids: HashSet<String> = answers.iter().map(id_of).collect();
    assert_eq!(ids.len(), answers.len());
    let handshake = ask(
        app.address,
        "GET /live/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    let handshake = handshake.await.to_ascii_lowercase();
    assert!(handshake.contains("x-request-id: "), "{handshake}");
}

#[tokio::test]
async fn a_well_formed_id_is_taken_from_a_trusted_proxy_and_from_nobody_else() {
    let own = parse_network("127.0.0.1").unwrap();
    let behind_proxy =
        spawn_app_with(|config| config.client_limits.trusted_proxies = vec![own]).await;
    let longest = "a".repeat(64);
    for id in ["0191e3a4-7c1b-7cc2-b1f0-6f0f9d1f4c11", "a_b.C-7", &longest] {
        assert_eq!(id_for(&behind_proxy, id, FORWARDED).await, id);
        let direct = ("x-other", "203.0.113.9");
        assert_ne!(id_for(&behind_proxy, id, direct).await, id);
    }
    for id in ["", "a b", "a\"b", "<b>", &"a".repeat(65)] {
        assert_ne!(id_for(&behind_proxy, id, FORWARDED).await, id);
    }
    let without_proxy = spawn_app().await;
    assert_ne!(id_for(&without_proxy, "abc", FORWARDED).await, "abc");
}

#[tokio::test]
async fn the_duration_of_a_request_is_observed_by_the_pattern_of_its_route() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    for path in [
        "/pets/1",
        "/pets/2",
        "/pets/2/edit",
        "/nothing/1",
        "/nothing/2",
        "/api/v1/pets/1",
        "/api/v1/pets/2",
        "/api/v1/nothing/1",
        "/assets/old/nothing.js",
        "/pets/1/",
    ] {
        app.get(path).await;
    }
    let metrics = app.text("/metrics").await;
    let mut series: Vec<&str> = metrics
        .lines()
        .filter_map(|line| {
            let line = line.strip_prefix("petstore_http_request_duration_seconds_count")?;
            Some(line.trim())
        })
        .collect();
    series.sort_unstable();
    assert_eq!(
        series,
        [
            r#"{route="/api/v1",status_class="4xx"} 1"#,
            r#"{route="/api/v1/pets",status_class="2xx"} 1"#,
            r#"{route="/api/v1/pets/:id",status_class="2xx"} 1"#,
            r#"{route="/api/v1/pets/:id",status_class="4xx"} 1"#,
            r#"{route="/assets/:hash/:name",status_class="4xx"} 1"#,
            r#"{route="/pets/:id",status_class="2xx"} 1"#,
            r#"{route="/pets/:id",status_class="4xx"} 1"#,
            r#"{route="/pets/:id/edit",status_class="4xx"} 1"#,
            r#"{route="unmatched",status_class="3xx"} 1"#,
            r#"{route="unmatched",status_class="4xx"} 2"#,
        ]
    );
}
