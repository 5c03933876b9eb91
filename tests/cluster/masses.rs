//! A large audience through a balancer without sticky sessions: everybody sees every change once
//! and in order, also when a node is killed under them.

use std::time::Duration;

use tokio::time::Instant;

use super::number;
use super::stage::{Outcome, Stage};

const VIEWERS: (usize, usize) = (300, 3000);

/// Changes while nothing happens, at 50 in a second.
const CALM: (usize, usize) = (100, 1000);

/// The longest that those who lost their node may be away, apart from the waits that they choose
/// themselves.
const AWAY: Duration = Duration::from_secs(3);

fn tell(what: &str, outcome: &Outcome, resyncs: u64) {
    let Outcome { story, written } = outcome;
    eprintln!(
        "{what}: {} viewers, {} changes, {} deliveries, 0 missed, 0 repeated; \
         {} acknowledged, {} unknown, {} refused; {resyncs} resyncs",
        story.viewers.len(),
        story.changes.len(),
        story.deliveries(),
        written.made.len(),
        written.unknown,
        written.refused
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_at_three_nodes_sees_every_change_once_and_in_order_under_the_same_cursors() {
    let mut stage = Stage::build().await;
    let viewers = number(VIEWERS.0, VIEWERS.1);
    let outcome = stage
        .play(viewers, async |_, writers| {
            writers.until_made(number(CALM.0, CALM.1)).await
        })
        .await;
    let returns = outcome.story.viewers.iter().map(|seen| seen.returns.len());
    assert_eq!(returns.sum::<usize>(), 0, "nobody lost a connection");
    assert_eq!((outcome.written.unknown, outcome.written.refused), (0, 0));
    tell("all is well", &outcome, stage.resyncs().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_crowd_of_a_killed_node_goes_on_at_the_others_and_misses_and_repeats_nothing() {
    let mut stage = Stage::build().await;
    let viewers = number(VIEWERS.0, VIEWERS.1);
    let mut killed = Instant::now();
    let outcome = stage
        .play(viewers, async |stage: &mut Stage, writers| {
            writers.avoid(1);
            stage.killed.push(1);
            killed = Instant::now();
            stage.nodes.nodes[1].kill().await;
        })
        .await;
    let away = outcome.story.away(killed);
    // A third of them, less those who polled and whose question the balancer asked elsewhere.
    assert!(away.len() >= viewers / 5, "{} lost their node", away.len());
    let (median, longest) = (away[away.len() / 2], away[away.len() - 1]);
    tell("a node killed", &outcome, stage.resyncs().await);
    let count = away.len();
    let in_time = away.iter().filter(|away| **away <= AWAY).count();
    eprintln!(
        "{count} viewers lost their node; live on another, apart from their own wait, \
         after {median:.2?} at the median and {longest:.2?} at most; {in_time} within {AWAY:?}"
    );
    assert!(longest <= AWAY, "one of them was away for {longest:?}");
}
