//! Pictures that change without a script.

use std::io::Cursor;

use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response};
use serde_json::json;

use crate::support::{Raw, Rescue, TestApp, metric, spawn_app, spawn_app_with, until, within};

const PICTURE: &str = "/pets/1/live.png";

const VIEWERS: &str = r#"petstore_viewers{transport="picture"}"#;

/// Asks as the `img` element of a browser does.
fn as_image(request: RequestBuilder) -> RequestBuilder {
    request.header("sec-fetch-dest", "image")
}

/// A client that shows the pictures of a series.
struct Series {
    response: Response,
    boundary: String,
    received: Vec<u8>,
}

impl Series {
    async fn open(app: &TestApp) -> Self {
        let request = as_image(app.request("GET", PICTURE));
        Series::from_response(request.send().await.unwrap())
    }

    fn from_response(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        let kind = response.headers()["content-type"].to_str().unwrap();
        let boundary = kind.strip_prefix("multipart/x-mixed-replace; boundary=");
        Series {
            boundary: format!("--{}", boundary.expect(kind)),
            response,
            received: Vec::new(),
        }
    }

    /// Returns the next picture; `None` after the last one.
    async fn next(&mut self) -> Option<Vec<u8>> {
        within("a picture", async {
            loop {
                if let Some((picture, rest)) = split_part(&self.received, &self.boundary) {
                    let picture = picture.to_vec();
                    self.received = rest.to_vec();
                    return Some(picture);
                }
                let Some(chunk) = self.response.chunk().await.unwrap() else {
                    assert_eq!(
                        String::from_utf8_lossy(&self.received),
                        format!("{}--\r\n", self.boundary)
                    );
                    return None;
                };
                self.received.extend_from_slice(&chunk);
            }
        })
        .await
    }
}

/// Returns where `part` begins in `whole`.
fn find(whole: &[u8], part: &[u8]) -> Option<usize> {
    whole.windows(part.len()).position(|window| window == part)
}

/// Splits the first part from the boundary and what follows, once the head of the next part has come: before that,
/// Chromium does not show it.
fn split_part<'a>(received: &'a [u8], boundary: &str) -> Option<(&'a [u8], &'a [u8])> {
    let head = format!("{boundary}\r\nContent-Type: image/png\r\n\r\n");
    let end = format!("{boundary}--\r\n");
    let part = received.strip_prefix(head.as_bytes())?;
    let length = find(part, format!("\r\n{boundary}").as_bytes())?;
    let (picture, rest) = (&part[..length], &part[length + 2..]);
    let is_whole = rest.starts_with(head.as_bytes()) || rest == end.as_bytes();
    is_whole.then_some((picture, rest))
}

/// Returns the size of a picture, which is decoded as a whole.
fn size_of(picture: &[u8]) -> (u32, u32) {
    let mut reader = png::Decoder::new(Cursor::new(picture)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    (frame.width, frame.height)
}

/// Returns the picture for those who get one.
async fn plain(app: &TestApp) -> Vec<u8> {
    app.get(PICTURE).await.bytes().await.unwrap().to_vec()
}

fn assert_safe(headers: &HeaderMap) {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!(header("x-content-type-options"), Some("nosniff"));
    let policy = "default-src 'none'; frame-ancestors 'none'; sandbox";
    assert_eq!(header("content-security-policy"), Some(policy));
    assert_eq!(header("cross-origin-resource-policy"), Some("cross-origin"));
    assert_eq!(header("vary"), Some("sec-fetch-dest"));
    assert_eq!(header("content-encoding"), None);
    assert_eq!(header("set-cookie"), None);
}

#[tokio::test]
async fn a_series_shows_the_present_and_then_each_change() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    app.set_status(1, "eating").await;
    let request = as_image(app.request("GET", PICTURE)).header("accept-encoding", "gzip, br");
    let mut series = Series::from_response(request.send().await.unwrap());
    let headers = series.response.headers();
    assert_safe(headers);
    assert_eq!(headers["cache-control"], "no-store, no-transform");
    assert_eq!(headers["x-accel-buffering"], "no");
    let first = series.next().await.unwrap();
    assert_eq!(first, plain(&app).await);
    assert_eq!(size_of(&first).1, 40, "twice the height of the badge");
    app.set_status(1, "sleeping").await;
    let second = series.next().await.unwrap();
    assert_ne!(second, first);
    assert_eq!(second, plain(&app).await);
    // Another pet, and what the picture does not show, are no reason for a new one.
    app.add_pet("Miso").await;
    app.set_status(2, "eating").await;
    app.send("PATCH", "/pets/1", &json!({ "age": "3" })).await;
    app.set_status(1, "eating").await;
    assert_eq!(series.next().await.unwrap(), first);
}

