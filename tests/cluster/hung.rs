//! One of three servers hangs, for longer than an election takes: the other two go on to ask it for
//! what it has a copy of, and the nodes do not wait for it.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::time::sleep;

use super::Nodes;
use super::server::{NEWEST, Servers};

/// Without asking another, a third of them would fall to the one that hangs, so that all are
/// answered once in 1,000 runs.
const READS: usize = 20;

/// How long a reader waits at most.
const READ_WITHIN: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_server_that_hangs_is_not_waited_for_while_another_has_a_copy() {
    let servers = Servers::start(3, NEWEST);
    let mut nodes = Nodes::start(&servers, 1).await;
    let leader = servers.leader_of("PET_STORE");
    let addresses = servers.address();
    let mut addresses = addresses.trim_start_matches("nats://").split(',');
    let third = addresses.nth((leader + 2) % 3).unwrap();
    nodes
        .add_at(&format!("nats://{third}"), &["--simulate", "off"])
        .await;
    nodes.set(1, 1, "bathing").await;
    // A server looks once a second whether its copy is good enough to answer from.
    sleep(Duration::from_secs(3)).await;
    servers.signal((leader + 1) % 3, Signal::STOP);
    // For so long, connections to it may have to be found dead.
    sleep(Duration::from_secs(6)).await;

    for _ in 0..READS {
        let asked = Instant::now();
        let url = format!("{}/pets/1/history", nodes.base(1));
        let answer = nodes.nodes[1].client.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(asked.elapsed() < READ_WITHIN, "{:?}", asked.elapsed());
    }
    servers.signal((leader + 1) % 3, Signal::CONT);
}
