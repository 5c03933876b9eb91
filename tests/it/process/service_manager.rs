//! Under a service manager: its sockets, its notifications, its watchdog; and the health check of a
//! container.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Client;
use rustix::process::Signal;
use serde_json::Value;
use tokio::net::UnixDatagram;

use super::QUIET;
use crate::support::{Process, Raw, Ws, ran, refused_on, rev_of, within};

const SERVE: [&str; 3] = ["demo", "--simulate", "off"];

fn socket() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Requests pages on new connections, changes on one that is kept, until `stop`. Returns the revs of
/// the changes. Panics at the first request that is not answered.
async fn request_until(stop: &AtomicBool, base: &str) -> Vec<u64> {
    let new_connections = Client::builder().no_proxy().pool_max_idle_per_host(0);
    let (reader, writer) = (
        new_connections.build().unwrap(),
        Client::builder().no_proxy().build().unwrap(),
    );
    let mut revs = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let page = reader.get(format!("{base}/pets")).send().await.unwrap();
        assert_eq!(page.status(), 200);
        let status = ["eating", "playing"][revs.len() % 2];
        let change = writer.put(format!("{base}/api/v1/pets/1/status"));
        let change = change.json(&serde_json::json!({ "status": status }));
        let answer: Value = change.send().await.unwrap().json().await.unwrap();
        revs.push(rev_of(answer["cursor"].as_str().unwrap()));
    }
    revs
}

/// Without socket activation each restart refuses connections for as long as the store is checked.
#[tokio::test]
async fn a_restart_on_a_passed_socket_refuses_no_request_and_loses_no_change() {
    let (folder, socket) = (tempfile::tempdir().unwrap(), socket());
    let passed = [(&socket, "pet-store.socket")];
    let mut process = Process::start_on(&passed, folder.path(), &SERVE, &[]).await;
    let address = socket.local_addr().unwrap();
    assert_eq!(process.base, format!("http://{address}"));
    let stop = AtomicBool::new(false);
    let restarts = async {
        for _ in 0..3 {
            let mut viewer = Ws::open(&process.base, "").await;
            assert_eq!(viewer.next().await["type"], "hello");
            let mut waiting = Raw::open(address).await;
            // Answered, so the connection before it was accepted.
            process.text("/healthz").await;
            process.signal(Signal::TERM);
            process.wait_for_line("stopping").await;
            waiting
                .send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                .await;
            let answer = waiting.read_until("ok\n").await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
            assert!(answer.contains("connection: close"), "{answer:?}");
            assert_eq!(process.end().await.code(), Some(0));
            process = Process::start_on(&passed, folder.path(), &SERVE, &[]).await;
        }
        stop.store(true, Ordering::Relaxed);
    };
    let base = format!("http://{address}");
    let (revs, ()) = tokio::join!(request_until(&stop, &base), restarts);
    let first = revs[0];
    let expected: Vec<u64> = (first..first + revs.len() as u64).collect();
    assert_eq!(revs, expected, "each change was made once");
    let state = process.json("/live/state").await;
    assert_eq!(
        rev_of(state["cursor"].as_str().unwrap()),
        revs[revs.len() - 1]
    );
}

#[tokio::test]
async fn a_second_passed_socket_serves_metrics_if_that_is_its_name() {
    let (folder, site, metrics) = (tempfile::tempdir().unwrap(), socket(), socket());
    let passed = [(&site, "site"), (&metrics, "metrics")];
    let process = Process::start_on(&passed, folder.path(), &SERVE, &[]).await;
    let url = format!("http://{}/metrics", metrics.local_addr().unwrap());
    let answer = process.client.get(url).send().await.unwrap();
    assert!(answer.text().await.unwrap().contains("petstore_viewers"));
    assert_eq!(process.text("/healthz").await, "ok\n");
}

#[tokio::test]
async fn sockets_that_cannot_be_served_stop_the_start() {
    let (folder, site, second) = (tempfile::tempdir().unwrap(), socket(), socket());
    let passed = [(&site, "site"), (&second, "other")];
    let (code, lines) = refused_on(&passed, folder.path(), &SERVE).await;
    assert_eq!(code, 1);
    assert!(lines[0].contains("more than one socket"), "{lines:?}");
    // In the demo everyone is staff.
    let everywhere = TcpListener::bind("0.0.0.0:0").unwrap();
    let (code, lines) = refused_on(&[(&everywhere, "")], folder.path(), &SERVE).await;
    assert_eq!(code, 2);
    assert!(lines[0].contains("loopback only"), "{lines:?}");
    assert!(!folder.path().join("data").exists());
}

/// Receives a message to the service manager.
async fn notified(manager: &UnixDatagram) -> String {
    let mut buffer = [0; 256];
    let length = within("a notification", manager.recv(&mut buffer)).await;
    String::from_utf8(buffer[..length.unwrap()].to_vec()).unwrap()
}

#[tokio::test]
async fn the_service_manager_hears_of_the_start_the_health_and_the_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let environment = [
        ("NOTIFY_SOCKET", path.to_str().unwrap()),
        ("WATCHDOG_USEC", "100000"),
    ];
    let mut process = Process::start_with(folder.path(), &QUIET, &environment).await;
    let ready = notified(&manager).await;
    assert!(ready.starts_with("READY=1\n"), "{ready}");
    assert!(ready.contains(&process.base), "{ready}");
    for _ in 0..3 {
        assert_eq!(notified(&manager).await, "WATCHDOG=1");
    }
    process.signal(Signal::TERM);
    let stopping = loop {
        match notified(&manager).await {
            message if message == "WATCHDOG=1" => {}
            other => break other,
        }
    };
    assert!(stopping.starts_with("STOPPING=1\n"), "{stopping}");
    assert_eq!(process.end().await.code(), Some(0));
}

#[tokio::test]
async fn the_health_check_exits_with_0_only_while_the_server_answers() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path(), &QUIET).await;
    let address = process.base.strip_prefix("http://").unwrap().to_owned();
    let check = ["healthcheck", "--listen", &address];
    assert_eq!(ran(folder.path(), &check).await, (0, vec![]));
    process.kill().await;
    let (code, lines) = ran(folder.path(), &check).await;
    assert_eq!(code, 1);
    assert!(lines[0].contains("no server answers"), "{lines:?}");
}
