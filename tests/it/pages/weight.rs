//! The weight of a first visit: the bytes that arrive before the page is live.
//!
//! The six answers of a first visit are the page, its script and stylesheet, the first poll, a stream of
//! events and the handshake of a WebSocket. Script and stylesheet are counted as a release binary sends them:
//! `manifest.json` has their size in Brotli. The other answers are read from the program.
//! Pictures of pets, which are photos and the stylesheet of silhouettes, come last and are not counted.

use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{Rescue, TestApp, unescape};

/// Bytes of the answers, with their heads.
const MAX_BYTES: usize = 28 * 1024;
const MAX_BYTES_600_PETS: usize = 45 * 1024;

/// Pets on a page of the index.
const PAGE_PETS: u32 = 48;

/// Heads and first messages of the stream of events and of the WebSocket.
const STREAMS_BYTES: usize = 2 * 1024;

fn head_bytes(response: &Response) -> usize {
    let headers = response.headers().iter();
    let lines = headers.map(|(name, value)| name.as_str().len() + value.len() + 4);
    "HTTP/1.1 200 OK\r\n\r\n".len() + lines.sum::<usize>()
}

/// Returns the length of an answer, with its head.
async fn weigh(app: &TestApp, path: &str) -> usize {
    let request = app.request("GET", path).header("accept-encoding", "br");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    head_bytes(&response) + response.bytes().await.unwrap().len()
}

/// Returns the weight of the index, as a visitor of a rescue with `pets` pets sees it first.
async fn weigh_first_visit(pets: u32) -> usize {
    let rescue =
        Rescue::start_with(|config| config.client_limits.writes_per_second.limit = 10_000).await;
    let app = &rescue.app;
    // It has one already.
    for pet in 1..pets {
        let fields =
            json!({ "name": format!("Biscuit {pet}"), "species": "dog", "breed": "mixed" });
        let request = rescue.bearing(&rescue.tokens[2], "POST", "/api/v1/pets");
        assert_eq!(request.json(&fields).send().await.unwrap().status(), 201);
    }
    let page = unescape(&app.text("/pets").await);
    // The first page of the board. With all pets on it, there is a blank card for those added later.
    let cards = if pets > PAGE_PETS {
        PAGE_PETS
    } else {
        pets + 1
    };
    assert_eq!(page.matches("data-pet=").count(), cards as usize);
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/public/built/manifest.json");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let mut sum = STREAMS_BYTES + weigh(app, "/pets").await;
    for name in ["visitor.js", "visitor.css"] {
        let path = format!(
            "/assets/{}/{name}",
            manifest[name]["hash"].as_str().unwrap()
        );
        assert!(page.contains(&path), "{path}");
        let brotli = manifest[name]["brotli"].as_u64().unwrap();
        sum += head_bytes(&app.get(&path).await) + usize::try_from(brotli).unwrap();
    }
    let (_, poll) = page.split_once("data-first-poll=\"/live/poll/").unwrap();
    let (poll, _) = poll.split_once('"').unwrap();
    sum + weigh(app, &format!("/live/poll/{poll}")).await
}

#[tokio::test]
async fn a_first_visit_to_six_pets_is_light() {
    let bytes = weigh_first_visit(6).await;
    eprintln!("a first visit: {bytes} bytes");
    assert!(bytes <= MAX_BYTES, "{bytes}");
}

#[tokio::test]
async fn a_first_visit_to_six_hundred_pets_is_light() {
    let bytes = weigh_first_visit(600).await;
    assert!(bytes <= MAX_BYTES_600_PETS, "{bytes}");
}
