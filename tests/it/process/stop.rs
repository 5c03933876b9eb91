//! Shutdown: by one signal, by two, and by a kill.

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::QUIET;
use crate::support::{Poll, Process, Raw, Sse, Ws, rev_of};

/// The default of --grace.
const GRACE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_shutdown_sends_bye_to_every_viewer_and_exits_with_0_within_the_grace() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::start(folder.path(), &QUIET).await;
        let mut ws = Ws::open(&process.base, "").await;
        let mut sse = Sse::open(&process.base, "").await;
        let cursor = sse.next().await["cursor"].as_str().unwrap().to_owned();
        let mut poll = Poll::open(&process.base, &format!("?wait=25&since={cursor}"));
        let watching = async {
            ws.next().await;
            ws.next().await;
            sse.next().await;
            let waits = poll.next();
            let ends = async {
                process.until_polled(1).await;
                process.signal(signal);
            };
            let (hello, ()) = tokio::join!(waits, ends);
            assert_eq!(hello["type"], "hello");
        };
        watching.await;
        let asked = Instant::now();
        for bye in [ws.next().await, sse.next().await, poll.next().await] {
            assert_eq!(bye["type"], "bye");
            assert_eq!(bye["reason"], "stopping");
            assert!(bye["retry_ms"].as_u64().unwrap() <= 30_000);
        }
        assert_eq!(ws.try_next().await, None);
        assert_eq!(ws.closed, Some(CloseCode::Restart));
        assert_eq!(sse.try_next().await, None);
        assert!(
            sse.retry_ms.is_some(),
            "the delay after which a browser reconnects"
        );
        assert_eq!(process.end().await.code(), Some(0));
        assert!(asked.elapsed() < GRACE);
    }
}

/// A closed terminal, and a log rotation for another program, ended the process without a `bye`.
#[tokio::test]
async fn signals_of_log_rotation_and_terminals_are_logged_and_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path(), &QUIET).await;
    let mut sse = Sse::open(&process.base, "").await;
    assert_eq!(sse.next().await["type"], "hello");
    assert_eq!(sse.next().await["type"], "snapshot");
    for (signal, name) in [
        (Signal::HUP, "SIGHUP"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::USR2, "SIGUSR2"),
    ] {
        process.signal(signal);
        process.wait_for_line(name).await;
    }
    assert_eq!(process.text("/healthz").await, "ok\n");
    process.signal(Signal::TERM);
    assert_eq!(sse.next().await["type"], "bye");
    assert_eq!(process.end().await.code(), Some(0));
}

/// Starts a server with this grace, and a connection that never sends the body of its request.
async fn start_stalled(folder: &Path, grace: &str) -> (Process, Raw) {
    let arguments = [&QUIET[..], &["--grace", grace]].concat();
    let process = Process::start(folder, &arguments).await;
    let address = process.base.strip_prefix("http://").unwrap();
    let mut stalled = Raw::open(address.parse().unwrap()).await;
    stalled
        .send("POST /pets HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
        .await;
    let asked_for_the_body = stalled.read_until("\r\n\r\n").await;
    assert!(asked_for_the_body.starts_with("HTTP/1.1 100"));
    (process, stalled)
}

#[tokio::test]
async fn a_second_signal_exits_immediately_while_a_connection_is_stalled() {
    let folder = tempfile::tempdir().unwrap();
    // Far longer than the test waits.
    let (mut process, _stalled) = start_stalled(folder.path(), "1h").await;
    process.signal(Signal::TERM);
    process.wait_for_line("stopping").await;
    process.signal(Signal::TERM);
    assert_eq!(process.end().await.code(), Some(1));
}

#[tokio::test]
async fn a_stalled_connection_delays_a_shutdown_no_longer_than_the_grace() {
    let folder = tempfile::tempdir().unwrap();
    let (mut process, _stalled) = start_stalled(folder.path(), "300ms").await;
    let asked = Instant::now();
    process.signal(Signal::TERM);
    assert_eq!(process.end().await.code(), Some(0));
    let took = asked.elapsed();
    assert!(took < GRACE, "{took:?} is not less than the default");
}

/// The rule is "commit before publish": a change that was acknowledged or sent to a viewer is still
/// there after a kill.
#[tokio::test]
async fn a_kill_loses_no_change_that_was_acknowledged_or_sent_and_the_epoch_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut known = String::new();
    let rounds = if cfg!(feature = "slow-tests") { 5 } else { 2 };
    for round in 0..rounds {
        let mut process = Process::start(folder.path(), &QUIET).await;
        let after_restart = process.json("/live/state").await;
        let after_restart = after_restart["cursor"].as_str().unwrap();
        if round > 0 {
            assert_eq!(after_restart[..8], known[..8], "the epoch stays");
            assert!(
                rev_of(after_restart) >= rev_of(&known),
                "{after_restart} {known}"
            );
        }
        let mut sse = Sse::open(&process.base, &format!("?since={after_restart}")).await;
        for status in ["eating", "bathing", "sleeping", "playing"]
            .iter()
            .cycle()
            .take(20)
        {
            let answer = process.set_status(1, status).await.unwrap();
            let answer: Value = answer.json().await.unwrap();
            answer["cursor"].as_str().unwrap().clone_into(&mut known);
        }
        let shown_and_killed = async {
            while rev_of(sse.next().await["cursor"].as_str().unwrap()) <= rev_of(&known) {}
            process.signal(Signal::KILL);
        };
        // A viewer receives this change, whether it is acknowledged or the kill comes first.
        let (_, ()) = tokio::join!(process.set_status(1, "eating"), shown_and_killed);
        known = sse.last_id.clone().unwrap();
        while let Some(shown) = sse.try_next().await {
            shown["cursor"].as_str().unwrap().clone_into(&mut known);
        }
        process.end().await;
    }
}
