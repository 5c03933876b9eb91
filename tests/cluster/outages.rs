//! Servers that die or stand still under an audience and writers: nothing acknowledged is lost,
//! nobody misses or repeats anything, whoever watches is told when it may be old, and writes come
//! back.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep_until};

use super::number;
use super::stage::{Outcome, Stage};
use super::writers::Writers;

const VIEWERS: (usize, usize) = (60, 600);

const STREAM: &str = "PET_STORE";

/// Longer than viewers are left in the dark.
const OUTAGE: Duration = Duration::from_secs(8);

/// The longest that writes may be away when one of three servers dies, in the long form; in the
/// short one others take the machine's time.
const BACK_WITHIN: Duration = Duration::from_secs(10);

fn tell(what: &str, outcome: &Outcome, failure: Instant) {
    let Outcome { story, written } = outcome;
    let (back, stale) = (written.back_after(failure), story.told_stale());
    eprintln!(
        "{what}: writes were back after {back:.1?}; {stale} of {} viewers were told stale; \
         {} acknowledged and 0 lost, {} unknown, {} refused; {} deliveries, 0 missed, 0 repeated",
        story.viewers.len(),
        written.made.len(),
        written.unknown,
        written.refused,
        story.deliveries(),
    );
}

/// Has a crowd watch while `fails` is done to the servers.
async fn play(
    stage: &mut Stage,
    what: &str,
    fails: impl AsyncFnOnce(&mut Stage, &Writers),
) -> (Outcome, Duration) {
    let mut failure = Instant::now();
    let outcome = stage
        .play(
            number(VIEWERS.0, VIEWERS.1),
            async |stage: &mut Stage, writers| {
                failure = Instant::now();
                fails(stage, writers).await;
            },
        )
        .await;
    tell(what, &outcome, failure);
    let back = outcome.written.back_after(failure);
    (outcome, back)
}

async fn pass(time: Duration) {
    sleep_until(Instant::now() + time).await;
}

fn assert_soon(back: Duration) {
    let limit = BACK_WITHIN * u32::try_from(number(4, 1)).unwrap();
    assert!(back < limit, "writes were away for {back:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leader_of_the_stream_is_killed_and_writes_come_back_and_nothing_is_lost() {
    let mut stage = Stage::build().await;
    let leader = stage.servers.leader_of(STREAM);
    let killed = play(
        &mut stage,
        "the leader killed",
        async |stage: &mut Stage, _| {
            stage.servers.kill(leader);
        },
    );
    let (outcome, back) = killed.await;
    assert_soon(back);
    // Viewers are told when nothing was heard for 5 s, which an election may take or not. One that
    // took much longer was told.
    if back > OUTAGE {
        assert_eq!(outcome.story.told_stale(), outcome.story.viewers.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_three_servers_are_gone_for_8_s_and_then_all_three_are_started_again() {
    let mut stage = Stage::build().await;
    let gone = play(
        &mut stage,
        "two of three gone for 8 s",
        async |stage: &mut Stage, _| {
            (0..2).for_each(|server| stage.servers.kill(server));
            pass(OUTAGE).await;
            (0..2).for_each(|server| stage.servers.begin(server));
        },
    );
    let (outcome, _) = gone.await;
    let viewers = outcome.story.viewers.len();
    assert_eq!(outcome.story.told_stale(), viewers, "everyone is told");
    assert!(outcome.written.refused > 0, "writes are refused meanwhile");
    play(
        &mut stage,
        "all three started again",
        async |stage: &mut Stage, _| {
            (0..3).for_each(|server| stage.servers.kill(server));
            (0..3).for_each(|server| stage.servers.begin(server));
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_and_goes_on_takes_nothing_with_it() {
    let mut stage = Stage::build().await;
    for is_leader in [false, true] {
        let what = if is_leader {
            "the leader stopped"
        } else {
            "a follower stopped"
        };
        let leader = stage.servers.leader_of(STREAM);
        let stopped = if is_leader { leader } else { (leader + 1) % 3 };
        let stood_still = play(&mut stage, what, async |stage: &mut Stage, writers| {
            stage.servers.signal(stopped, Signal::STOP);
            writers.until_made(10).await;
            // It finds that others have gone on without it.
            stage.servers.signal(stopped, Signal::CONT);
        });
        let (_, back) = stood_still.await;
        assert_soon(back);
    }
}
