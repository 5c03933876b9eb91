//! Retry times: random, so that viewers do not reconnect simultaneously.

use crate::support::{Raw, Sse, Ws, ask_until, metric, spawn_app, until};

/// An `EventSource` reconnects by itself, also after a crash without `bye`. Its default retry time is the
/// same for all viewers.
#[tokio::test]
async fn every_event_stream_starts_with_a_random_retry_time() {
    let app = spawn_app().await;
    let mut retries = Vec::new();
    for _ in 0..6 {
        let mut sse = Sse::open(&app.url(""), "").await;
        assert_eq!(sse.next().await["type"], "hello");
        retries.push(sse.retry_ms.unwrap());
    }
    assert!(
        retries.iter().all(|ms| (1000..=1500).contains(ms)),
        "{retries:?}"
    );
    assert!(retries.iter().any(|ms| *ms != retries[0]), "{retries:?}");
    let plain = ask_until(app.address, "GET /live/sse HTTP/1.0\r\n\r\n", "snapshot").await;
    assert!(plain.contains("retry: 1"), "{plain}");
    // A WebSocket does not reconnect by itself.
    let hello = Ws::open(&app.url(""), "").await.next().await;
    assert!(hello.get("retry_ms").is_none(), "{hello}");
}

#[tokio::test]
async fn a_poll_that_waits_during_a_stop_gets_bye_and_a_retry_after_header() {
    let app = spawn_app().await;
    let mut poll = Raw::open(app.address).await;
    let since = app.cursor().await;
    let waiting = format!("GET /live/poll?since={since} HTTP/1.1\r\nHost: x\r\n\r\n");
    poll.send(&waiting).await;
    until("the poll to wait", async || {
        metric(&app, r#"petstore_viewers{transport="poll"}"#).await == 1
    })
    .await;
    let (_, answer) = tokio::join!(app.stop(), poll.read_to_end());
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("retry-after: 2\r\n"), "{answer}");
    assert!(answer.contains(r#""type":"bye""#), "{answer}");
}