#[tokio::test]
async fn a_client_that_does_not_say_it_shows_an_image_gets_one_picture_with_a_tag() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let once = || as_image(app.request("GET", "/pets/1/live.png?once"));
    let script = || {
        app.request("GET", PICTURE)
            .header("sec-fetch-dest", "empty")
    };
    for request in [app.request("GET", PICTURE), once(), script()] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let headers = answer.headers().clone();
        assert_safe(&headers);
        assert_eq!(headers["content-type"], "image/png");
        assert_eq!(headers["cache-control"], "no-cache");
        let again = app.request("GET", PICTURE);
        let again = again.header("if-none-match", &headers["etag"]);
        assert_eq!(again.send().await.unwrap().status(), 304);
    }
    let head = app.request("HEAD", PICTURE).send().await.unwrap();
    assert_eq!(head.headers()["content-type"], "image/png");
    let asked = app.get("/pets/1/live.png?series").await;
    Series::from_response(asked).next().await.unwrap();
    // HTTP/1.0 has no chunks: the series ends with the connection.
    let mut raw = Raw::open(app.address).await;
    raw.send(&format!(
        "GET {PICTURE} HTTP/1.0\r\nSec-Fetch-Dest: image\r\n\r\n"
    ))
    .await;
    let boundary = "--petstore-picture\r\n";
    let head = raw.read_until("Content-Type: image/png\r\n\r\n").await;
    assert!(
        head.contains(&format!("\r\n\r\n{boundary}Content-Type: image/png\r\n")),
        "{head}"
    );
}

#[tokio::test]
async fn a_picture_is_the_same_for_staff() {
    let (rescue, anna) = Rescue::start_as("anna").await;
    let app = &rescue.app;
    let expected = plain(app).await;
    let token = || rescue.bearing(&rescue.tokens[2], "GET", PICTURE);
    for request in [anna.ask("GET", PICTURE), token()] {
        let answer = request.send().await.unwrap();
        assert_safe(answer.headers());
        assert_eq!(answer.bytes().await.unwrap(), expected);
    }
    for request in [anna.ask("GET", PICTURE), token()] {
        let answer = as_image(request).send().await.unwrap();
        assert_safe(answer.headers());
        assert_eq!(
            Series::from_response(answer).next().await.unwrap(),
            expected
        );
    }
}

#[tokio::test]
async fn a_series_ends_when_its_pet_becomes_private_or_is_removed() {
    let rescue = Rescue::start().await;
    let app = &rescue.app;
    let request = |method: &str, path: &str| rescue.bearing(&rescue.tokens[2], method, path);
    let never = app.get("/pets/99/live.png").await;
    assert_eq!(never.status(), 404);
    assert_safe(never.headers());
    let never = never.bytes().await.unwrap();
    let private = request("PATCH", "/api/v1/pets/1").json(&json!({ "state": "private" }));
    let public = request("PATCH", "/api/v1/pets/1").json(&json!({ "state": "available" }));
    let removal = request("DELETE", "/api/v1/pets/1");
    for end in [private, removal] {
        let mut series = Series::open(app).await;
        assert_ne!(series.next().await.unwrap(), never);
        assert!(end.send().await.unwrap().status().is_success());
        assert_eq!(
            series.next().await.unwrap(),
            never,
            "nothing of the pet stays"
        );
        assert_eq!(series.next().await, None);
        let now = as_image(app.request("GET", PICTURE)).send().await.unwrap();
        assert_eq!(now.status(), 404);
        assert_eq!(now.bytes().await.unwrap(), never);
        public.try_clone().unwrap().send().await.unwrap();
    }
}

