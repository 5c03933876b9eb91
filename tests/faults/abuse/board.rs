//! Twenty concurrent readers of a large board share its rendered list.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval};

use super::is_long;
use super::server::Server;

const READERS: usize = 20;

/// Pets of the board. Their list by the API has over 300 bytes per pet; the page shows 48 of them.
const PETS: usize = 3000;
const PETS_LONG: usize = 100_000;

/// The most that the process may grow: the list once, and a block and a socket buffer per reader. Twenty
/// lists would be over 18 MB.
const GROWTH_KIB: u64 = 16 * 1024;

/// The peak memory in the long form.
const PEAK_LONG_KIB: u64 = 200_000_000 / 1024;

/// The longest time of another response in the long form.
const HEALTHZ_LONG: Duration = Duration::from_millis(50);

/// Reads the response to a GET of `path`, with a pause after each piece, and returns its length.
async fn read(address: SocketAddr, path: &str, pause: Duration) -> usize {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut pauses = interval(pause);
    pauses.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut piece, mut length, mut last) = (vec![0; 256 * 1024], 0, Vec::new());
    loop {
        pauses.tick().await;
        let count = stream.read(&mut piece).await.unwrap();
        if count == 0 {
            break;
        }
        length += count;
        last.extend_from_slice(&piece[..count]);
        last.drain(..last.len().saturating_sub(8));
    }
    assert!(last.ends_with(b"0\r\n\r\n"), "the response is complete");
    length
}

/// Requests `/healthz` repeatedly until `is_over`. Returns the number of responses and the longest time.
fn request_health(address: SocketAddr, is_over: &AtomicBool) -> (usize, Duration) {
    let (mut count, mut longest) = (0, Duration::ZERO);
    while !is_over.load(Ordering::Relaxed) {
        let asked = Instant::now();
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        longest = longest.max(asked.elapsed());
        count += 1;
    }
    (count, longest)
}

#[tokio::test]
async fn a_large_list_costs_one_block_per_reader_and_delays_no_other_request() {
    let pets = if is_long() { PETS_LONG } else { PETS };
    let mut server = Server::start_large(pets).await;
    // The first list leaves cached blocks.
    let list = read(server.address, "/api/v1/pets", Duration::from_micros(1)).await;
    assert!(list > pets * 300, "{list}");
    let before = server.memory_kib();
    for (path, pause, name) in [("/api/v1/pets", 1, "fast"), ("/api/v1/pets", 5, "slow")] {
        let is_over = Arc::new(AtomicBool::new(false));
        let (address, seen) = (server.address, Arc::clone(&is_over));
        let asking = thread::spawn(move || request_health(address, &seen));
        let pause = Duration::from_millis(pause);
        let began = Instant::now();
        let lengths = join_all((0..READERS).map(|_| read(address, path, pause))).await;
        let took = began.elapsed();
        is_over.store(true, Ordering::Relaxed);
        let (asked, longest) = asking.join().unwrap();
        println!(
            "\n{READERS} {name} readers of {path} with {pets} pets ({} MB each): {took:.1?}; {before} KiB \
             before, {} KiB at most; {asked} times /healthz, at most {longest:.1?}",
            lengths[0] / 1_000_000,
            server.peak_kib()
        );
        assert!(asked > 0);
        if is_long() {
            assert!(longest < HEALTHZ_LONG, "{longest:?}");
        }
    }
    let most = if is_long() {
        PEAK_LONG_KIB
    } else {
        before + GROWTH_KIB
    };
    assert!(server.peak_kib() < most, "{} KiB", server.peak_kib());
    server.assert_alive();
}
