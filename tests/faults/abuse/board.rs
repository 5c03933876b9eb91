//! A large board and twenty readers of its page at the same time: they share what is rendered.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::server::Server;
use crate::support::ask_until;

const READERS: usize = 20;

/// Pets of the board: a page of 4 MB, with its forms.
const PETS: &str = "3000";

/// What the process may grow by: the page once, and a block and a socket's buffer for each reader.
/// Twenty pages would be 80 MB.
const GROWTH_KIB: u64 = 24 * 1024;

const REQUEST: &str = "GET /pets HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Reads a page, with a pause after each piece, and gives its length.
async fn read(server: &Server, pause: Duration) -> usize {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(REQUEST.as_bytes()).await.unwrap();
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
        last = piece[..count].to_vec();
    }
    assert!(last.ends_with(b"0\r\n\r\n"), "the page came to its end");
    length
}

#[tokio::test]
async fn a_page_of_a_large_board_costs_a_block_a_reader_and_delays_nobody() {
    let mut server = Server::start(1024, &["--pets", PETS]).await;
    let before = server.memory_kib();
    let mut longest = Duration::ZERO;
    let mut length = 0;
    for (pause, name) in [(1, "fast"), (20, "slow")] {
        let pause = Duration::from_millis(pause);
        let reading = join_all((0..READERS).map(|_| read(&server, pause)));
        let asking = async {
            loop {
                let asked = Instant::now();
                let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
                ask_until(server.address, request, "ok\n").await;
                longest = longest.max(asked.elapsed());
                tokio::task::yield_now().await;
            }
        };
        let began = Instant::now();
        let lengths = tokio::select! {
            lengths = reading => lengths,
            () = asking => unreachable!("it asks until all is read"),
        };
        length = lengths[0];
        println!(
            "\n{READERS} {name} readers of {PETS} pets ({} MB each): {:.1?}; {before} KiB before, {} KiB at \
             most; /healthz at most {longest:.1?}",
            length / 1_000_000,
            began.elapsed(),
            server.peak_kib()
        );
    }
    assert!(length > 1_000_000, "{length}");
    assert!(
        server.peak_kib() < before + GROWTH_KIB,
        "{} KiB",
        server.peak_kib()
    );
    server.assert_alive();
}
