//! A whole cluster with an audience: three servers, three nodes, the balancer, viewers and writers.

use serde_json::Value;

use super::audience::{Audience, AudienceRecord};
use super::balancer::Balancer;
use super::writers::{PETS, WriteRecord, Writers};
use super::{Nodes, by_form};
use crate::cluster::server::{NEWEST, Servers};
use crate::support::{metric_in, rev_of};

/// Changes per second.
const CHANGES_PER_SECOND: u32 = 50;

/// Changes that are acknowledged before the event of a test, and after it.
const CHANGES_AROUND: (usize, usize) = (50, 500);

pub struct Testbed {
    pub servers: Servers,
    pub nodes: Nodes,
    /// Nodes that a test killed.
    pub killed: Vec<usize>,
    balancer: Balancer,
}

/// The result of a run.
pub struct Outcome {
    pub seen: AudienceRecord,
    pub writes: WriteRecord,
}

impl Testbed {
    pub async fn start() -> Self {
        let servers = Servers::start(3, NEWEST);
        let mut nodes = Nodes::start(&servers, 0).await;
        let pets = PETS.to_string();
        let flags = ["--pets", &pets, "--simulate", "off", "--heartbeat", "1s"];
        for _ in 0..3 {
            nodes.add(&servers, &flags).await;
        }
        let bases = [nodes.base(0), nodes.base(1), nodes.base(2)];
        let balancer = Balancer::start(&bases).await;
        Testbed {
            servers,
            nodes,
            killed: Vec::new(),
            balancer,
        }
    }

    /// Has `viewers` watch while all nodes are written to and `event` happens. Then asserts that every
    /// viewer saw every change once and in order, and that no acknowledged change is lost.
    pub async fn run(
        &mut self,
        viewers: usize,
        event: impl AsyncFnOnce(&mut Testbed, &Writers),
    ) -> Outcome {
        let audience = Audience::join(self.balancer.address, viewers).await;
        let bases = self.nodes.nodes.iter().map(|node| node.base.clone());
        let writers = Writers::start(bases.collect(), CHANGES_PER_SECOND);
        let changes = by_form(CHANGES_AROUND.0, CHANGES_AROUND.1);
        writers.wait_for_acknowledged(changes).await;
        event(self, &writers).await;
        writers.wait_for_acknowledged(changes).await;
        let writes = writers.stop().await;
        let last = self.last_rev().await;
        let seen = audience.finish(last).await;
        seen.assert_exact();
        let (_last, changes) = seen.changes.split_last().unwrap();
        writes.assert_kept(changes);
        self.assert_same_board().await;
        Outcome { seen, writes }
    }

    fn running(&self) -> impl Iterator<Item = usize> {
        (0..3).filter(|node| !self.killed.contains(node))
    }

    /// Makes the last change and returns its rev. A write of unknown outcome has a lower rev or is never
    /// made.
    async fn last_rev(&self) -> u64 {
        let node = self.running().next().unwrap();
        rev_of(&self.nodes.set_eventually(node, 1, "eating").await)
    }

    async fn assert_same_board(&self) {
        let mut boards: Vec<Value> = Vec::new();
        for node in self.running() {
            boards.push(self.nodes.nodes[node].json("/live/state").await);
        }
        for board in &boards[1..] {
            assert_eq!(*board, boards[0]);
        }
    }

    /// Returns how often slow viewers of all nodes were resynced.
    pub async fn resyncs(&self) -> u64 {
        let mut resyncs = 0;
        for node in self.running() {
            let text = self.nodes.nodes[node].text("/metrics").await;
            resyncs += metric_in(&text, "petstore_resyncs_total");
        }
        resyncs
    }
}
