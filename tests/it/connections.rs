//! Connections: their number, slow clients, and their end.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::runtime::Handle;

use crate::support::{
    Raw, Sse, TestApp, Viewer, Ws, metric, rev, spawn_app, spawn_app_with, until,
};

async fn viewers(app: &TestApp, transport: &str) -> u64 {
    metric(
        app,
        &format!("petstore_viewers{{transport=\"{transport}\"}}"),
    )
    .await
}

#[tokio::test]
async fn a_disconnected_viewer_is_detected_on_every_transport() {
    let app = spawn_app().await;
    app.add_pet("Biscuit").await;
    let since = app.cursor().await;
    let ws = Ws::open(&app.url(""), "").await;
    let sse = Sse::open(&app.url(""), "").await;
    let mut poll = Raw::open(app.address).await;
    poll.send(&format!(
        "GET /live/poll?since={since} HTTP/1.1\r\nHost: x\r\n\r\n"
    ))
    .await;
    for transport in ["ws", "sse", "poll"] {
        until("every viewer to be counted", async || {
            viewers(&app, transport).await == 1
        })
        .await;
    }
    drop((ws, sse, poll));
    for transport in ["ws", "sse", "poll"] {
        until("every viewer to be removed", async || {
            viewers(&app, transport).await == 0
        })
        .await;
    }
}

/// Opens a viewer that reads its snapshot and then nothing more.
async fn open_stalled(app: &TestApp, transport: &str) -> Raw {
    let upgrade = match transport {
        "ws" => {
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        }
        _ => "",
    };
    let mut raw = Raw::open_narrow(app.address);
    raw.send(&format!(
        "GET /live/{transport} HTTP/1.1\r\nHost: x\r\n{upgrade}\r\n"
    ))
    .await;
    raw.read_until("snapshot").await;
    raw
}

/// The rule is "no viewer slows the writer or another viewer".
#[tokio::test]
async fn a_viewer_that_stops_reading_is_dropped_and_others_miss_nothing() {
    let app = spawn_app_with(|config| config.timeouts.write = Duration::from_millis(300)).await;
    let pet = app.add_pet("Biscuit").await;
    let mut reading =
        Viewer::open_all(&app.url(""), &format!("?since={}", app.cursor().await)).await;
    let stalled = [
        open_stalled(&app, "ws").await,
        open_stalled(&app, "sse").await,
    ];
    let path = format!("/pets/{pet}");
    let about = json!({ "about": "x".repeat(2000) });
    let mut made = 0;
    until("both to be dropped", async || {
        join_all((0..50).map(|_| app.send("PATCH", &path, &about))).await;
        made += 50;
        for viewer in &mut reading {
            let news = viewer.take_news(50).await;
            let revs: Vec<_> = news.iter().map(rev).collect();
            assert_eq!(revs, (made - 48..=made + 1).collect::<Vec<_>>());
        }
        metric(
            &app,
            r#"petstore_viewers_dropped_total{reason="write-timeout"}"#,
        )
        .await
            == 2
    })
    .await;
    drop(stalled);
    assert_eq!(
        metric(&app, "petstore_resyncs_total").await,
        0,
        "viewers that read are not resynced"
    );
}

#[tokio::test]
async fn a_connection_beyond_the_limit_gets_503_and_the_others_are_served() {
    let app = spawn_app_with(|config| config.max_connections = 2).await;
    let mut first = Raw::open(app.address).await;
    first.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    first.read_until("ok\n").await;
    let mut second = Raw::open(app.address).await;
    second
        .send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    second.read_until("ok\n").await;
    let mut third = Raw::open(app.address).await;
    let answer = third.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("Retry-After: "), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains(&format!("Content-Length: {}", body.len())),
        "{answer}"
    );
    first.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(first.read_until("ok\n").await.starts_with("HTTP/1.1 200 "));
    drop(second);
    until("the slot of the second connection", async || {
        let mut next = Raw::open(app.address).await;
        next.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
        next.read_until("\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 200 ")
    })
    .await;
}

/// The rule is "every task has an owner and is awaited at shutdown".
#[tokio::test]
async fn no_task_is_left_after_a_shutdown() {
    let tasks = Handle::current().metrics();
    let before = tasks.num_alive_tasks();
    let app =
        spawn_app_with(|config| config.simulator.period = Some(Duration::from_millis(50))).await;
    let address = app.address;
    let mut ws = Ws::open(&app.url(""), "").await;
    // Never answers the close frame, so its task ends with a timeout.
    let mute = Ws::open(&app.url(""), "").await;
    let mut echo = Ws::try_open(&app.url(""), "/hello/ws", &[]).await.unwrap();
    let mut sse = Raw::open(address).await;
    sse.send("GET /live/sse HTTP/1.1\r\nHost: x\r\n\r\n").await;
    sse.read_until("snapshot").await;
    let mut poll = Raw::open(address).await;
    let hello = ws.next().await;
    let since = hello["cursor"].as_str().unwrap();
    let waiting = format!("GET /live/poll?since={since} HTTP/1.1\r\nHost: x\r\n\r\n");
    poll.send(&waiting).await;
    let idle = Raw::open(address).await;
    // A viewer has no task, nor has a poll that waits.
    assert!(tasks.num_alive_tasks() > before + 3);
    let leaving = async {
        while ws.try_next().await.is_some() {}
        while echo.try_next().await.is_some() {}
    };
    let (in_time, ()) = tokio::join!(app.stop(), leaving);
    assert!(in_time, "nothing had to be cut");
    assert_eq!(tasks.num_alive_tasks(), before);
    assert!(sse.read_to_end().await.contains("event: bye"));
    assert!(poll.read_to_end().await.contains(r#""type":"bye""#));
    drop((mute, poll, idle));
}
