//! The invariants of the hub. Each was broken once to see its test fail.

mod chain;
mod gaps;
mod private;

use std::future::{Future, pending, ready};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::time::timeout;

use super::backlog::BACKLOG_LIMIT;
use super::*;
use crate::model::example::{change, pet};
use crate::model::{ChangeKind, Status};
use crate::store::MemoryEngine;

/// Limit on each wait.
const LIMIT: Duration = Duration::from_mins(1);

/// Rounds of ten joins that race with ten changes. With 200 rounds, one run of five missed a broken rule.
const ROUNDS: usize = 1000;

/// A hub over a store in memory.
struct Rig {
    engine: Arc<MemoryEngine>,
    hub: Arc<Hub>,
}

impl Rig {
    /// A board with pets 1 and 2, at rev 2.
    fn start() -> Self {
        let engine = Arc::new(MemoryEngine::new(Epoch::new(0xabc)));
        let hub = Hub::open(engine.clone(), Metrics::new()).unwrap();
        let rig = Rig { engine, hub };
        for id in [1, 2] {
            rig.change(id, ChangeKind::Pet(Arc::new(pet(id))));
        }
        rig
    }

    /// Commits and publishes one change, as the writer does.
    fn change(&self, pet: u64, kind: ChangeKind) {
        let change = change(self.newest() + 1, pet, kind);
        self.engine.append(std::slice::from_ref(&change)).unwrap();
        self.hub.publish(&[change]);
    }

    /// `count` statuses for `pet`, no two alike in a row.
    fn statuses(&self, pet: u64, count: usize) {
        for turn in 0..count {
            self.change(pet, ChangeKind::Status(Status::FOUR[turn % 4]));
        }
    }

    /// Returns the catch-up of a viewer that has received everything up to `rev`.
    fn catch_up(&self, filter: TopicFilter, rev: u64) -> CatchUp {
        self.hub.catch_up(filter, self.since(rev))
    }

    fn newest(&self) -> u64 {
        self.hub.newest().0.get()
    }

    fn since(&self, rev: u64) -> Option<Cursor> {
        let epoch = self.hub.epoch();
        let rev = Rev::new(rev);
        Some(Cursor { epoch, rev })
    }
}

fn only(pet: u64) -> TopicFilter {
    TopicFilter::new([PetId::new(pet).into()]).unwrap()
}

/// Waits for the next chunk, and returns its revs.
async fn next_revs(catch_up: &mut CatchUp) -> Vec<u64> {
    let chunk = timeout(LIMIT, catch_up.next_within(pending::<()>())).await;
    revs(&chunk.expect("there is a new change"))
}

/// Waits for a chunk until `limit` completes, asserts that there is none, and returns the rev reached.
async fn silence(catch_up: &mut CatchUp, limit: impl Future) -> u64 {
    let chunk = timeout(LIMIT, catch_up.next_within(limit)).await;
    let chunk = chunk.expect("the limit completes");
    assert!(chunk.frames.is_empty() && chunk.is_whole);
    chunk.reaches.get()
}

/// Returns the revs of all chunks without waiting.
async fn all_revs(catch_up: &mut CatchUp) -> Vec<u64> {
    let mut all = Vec::new();
    loop {
        let chunk = catch_up.next().await;
        all.extend(revs(&chunk));
        if chunk.is_whole {
            return all;
        }
    }
}

fn revs(chunk: &Chunk) -> Vec<u64> {
    chunk.frames.iter().map(|frame| frame.rev().get()).collect()
}

fn is_snapshot(chunk: &Chunk) -> bool {
    matches!(&chunk.frames[..], [frame] if frame.topic().is_none()) && chunk.is_whole
}

/// Rule 3. Fails if the waiter is registered after the first look, or if a chunk does not start where the
/// one before ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_in_the_middle_of_changes_neither_skips_nor_repeats() {
    let rig = Arc::new(Rig::start());
    for _ in 0..ROUNDS {
        let newest = rig.newest() + 10;
        // Each change starts together with a join.
        let together = Arc::new(Barrier::new(2));
        let publishing = tokio::task::spawn_blocking({
            let (rig, together) = (Arc::clone(&rig), Arc::clone(&together));
            move || {
                for status in Status::FOUR.into_iter().cycle().take(10) {
                    together.wait();
                    rig.change(1, ChangeKind::Status(status));
                }
            }
        });
        let mut viewers = Vec::new();
        for _ in 0..10 {
            together.wait();
            let since = rig.newest();
            let catch_up = rig.catch_up(TopicFilter::All, since);
            viewers.push(tokio::spawn(follow(catch_up, since, newest)));
        }
        publishing.await.unwrap();
        for viewer in viewers {
            viewer.await.unwrap();
        }
    }
}

