//! When viewers are told to come back: not all at once, and not before it is of use.

use crate::support::{Raw, Sse, Ws, ask_until, metric, spawn_app, until};

/// An `EventSource` that nobody looks after comes back by itself, also after a crash, when nobody
/// says `bye`. Its own default is the same for all of them.
#[tokio::test]
async fn every_event_stream_says_at_once_when_to_come_back_and_not_the_same_to_all() {
    let app = spawn_app().await;
    let mut told = Vec::new();
    for _ in 0..6 {
        let mut sse = Sse::open(&app.url(""), "").await;
        assert_eq!(sse.next().await["type"], "hello");
        told.push(sse.retry_ms.unwrap());
    }
    assert!(told.iter().all(|ms| (1000..=1500).contains(ms)), "{told:?}");
    assert!(told.iter().any(|ms| *ms != told[0]), "{told:?}");
    let plain = ask_until(app.address, "GET /live/sse HTTP/1.0\r\n\r\n", "snapshot").await;
    assert!(plain.contains("retry: 1"), "{plain}");
    // Over WebSocket there is nobody to be told.
    let hello = Ws::open(&app.url(""), "").await.next().await;
    assert!(hello.get("retry_ms").is_none(), "{hello}");
}

#[tokio::test]
async fn a_poll_that_waits_during_a_stop_is_told_when_to_come_back_in_words_and_in_its_head() {
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
