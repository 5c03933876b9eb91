//! A large audience behind a balancer without sticky sessions: every viewer sees every change once and
//! in order, also when its node is killed.

use std::time::Duration;

use tokio::time::Instant;

use super::support::by_form;
use super::support::testbed::{Outcome, Testbed};

const VIEWERS: (usize, usize) = (300, 3000);

/// Changes without any failure, at 50 per second.
const CHANGES: (usize, usize) = (100, 1000);

/// Limit for the downtime of a viewer whose node was killed, without its back-off.
const DOWNTIME_LIMIT: Duration = Duration::from_secs(3);

fn print_outcome(event: &str, outcome: &Outcome, resyncs: u64) {
    let Outcome { seen, writes } = outcome;
    eprintln!(
        "{event}: {} viewers, {} changes, {} deliveries, 0 missed, 0 repeated; \
         {} acknowledged, {} unknown, {} refused; {resyncs} resyncs",
        seen.viewers.len(),
        seen.changes.len(),
        seen.deliveries(),
        writes.acknowledged.len(),
        writes.unknown,
        writes.refused
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn viewers_of_three_nodes_see_every_change_once_in_order_and_under_the_same_cursors() {
    let mut testbed = Testbed::start().await;
    let outcome = testbed.run(by_form(VIEWERS.0, VIEWERS.1), async |_, writers| {
        let changes = by_form(CHANGES.0, CHANGES.1);
        writers.wait_for_acknowledged(changes).await;
    });
    let outcome = outcome.await;
    let viewers = outcome.seen.viewers.iter();
    let reconnects: usize = viewers.map(|viewer| viewer.reconnects.len()).sum();
    assert_eq!(reconnects, 0, "no viewer lost its connection");
    assert_eq!((outcome.writes.unknown, outcome.writes.refused), (0, 0));
    print_outcome("no failure", &outcome, testbed.resyncs().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn viewers_of_a_killed_node_continue_at_the_others_and_miss_and_repeat_nothing() {
    let mut testbed = Testbed::start().await;
    let viewers = by_form(VIEWERS.0, VIEWERS.1);
    let mut killed = Instant::now();
    let outcome = testbed.run(viewers, async |testbed: &mut Testbed, writers| {
        writers.avoid(1);
        testbed.killed.push(1);
        killed = Instant::now();
        testbed.nodes.nodes[1].kill().await;
    });
    let outcome = outcome.await;
    let downtimes = outcome.seen.downtimes(killed);
    let count = downtimes.len();
    // A third of the viewers, without pollers whose next request went to another node.
    assert!(count >= viewers / 5, "{count} lost their node");
    let (median, longest) = (downtimes[count / 2], downtimes[count - 1]);
    print_outcome("a node killed", &outcome, testbed.resyncs().await);
    let in_time = downtimes
        .iter()
        .filter(|downtime| **downtime <= DOWNTIME_LIMIT);
    let in_time = in_time.count();
    eprintln!(
        "{count} viewers lost their node; live on another, without their back-off, after \
         {median:.2?} at the median and {longest:.2?} at most; {in_time} within {DOWNTIME_LIMIT:?}"
    );
    assert!(
        longest <= DOWNTIME_LIMIT,
        "a viewer was down for {longest:?}"
    );
}