/// Receives the changes from `since` to `newest` one by one.
async fn follow(mut catch_up: CatchUp, since: u64, newest: u64) {
    let mut expected = since;
    while expected < newest {
        for rev in next_revs(&mut catch_up).await {
            expected += 1;
            assert_eq!(rev, expected);
        }
    }
}

/// Rule 4. Fails if a frame in memory is encoded again.
#[tokio::test]
async fn a_change_and_a_snapshot_are_encoded_once_for_everyone() {
    let rig = Rig::start();
    let mut stream = rig.hub.subscribe();
    let mut viewers = [(); 3].map(|()| rig.hub.catch_up(TopicFilter::All, None));
    let mut snapshots = Vec::new();
    for viewer in &mut viewers {
        snapshots.push(viewer.next().await.frames[0].json().as_ptr());
    }
    rig.statuses(1, 1);
    let mut changes = vec![stream.recv().await.unwrap().json().as_ptr()];
    for viewer in &mut viewers {
        changes.push(viewer.next().await.frames[0].json().as_ptr());
    }
    for pointers in [snapshots, changes] {
        assert!(pointers.iter().all(|pointer| *pointer == pointers[0]));
    }
}

/// Fails if the caller encodes it, or if the encoding is dropped with the future that waits for it.
#[tokio::test]
async fn a_large_snapshot_is_encoded_once_and_on_a_blocking_thread() {
    let rig = Rig::start();
    for id in 3..2000 {
        rig.change(id, ChangeKind::Pet(Arc::new(pet(id))));
    }
    let mut first = rig.hub.catch_up(TopicFilter::All, None);
    assert!(first.next_now().is_none(), "not yet encoded");
    let mut waiting = Context::from_waker(Waker::noop());
    assert!(pin!(first.next()).poll(&mut waiting).is_pending());
    let chunk = first.next().await;
    assert!(is_snapshot(&chunk));
    let mut second = rig.hub.catch_up(TopicFilter::All, None);
    let shared = second.next_now().expect("encoded by now");
    assert_eq!(
        shared.frames[0].json().as_ptr(),
        chunk.frames[0].json().as_ptr()
    );
}

/// Rule 6. Fails if older statuses are sent too, or if the viewer continues anywhere else than after the
/// newest.
#[test]
fn a_viewer_that_fell_behind_gets_the_newest_frame_per_pet_and_later_changes() {
    let rig = Rig::start();
    rig.statuses(1, 40);
    rig.statuses(2, 5);
    rig.statuses(1, 1);
    let missed = rig
        .hub
        .resync(&TopicFilter::All, SnapshotForm::Whole, Rev::new(2));
    assert_eq!(revs(&missed), [47, 48]);
    assert!(missed.is_whole && missed.reaches.get() == 48);
    let missed = rig.hub.resync(&only(2), SnapshotForm::Whole, Rev::new(2));
    assert_eq!(revs(&missed), [47]);
    assert_eq!(missed.reaches.get(), 48, "also past pets it does not watch");
    rig.statuses(2, 2);
    let replay = rig.hub.replay(&TopicFilter::All, missed.reaches).unwrap();
    assert_eq!(revs(&replay), [49, 50]);
    assert_eq!(rig.hub.metrics.resyncs.get(), 2);
}

/// Rule 6 for a viewer before the oldest removal that is kept: a pet that it knows may be gone.
#[test]
fn a_viewer_that_fell_too_far_behind_gets_a_snapshot() {
    let rig = Rig::start();
    let since = rig.hub.newest().0;
    for id in 3..2000 {
        rig.change(id, ChangeKind::Gone(None));
    }
    let missed = rig
        .hub
        .resync(&TopicFilter::All, SnapshotForm::Whole, since);
    assert!(is_snapshot(&missed));
    assert_eq!(missed.reaches, rig.hub.newest().0);
}

/// Counts wake-ups of a task.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Rule 7. Fails if every change wakes all waiters.
#[test]
fn a_viewer_of_one_pet_is_not_woken_when_another_changes() {
    let rig = Rig::start();
    let mut catch_up = rig.catch_up(only(1), 2);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut waiting = pin!(catch_up.next_within(pending::<()>()));
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    rig.statuses(2, 100);
    assert_eq!(woken.0.load(Ordering::SeqCst), 0);
    rig.statuses(1, 1);
    assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    let Poll::Ready(chunk) = waiting.poll(&mut context) else {
        panic!("the change of its own pet is there");
    };
    assert_eq!(revs(&chunk), [103]);
}

/// A change is on the board shortly before its waiters are woken. A viewer that polled twice in between
/// was once woken for a change that it had.
#[test]
fn a_wake_up_for_a_change_that_was_sent_already_does_not_end_the_wait() {
    let rig = Rig::start();
    let mut catch_up = rig.catch_up(TopicFilter::All, 2);
    let mut context = Context::from_waker(Waker::noop());
    let mut waiting = pin!(catch_up.next_within(pending::<()>()));
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    rig.hub.waiters.wake([PetId::new(1).into()].into_iter());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    rig.statuses(1, 1);
    assert!(waiting.poll(&mut context).is_ready());
}

