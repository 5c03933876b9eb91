//! One of three servers hangs: the others go on to ask it for what it has a copy of, and the nodes do
//! not wait for it.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::Nodes;
use super::server::{NEWEST, Servers};
use crate::support::until;

/// So many reads must have gone to the server that hangs, each of which is then asked of another;
/// and the most that are made until that is so. By chance every third does.
const FELL_TO_IT: usize = 5;
const READS: usize = 300;

/// A server that answers does so far sooner, and so does the one that is asked instead far later.
const LATE: Duration = Duration::from_millis(200);

/// How long a reader waits at most.
const READ_WITHIN: Duration = Duration::from_secs(3);

/// What a server with a good copy takes questions about it at.
const COPIES: &str = "$JS.API.DIRECT.GET.PET_STORE";

#[tokio::test]
async fn a_server_that_hangs_is_not_waited_for_while_another_has_a_copy() {
    let servers = Servers::start(3, NEWEST);
    let mut nodes = Nodes::start(&servers, 1).await;
    let leader = servers.leader_of("PET_STORE");
    let (hung, other) = ((leader + 1) % 3, (leader + 2) % 3);
    let flags = ["--simulate", "off"];
    nodes.add_at(&servers.address_of(other), &flags).await;
    nodes.set(1, 1, "bathing").await;
    for server in 0..3 {
        until("a copy on each server", async || {
            servers.takes(server, COPIES)
        })
        .await;
    }
    servers.signal(hung, Signal::STOP);

    let url = format!("{}/pets/1/history", nodes.base(1));
    let mut fell_to_it = 0;
    for _ in 0..READS {
        let asked = Instant::now();
        let answer = nodes.nodes[1].client.get(&url).send().await.unwrap();
        let took = asked.elapsed();
        assert_eq!(answer.status(), 200, "after {took:?}");
        assert!(took < READ_WITHIN, "{took:?}");
        fell_to_it += usize::from(took > LATE);
        if fell_to_it == FELL_TO_IT {
            break;
        }
    }
    assert_eq!(fell_to_it, FELL_TO_IT, "of {READS} reads");
    servers.signal(hung, Signal::CONT);
}
