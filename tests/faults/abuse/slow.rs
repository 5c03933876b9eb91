//! Twelve kinds of slow client. Each is disconnected within its timeout, and viewers are not delayed.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::server::Server;
use super::watch::Watch;
use super::{is_long, print};

/// The most that a disconnect may be late: workers check their viewers twice a second, and wait for a
/// close.
const SLACK: Duration = Duration::from_secs(5);

/// A kind of slow client.
struct SlowClient {
    name: &'static str,
    /// Sent first.
    first: String,
    /// Sent repeatedly after that.
    trickle: &'static str,
    reads: bool,
}

const SHAKE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

fn kinds() -> Vec<SlowClient> {
    let get =
        |path: &str, fields: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}");
    let post = "POST /pets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n".to_owned();
    let post = post.replace("100000", "60000")
        + "Content-Type: application/x-www-form-urlencoded\r\n\r\nname=";
    let shake = format!("{}\r\n", get("/live/ws", SHAKE));
    let kind = |name, first: String, trickle, reads| SlowClient {
        name,
        first,
        trickle,
        reads,
    };
    vec![
        kind("silent", String::new(), "", true),
        kind("partial line", "GET /pe".to_owned(), "", true),
        kind("partial header", get("/pets", "X-Half: "), "", true),
        kind("head byte by byte", get("/pets", "X: "), "x", true),
        kind("stalled body", post.clone(), "", true),
        kind("trickled body", post, "x", true),
        kind("idle", get("/healthz", "\r\n"), "", true),
        // More responses than the kernel buffers, and none of them is read.
        kind(
            "slow reader",
            get("/api/openapi.json", "\r\n").repeat(400),
            "",
            false,
        ),
        kind(
            "half a WebSocket message",
            format!("{shake}\u{1}\u{0}"),
            "",
            true,
        ),
        kind(
            "HTTP/2 preface",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
            "",
            true,
        ),
        kind("half a handshake", get("/live/ws", SHAKE), "", true),
        kind("never ponging", shake, "", true),
    ]
}

/// The beginning of a frame: masked text of 5 bytes, which are never sent.
const HALF_FRAME: [u8; 2] = [0x81, 0x85];

impl SlowClient {
    fn first(&self) -> Vec<u8> {
        match self.first.strip_suffix("\u{1}\u{0}") {
            Some(shake) => [shake.as_bytes(), &HALF_FRAME].concat(),
            None => self.first.clone().into_bytes(),
        }
    }

    /// Returns the time until the server disconnected it; `None` after `limit`.
    async fn time_to_disconnect(&self, address: SocketAddr, limit: Duration) -> Option<Duration> {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let began = Instant::now();
        // Fails if it is disconnected already.
        let _ = timeout(limit, stream.write_all(&self.first())).await;
        let mut buffer = vec![0; 64 * 1024];
        let mut ticks = interval(Duration::from_millis(200));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ending = async {
            loop {
                tokio::select! {
                    read = stream.read(&mut buffer), if self.reads => {
                        if read.is_err() || read.is_ok_and(|count| count == 0) {
                            return;
                        }
                    }
                    _ = ticks.tick() => {
                        // A client that does not read notices the end when it writes.
                        let bytes = if self.reads { self.trickle } else { "x" };
                        if stream.write_all(bytes.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                }
            }
        };
        timeout(limit, ending).await.ok().map(|()| began.elapsed())
    }
}

#[tokio::test]
async fn slow_clients_are_disconnected_and_viewers_are_not_delayed() {
    let (each, limit) = if is_long() { (50, 10) } else { (4, 1) };
    let time = format!("{limit}s");
    let mut flags = Vec::new();
    for flag in ["head", "body", "idle", "write"] {
        flags.extend([format!("--{flag}-timeout"), time.clone()]);
    }
    flags.extend(["--max-connection-age".to_owned(), time]);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut server = Server::start(4096, &flags).await;
    let quiet = watch_for(&server, Duration::from_secs(limit)).await;
    let before = server.memory_kib();
    let limit = Duration::from_secs(limit) + SLACK;
    let kinds = kinds();
    let slow = join_all(kinds.iter().map(|kind| {
        let address = server.address;
        join_all((0..each).map(move |_| kind.time_to_disconnect(address, limit)))
    }));
    let watch = Watch::start(&server.base).await;
    let slow = slow.await;
    let busy = watch.end().await;
    let mut rows = Vec::new();
    for (kind, ends) in kinds.iter().zip(&slow) {
        let ended: Vec<_> = ends.iter().flatten().collect();
        assert_eq!(ended.len(), each, "{}", kind.name);
        let longest = ended.iter().max().unwrap();
        rows.push(vec![
            kind.name.to_owned(),
            each.to_string(),
            format!("{longest:.1?}"),
        ]);
    }
    print(
        "slow clients: kind, number, longest time to disconnect",
        &rows,
    );
    println!(
        "  viewers' p99: {:.1?} before ({} changes), {:.1?} during the attack ({}); {} KiB before, {} KiB at most",
        quiet.p99(),
        quiet.count(),
        busy.p99(),
        busy.count(),
        before,
        server.peak_kib()
    );
    server.assert_alive();
    assert!(busy.p99() < quiet.p99() * 4 + Duration::from_millis(500));
}

async fn watch_for(server: &Server, time: Duration) -> super::watch::Delays {
    let watch = Watch::start(&server.base).await;
    let mut ticks = interval(time);
    ticks.tick().await;
    ticks.tick().await;
    watch.end().await
}