#[tokio::test]
async fn an_empty_chunk_advances_past_other_pets_and_never_past_watched_ones() {
    let rig = Rig::start();
    let mut catch_up = rig.catch_up(only(1), 2);
    rig.statuses(2, 5);
    assert_eq!(silence(&mut catch_up, ready(())).await, 7);
    let publishing = async { rig.statuses(2, 5) };
    let reached = silence(&mut catch_up, publishing).await;
    assert_eq!(reached, 12, "also past what came meanwhile");
    rig.statuses(1, 1);
    rig.statuses(2, 1);
    assert_eq!(catch_up.reaches().rev.get(), 12, "its own is not given yet");
    assert_eq!(next_revs(&mut catch_up).await, [13]);
    assert_eq!(catch_up.reaches().rev.get(), 14);
}

#[tokio::test]
async fn changes_before_the_backlog_are_replayed_from_the_log_and_filtered() {
    let rig = Rig::start();
    rig.statuses(1, BACKLOG_LIMIT);
    rig.statuses(2, 700);
    let newest = rig.newest();
    let everything = all_revs(&mut rig.catch_up(TopicFilter::All, 2)).await;
    assert_eq!(everything, (3..=newest).collect::<Vec<_>>());
    let of_two = all_revs(&mut rig.catch_up(only(2), 2)).await;
    assert_eq!(of_two, (newest - 699..=newest).collect::<Vec<_>>());
}

/// A viewer with an old cursor and an idle pet once waited beyond its limit.
#[tokio::test]
async fn a_log_without_changes_for_the_viewer_does_not_exceed_the_time_limit() {
    let rig = Rig::start();
    rig.statuses(1, BACKLOG_LIMIT + 1);
    let mut catch_up = rig.catch_up(only(2), 2);
    assert_eq!(silence(&mut catch_up, ready(())).await, rig.newest());
}

#[tokio::test]
async fn a_cursor_that_cannot_be_served_is_answered_with_a_snapshot() {
    let rig = Rig::start();
    let another_epoch = Cursor {
        epoch: Epoch::new(1),
        rev: Rev::new(1),
    };
    for since in [Some(another_epoch), rig.since(u64::MAX), rig.since(3), None] {
        let mut catch_up = rig.hub.catch_up(TopicFilter::All, since);
        assert!(is_snapshot(&catch_up.next().await), "{since:?}");
        assert_eq!(catch_up.start(), rig.hub.cursor());
    }
    rig.statuses(1, usize::try_from(REPLAY_LIMIT).unwrap() + 1);
    let mut catch_up = rig.catch_up(TopicFilter::All, 2);
    assert!(is_snapshot(&catch_up.next().await));
    let mut catch_up = rig.catch_up(TopicFilter::All, 3);
    assert_eq!(revs(&catch_up.next().await)[0], 4);
}

/// Rules 5 and 6. Fails if the log is replayed however far behind the viewer is by now.
#[tokio::test]
async fn a_viewer_that_falls_behind_gets_a_snapshot_and_then_carries_on() {
    let rig = Rig::start();
    rig.statuses(1, BACKLOG_LIMIT + 1);
    let mut catch_up = rig.catch_up(TopicFilter::All, 2);
    let chunk = catch_up.next().await;
    assert_eq!(revs(&chunk)[0], 3);
    assert!(!chunk.is_whole, "the rest is still in the log");
    rig.statuses(1, usize::try_from(REPLAY_LIMIT).unwrap());
    let chunk = catch_up.next().await;
    assert!(is_snapshot(&chunk));
    assert_eq!(catch_up.reaches(), rig.hub.cursor());
    rig.statuses(2, 1);
    assert_eq!(all_revs(&mut catch_up).await, [rig.newest()]);
}

/// Fails if the log is not checked for gaps.
#[tokio::test]
async fn a_gap_in_the_log_is_answered_with_a_snapshot() {
    let rig = Rig::start();
    let lacking = Arc::new(MemoryEngine::new(Epoch::new(0xabc)));
    let hub = Hub::open(lacking, Metrics::new()).unwrap();
    let changes = rig.engine.tail(Rev::ZERO, 2).unwrap();
    hub.publish(&changes);
    for rev in 3..=BACKLOG_LIMIT as u64 + 3 {
        let rev = Rev::new(rev);
        hub.publish(&[Change {
            rev,
            ..changes[0].clone()
        }]);
    }
    let mut catch_up = hub.catch_up(TopicFilter::All, rig.since(2));
    assert!(
        catch_up.next_now().is_none(),
        "memory does not reach back so far"
    );
    let chunk = catch_up.next().await;
    assert!(is_snapshot(&chunk));
    assert_eq!(chunk.reaches, hub.newest().0);
}
