//! The memory of unfinished requests is bounded, and freed when their clients leave.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::is_long;
use super::server::Server;
use crate::support::{ask, until};

/// The budget of all unfinished requests in these tests.
const BUDGET: &str = "16MiB";
const BUDGET_KIB: u64 = 16 * 1024;

/// Memory beside the budget: responses in flight, and the rounding of kernel and allocator.
const SLACK_KIB: u64 = 12 * 1024;

/// Memory that may remain afterwards.
const KEPT_KIB: u64 = 6 * 1024;

/// The longest time until the memory is freed.
const BACK_TO_NORMAL: Duration = Duration::from_secs(10);

/// Waits until the process has at most this much memory, and returns the time.
async fn until_at_most(server: &Server, most_kib: u64) -> Duration {
    let began = Instant::now();
    until("normal memory", async || server.memory_kib() <= most_kib).await;
    assert!(began.elapsed() < BACK_TO_NORMAL, "{:?}", began.elapsed());
    began.elapsed()
}

/// A thousand unfinished bodies from one address took 289 MB, those from six addresses 1.5 GB.
#[tokio::test]
async fn unfinished_requests_stay_within_their_budget_and_free_it() {
    let clients = if is_long() { 3000 } else { 600 };
    let flags = ["--max-request-buffers", BUDGET, "--head-timeout", "60s"];
    let mut server = Server::start(8192, &flags).await;
    // Memory that the first request of each kind takes for good does not count: parsed templates, the
    // rendered board, threads.
    for method in ["GET", "POST"] {
        let request =
            format!("{method} /pets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        let answer = ask(server.address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    }
    let before = server.memory_kib();
    let body = "POST /pets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65000\r\n\r\n".to_owned();
    let body = body + &"x".repeat(60_000);
    let head = format!(
        "GET /pets HTTP/1.1\r\nHost: localhost\r\nX: {}",
        "x".repeat(60_000)
    );
    let most = before + BUDGET_KIB + SLACK_KIB;
    // Each round reuses the memory of the one before.
    let mut took = Duration::ZERO;
    for _ in 0..3 {
        let mut held = Vec::new();
        for client in 0..clients {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            // Fails when the server closes the connection.
            let _ = stream
                .write_all([&body, &head][client % 2].as_bytes())
                .await;
            held.push(stream);
        }
        assert!(server.peak_kib() <= most, "{} KiB", server.peak_kib());
        drop(held);
        took = until_at_most(&server, before + KEPT_KIB).await;
    }
    println!(
        "\n{clients} unfinished requests: {before} KiB before, {} KiB at most, {} KiB {took:.1?} after",
        server.peak_kib(),
        server.memory_kib()
    );
    server.assert_alive();
}
