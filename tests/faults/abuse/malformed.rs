//! Malformed requests get the right status, take no memory, and viewers miss no change.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::requests::{Request, all};
use super::server::Server;
use super::watch::Watch;
use super::{is_long, print};
use crate::support::within;

/// The most that the process may grow, in KiB.
const GROWTH_KIB: u64 = 8 * 1024;

/// Closes connections soon after their response.
const SHORT_TIMEOUTS: [&str; 4] = ["--idle-timeout", "100ms", "--head-timeout", "2s"];

/// Returns the statuses of all responses. Writes and reads concurrently, because the server need not
/// read all of a refused request.
async fn ask(address: SocketAddr, request: &Request) -> Vec<u16> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let writing = async {
        // Fails when the server closes the connection.
        let _ = writer.write_all(&request.bytes).await;
    };
    let mut answer = Vec::new();
    // A reset discards unread bytes; the bytes before it count.
    let reading = async { reader.read_to_end(&mut answer).await };
    let ((), _read) = within(request.name, async { tokio::join!(writing, reading) }).await;
    let answer = String::from_utf8_lossy(&answer);
    let statuses = answer
        .split("HTTP/1.1 ")
        .skip(1)
        .chain(answer.split("HTTP/1.0 ").skip(1));
    statuses
        .map(|answer| answer[..3].parse().unwrap())
        .collect()
}

#[tokio::test]
async fn a_malformed_request_gets_its_status_and_takes_no_memory() {
    let rounds = if is_long() { 5 } else { 1 };
    let requests = all();
    assert!(requests.len() >= 45, "{}", requests.len());
    let mut server = Server::start(1024, &SHORT_TIMEOUTS).await;
    // Warms up allocations that happen once.
    for request in &requests {
        ask(server.address, request).await;
    }
    let before = server.memory_kib();
    let watch = Watch::start(&server.base).await;
    let mut rows = Vec::new();
    for _ in 0..rounds {
        rows.clear();
        for request in &requests {
            let statuses = ask(server.address, request).await;
            let is_one = statuses.len() == 1;
            let is_right = is_one && request.right.contains(&statuses[0]);
            assert!(is_right, "{}: {statuses:?}", request.name);
            rows.push(vec![request.name.to_owned(), statuses[0].to_string()]);
        }
    }
    server.assert_alive();
    let seen = watch.end().await;
    let after = server.memory_kib();
    print("malformed requests and their statuses", &rows);
    println!(
        "  {} requests, {rounds} times; {before} KiB before, {after} KiB after; {} changes, none missed",
        rows.len(),
        seen.count()
    );
    assert!(seen.count() > 0);
    assert!(
        after < before + GROWTH_KIB,
        "{before} KiB, then {after} KiB"
    );
}
