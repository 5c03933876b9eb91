//! More clients than descriptors: the rest are refused with 503, the server idles, and recovers as
//! soon as clients leave.

use std::time::{Duration, Instant};

use tokio::time::interval;

use super::server::Server;
use crate::support::{Raw, Sse, ask, until};

const CLIENTS: usize = 100;

/// The most CPU time in one second with all clients connected, in hundredths of a second.
const IDLE_TICKS: u64 = 10;

#[tokio::test]
async fn clients_beyond_the_descriptors_are_refused_and_the_others_served() {
    let mut server = Server::start(64, &[]).await;
    let mut viewers = Vec::new();
    let mut refused = 0;
    for _ in 0..CLIENTS {
        match Sse::try_open(&server.base, "", None).await {
            Some(sse) => viewers.push(sse),
            None => refused += 1,
        }
    }
    assert!(
        viewers.len() >= 20 && refused > 0,
        "{} accepted",
        viewers.len()
    );
    // Some descriptors are reserved for clients that are not viewers.
    let page = ask(
        server.address,
        "GET /pets HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    let form = "POST /pets/1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
        Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 13\r\n\r\nstatus=eating";
    let answer = ask(server.address, form).await;
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    let over = ask(
        server.address,
        "GET /live/sse HTTP/1.1\r\nHost: localhost\r\n\r\n",
    )
    .await;
    assert!(
        over.starts_with("HTTP/1.1 503 ") && over.to_lowercase().contains("retry-after"),
        "{over}"
    );
    // Silent connections, until there is no descriptor left.
    let mut silent = Vec::new();
    for _ in 0..CLIENTS {
        silent.push(Raw::open(server.address).await);
    }
    let before = server.cpu_ticks();
    let mut second = interval(Duration::from_secs(1));
    second.tick().await;
    second.tick().await;
    let ticks = server.cpu_ticks() - before;
    let crowd = viewers.len();
    drop((viewers, silent));
    let left = Instant::now();
    until("a free slot", async || {
        Sse::try_open(&server.base, "", None).await.is_some()
    })
    .await;
    println!(
        "\n64 descriptors, {CLIENTS} viewers: {crowd} accepted, {refused} refused; {ticks} % of a core; \
         recovered after {:.1?}",
        left.elapsed()
    );
    server.assert_alive();
    assert!(ticks <= IDLE_TICKS, "{ticks} % of a core");
    assert!(
        left.elapsed() < Duration::from_secs(2),
        "{:?}",
        left.elapsed()
    );
}
