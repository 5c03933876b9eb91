//! Twelve kinds of slow client. Each is ended within its limit, and nobody else feels it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::server::Server;
use super::watch::Watch;
use super::{is_long, print};

/// How late an end may be: the senders look at their viewers twice a second, and a close is waited
/// for.
const SLACK: Duration = Duration::from_secs(5);

/// A kind of client: what it sends first, what it then sends a byte at a time, and whether it
/// reads.
struct Kind {
    name: &'static str,
    first: String,
    trickle: &'static str,
    reads: bool,
}

const SHAKE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

fn kinds() -> Vec<Kind> {
    let get =
        |path: &str, fields: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}");
    let post = "POST /pets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n".to_owned();
    let post = post.replace("100000", "60000")
        + "Content-Type: application/x-www-form-urlencoded\r\n\r\nname=";
    let shake = format!("{}\r\n", get("/live/ws", SHAKE));
    let kind = |name, first: String, trickle, reads| Kind {
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
        // Far more answers than the kernel holds, and none of them is read.
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

/// The frame that "half a WebSocket message" begins: masked text of 5 bytes, of which none comes.
const HALF_FRAME: [u8; 2] = [0x81, 0x85];

impl Kind {
    fn first(&self) -> Vec<u8> {
        match self.first.strip_suffix("\u{1}\u{0}") {
            Some(shake) => [shake.as_bytes(), &HALF_FRAME].concat(),
            None => self.first.clone().into_bytes(),
        }
    }

    /// How long the server took to end it; none when it did not within `limit`.
    async fn last(&self, address: SocketAddr, limit: Duration) -> Option<Duration> {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let began = Instant::now();
        // Fails when it was ended already.
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
                        // One who does not read is told by what it writes.
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
async fn every_kind_of_slow_client_is_ended_and_nobody_else_feels_it() {
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
        join_all((0..each).map(move |_| kind.last(address, limit)))
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
        "slow clients: kind, how many at once, the longest took",
        &rows,
    );
    println!(
        "  viewers' p99: {:.1?} before ({} changes), {:.1?} among them ({}); {} KiB before, {} KiB at most",
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