#[tokio::test]
async fn a_series_takes_a_slot_and_without_one_there_is_one_picture() {
    let app = spawn_app_with(|config| config.live.max_viewers = 1).await;
    app.add_pet("Biscuit").await;
    let mut series = Series::open(&app).await;
    series.next().await.unwrap();
    assert_eq!(metric(&app, VIEWERS).await, 1);
    let answer = as_image(app.request("GET", PICTURE)).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/png");
    drop((series, answer));
    until("the slot to be free", async || {
        metric(&app, VIEWERS).await == 0
    })
    .await;
    Series::open(&app).await.next().await.unwrap();
}

#[tokio::test]
async fn series_are_limited_per_address() {
    let app = spawn_app_with(|config| {
        config.client_limits.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.client_limits.connections_per_address.limit = 2;
    })
    .await;
    app.add_pet("Biscuit").await;
    let mut kinds = Vec::new();
    let mut open = Vec::new();
    for address in ["203.0.113.9", "203.0.113.9", "203.0.113.9", "203.0.113.8"] {
        let request = as_image(app.request("GET", PICTURE));
        let answer = request
            .header("x-forwarded-for", address)
            .send()
            .await
            .unwrap();
        kinds.push(
            answer.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("multipart/"),
        );
        open.push(answer);
    }
    assert_eq!(kinds, [true, true, false, true]);
}

#[tokio::test]
async fn a_stop_ends_every_series_with_a_picture_that_does_not_claim_to_be_the_present() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    app.set_status(1, "eating").await;
    let mut watching = [Series::open(&app).await, Series::open(&app).await];
    let mut present = Vec::new();
    for series in &mut watching {
        present = series.next().await.unwrap();
    }
    assert!(app.stop().await);
    for mut series in watching {
        let last = series.next().await.unwrap();
        assert_eq!(series.next().await, None);
        // "last seen eating" is longer.
        assert!(size_of(&last).0 > size_of(&present).0);
    }
}

#[tokio::test]
async fn a_client_that_reads_nothing_does_not_delay_a_stop() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let mut slow = Raw::open_narrow(app.address);
    slow.send(&format!(
        "GET {PICTURE} HTTP/1.1\r\nHost: x\r\nSec-Fetch-Dest: image\r\n\r\n"
    ))
    .await;
    until("it to watch", async || metric(&app, VIEWERS).await == 1).await;
    for round in 0..4 {
        app.set_status(1, ["eating", "sleeping"][round % 2]).await;
        let mut witness = Series::open(&app).await;
        witness.next().await.unwrap();
    }
    assert!(app.stop().await);
}

#[tokio::test]
async fn a_client_that_reads_nothing_gets_the_newest_picture_and_few_old_ones() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let mut witness = Series::open(&app).await;
    witness.next().await.unwrap();
    let mut slow = Raw::open_narrow(app.address);
    slow.send(&format!(
        "GET {PICTURE} HTTP/1.1\r\nHost: x\r\nSec-Fetch-Dest: image\r\n\r\n"
    ))
    .await;
    until("both to watch", async || metric(&app, VIEWERS).await == 2).await;
    let changes = 16;
    for round in 0..changes {
        app.set_status(1, ["eating", "sleeping"][round % 2]).await;
        witness.next().await.unwrap();
    }
    app.set_status(1, "playing").await;
    witness.next().await.unwrap();
    let newest = plain(&app).await;
    let newest = String::from_utf8_lossy(&newest);
    let received = slow.read_until(&newest).await;
    assert!(received.contains(&*newest));
    let parts = received.matches("Content-Type: image/png").count();
    assert!((2..changes / 2).contains(&parts), "{parts}");
}
