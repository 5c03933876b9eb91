//! HEAD requests to live routes.

use crate::support::{ask, metric, spawn_app, until};

/// A handshake and a long poll have no response to HEAD.
#[tokio::test]
async fn head_is_refused_where_get_would_wait_or_switch_protocols() {
    let app = spawn_app().await;
    let since = app.cursor().await;
    let handshake = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (path, headers) in [
        ("/live/ws".to_owned(), handshake),
        ("/hello/ws".to_owned(), handshake),
        (format!("/live/poll?since={since}"), ""),
    ] {
        let request = format!("HEAD {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        let answer = ask(app.address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 405 "), "{path}: {answer}");
        assert!(
            answer.contains("allow: OPTIONS, GET\r\n"),
            "{path}: {answer}"
        );
        assert!(answer.ends_with("\r\n\r\n"), "no body: {answer}");
    }
}

#[tokio::test]
async fn head_of_an_event_stream_returns_its_headers_and_keeps_no_slot() {
    let app = spawn_app().await;
    let head = app.request("HEAD", "/live/sse").send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-type"], "text/event-stream");
    assert_eq!(head.text().await.unwrap(), "");
    until("no viewer to be counted", async || {
        metric(&app, r#"petstore_viewers{transport="sse"}"#).await == 0
    })
    .await;
}
