//! A whole cluster with an audience: three servers, three nodes, the balancer, a crowd, and
//! writers; and something that happens to it.

use serde_json::Value;

use super::balancer::Balancer;
use super::crowd::{AddressLimiter, Story};
use super::server::{NEWEST, Servers};
use super::writers::{PETS, Writers, Written};
use super::{Nodes, number};
use crate::support::{metric_in, rev_of};

/// Changes in a second.
const PACE: u32 = 50;

/// Changes that are made before something happens, and after it.
const BEFORE: (usize, usize) = (50, 500);

pub struct Stage {
    pub servers: Servers,
    pub nodes: Nodes,
    /// Nodes that were killed.
    pub killed: Vec<usize>,
    balancer: Balancer,
}

/// What came of it.
pub struct Outcome {
    pub story: Story,
    pub written: Written,
}

impl Stage {
    pub async fn build() -> Self {
        let servers = Servers::start(3, NEWEST);
        let mut nodes = Nodes::start(&servers, 0).await;
        let pets = PETS.to_string();
        for _ in 0..3 {
            nodes
                .add(
                    &servers,
                    &["--pets", &pets, "--simulate", "off", "--heartbeat", "1s"],
                )
                .await;
        }
        let bases = [nodes.base(0), nodes.base(1), nodes.base(2)];
        let balancer = Balancer::start(&bases).await;
        Stage {
            servers,
            nodes,
            killed: Vec::new(),
            balancer,
        }
    }

    /// Has `viewers` watch while changes are made at all nodes and `happens` happens; then holds
    /// what everyone saw and was told against each other.
    pub async fn play(
        &mut self,
        viewers: usize,
        happens: impl AsyncFnOnce(&mut Stage, &Writers),
    ) -> Outcome {
        let crowd = AddressLimiter::join(self.balancer.address, viewers).await;
        let bases = self.nodes.nodes.iter().map(|node| node.base.clone());
        let writers = Writers::start(bases.collect(), PACE);
        let changes = number(BEFORE.0, BEFORE.1);
        writers.until_made(changes).await;
        happens(self, &writers).await;
        writers.until_made(changes).await;
        let written = writers.stop().await;
        let last = self.last().await;
        let story = crowd.end(last).await;
        let outcome = Outcome { story, written };
        outcome.story.assert_exact();
        let (_last, changes) = outcome.story.changes.split_last().unwrap();
        outcome.written.assert_kept(changes);
        self.assert_one_board().await;
        outcome
    }

    fn living(&self) -> impl Iterator<Item = usize> {
        (0..3).filter(|node| !self.killed.contains(node))
    }

    /// The rev of a change after which there is no other: whatever nobody knew of is there by now,
    /// or never will be.
    async fn last(&self) -> u64 {
        let node = self.living().next().unwrap();
        rev_of(&self.nodes.set_at_last(node, 1, "eating").await)
    }

    /// All nodes show the same, at the same cursor.
    async fn assert_one_board(&self) {
        let mut boards: Vec<Value> = Vec::new();
        for node in self.living() {
            boards.push(self.nodes.nodes[node].json("/live/state").await);
        }
        for board in &boards[1..] {
            assert_eq!(*board, boards[0]);
        }
    }

    /// How often viewers who were late got the newest of each pet instead of everything, on all
    /// nodes together.
    pub async fn resyncs(&self) -> u64 {
        let mut resyncs = 0;
        for node in self.living() {
            let text = self.nodes.nodes[node].text("/metrics").await;
            resyncs += metric_in(&text, "petstore_resyncs_total");
        }
        resyncs
    }
}
