//! The rules that the hub keeps, each broken once to see its test fail.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::backlog::BACKLOG_LIMIT;
use super::mailbox::MAILBOX_LIMIT;
use super::*;
use crate::model::{By, Change, ChangeKind, Moment, Pet, Profile, Status};
use crate::store::MemoryEngine;

/// How long a test waits for what must come.
const LIMIT: Duration = Duration::from_secs(10);

/// A hub over a store in memory, with its routers running.
struct Rig {
    engine: Arc<MemoryEngine>,
    hub: Arc<Hub>,
    stop: CancellationToken,
}

impl Rig {
    /// A board with pets 1 and 2, at rev 2.
    async fn start() -> Self {
        let engine = Arc::new(MemoryEngine::new(Epoch::new(0xabc)));
        let hub = Hub::open(engine.clone(), Metrics::new()).unwrap();
        let stop = CancellationToken::new();
        hub.start(&TaskTracker::new(), &stop);
        let rig = Rig { engine, hub, stop };
        for id in [1, 2] {
            rig.change(id, ChangeKind::Pet(Arc::new(pet(id))));
        }
        rig.settle().await;
        rig
    }

    /// Waits until every router has carried everything to the mailboxes.
    async fn settle(&self) {
        let newest = self.hub.newest().0;
        let settling = async {
            while self.hub.router.routed() < newest {
                tokio::task::yield_now().await;
            }
        };
        timeout(LIMIT, settling)
            .await
            .expect("the router carries on");
    }

    /// Commits and publishes one change, as the writer does.
    fn change(&self, pet: u64, kind: ChangeKind) {
        let change = Change {
            rev: self.hub.newest().0.next(),
            at: Moment::from_micros(0),
            by: By::Api,
            author: None,
            pet: PetId::new(pet),
            kind,
        };
        self.engine.commit(std::slice::from_ref(&change)).unwrap();
        self.hub.publish(&[change]);
    }

    /// `count` statuses for `pet`, no two alike in a row.
    fn statuses(&self, pet: u64, count: usize) {
        for turn in 0..count {
            self.change(pet, ChangeKind::Status(Status::ALL[turn % 4]));
        }
    }

    fn since(&self, rev: u64) -> Option<Cursor> {
        Some(self.hub.at(Rev::new(rev)))
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn pet(id: u64) -> Pet {
    Pet {
        id: PetId::new(id),
        profile: Profile::default(),
        status: Status::Sleeping,
        since: Moment::from_micros(0),
    }
}

fn only(pet: u64) -> Filter {
    Filter::of(vec![PetId::new(pet)]).unwrap()
}

async fn next(feed: &mut Feed) -> Frame {
    timeout(LIMIT, feed.next()).await.expect("a frame comes")
}

fn is_snapshot(frame: &Frame) -> bool {
    frame.pet().is_none()
}

/// Rule 3. Breaks when the seat is taken after the state is read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_in_the_middle_of_changes_neither_skips_nor_repeats() {
    let rig = Arc::new(Rig::start().await);
    let mut joins_midway = 0;
    for _ in 0..500 {
        let publisher = Arc::clone(&rig);
        let publishing = tokio::task::spawn_blocking(move || publisher.statuses(1, 10));
        let mut viewers = Vec::new();
        while !publishing.is_finished() {
            let since = rig.hub.cursor();
            viewers.push((since.rev.get(), rig.hub.join(Filter::All, Some(since))));
            tokio::task::yield_now().await;
        }
        publishing.await.unwrap();
        let newest = rig.hub.newest().0.get();
        for (since, mut feed) in viewers {
            joins_midway += u32::from(since > newest - 10 && since < newest);
            for expected in since + 1..=newest {
                assert_eq!(next(&mut feed).await.rev().get(), expected);
            }
        }
    }
    assert!(joins_midway > 20, "too few joins to prove anything");
}

/// Rule 4. Breaks when a feed encodes for itself.
#[tokio::test]
async fn a_change_and_a_snapshot_are_encoded_once_for_everyone() {
    let rig = Rig::start().await;
    let mut feeds = [(); 3].map(|()| rig.hub.join(Filter::All, None));
    let mut snapshots = Vec::new();
    for feed in &mut feeds {
        snapshots.push(next(feed).await.json().as_ptr());
    }
    rig.statuses(1, 1);
    let mut changes = Vec::new();
    for feed in &mut feeds {
        changes.push(next(feed).await.json().as_ptr());
    }
    for pointers in [snapshots, changes] {
        assert!(pointers.iter().all(|pointer| *pointer == pointers[0]));
    }
}

/// Rules 5 and 6. Breaks when a full mailbox keeps what it has, or grows.
#[tokio::test]
async fn a_viewer_that_falls_behind_gets_a_snapshot_and_then_carries_on() {
    let rig = Rig::start().await;
    let mut feed = rig.hub.join(Filter::All, rig.since(2));
    let mut witness = rig.hub.join(Filter::All, rig.since(2));
    for turn in 0..MAILBOX_LIMIT + 50 {
        rig.statuses(1, 1);
        assert_eq!(next(&mut witness).await.rev().get(), turn as u64 + 3);
    }
    let newest = rig.hub.newest().0;
    let frame = next(&mut feed).await;
    assert!(is_snapshot(&frame) && frame.rev() == newest);
    rig.statuses(2, 1);
    assert_eq!(next(&mut feed).await.rev(), newest.next());
    assert_eq!(rig.hub.metrics.resyncs.get(), 1);
}

/// Rule 6, one level up: the router itself was late. The receiver of a lagged broadcast goes on
/// with frames older than the snapshot; a page would have run backwards.
#[tokio::test]
async fn a_router_that_falls_behind_brings_everyone_a_snapshot_and_nothing_older() {
    let rig = Rig::start().await;
    let mut feed = rig.hub.join(Filter::All, rig.since(2));
    // The one thread of this runtime publishes, so no router runs until it waits.
    rig.statuses(1, STREAM_CAPACITY + 10);
    let newest = rig.hub.newest().0;
    let frame = next(&mut feed).await;
    assert!(is_snapshot(&frame), "not {:?}", frame.json());
    assert_eq!(frame.rev(), newest);
    rig.statuses(2, 3);
    for step in 1..=3 {
        assert_eq!(next(&mut feed).await.rev().get(), newest.get() + step);
    }
}

/// Counts how often a task is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Rule 7. Breaks when a router looks at a frame on behalf of those who do not want it.
#[tokio::test]
async fn a_viewer_of_one_pet_is_not_woken_when_another_changes() {
    let rig = Rig::start().await;
    let mut feed = rig.hub.join(only(1), rig.since(2));
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut waiting = pin!(feed.next());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    rig.statuses(2, 100);
    rig.settle().await;
    assert_eq!(woken.0.load(Ordering::SeqCst), 0);
    rig.statuses(1, 1);
    rig.settle().await;
    assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    let Poll::Ready(frame) = waiting.poll(&mut context) else {
        panic!("the change of its own pet is there");
    };
    assert_eq!(frame.rev().get(), 103);
}

#[tokio::test]
async fn the_cursor_of_a_heartbeat_moves_past_changes_of_other_pets_but_never_past_its_own() {
    let rig = Rig::start().await;
    let mut feed = rig.hub.join(only(1), rig.since(2));
    rig.statuses(2, 5);
    rig.settle().await;
    assert_eq!(feed.cursor().rev.get(), 7);
    rig.statuses(1, 1);
    rig.statuses(2, 1);
    rig.settle().await;
    assert_eq!(
        feed.cursor().rev.get(),
        7,
        "its own change is not given yet"
    );
    assert_eq!(next(&mut feed).await.rev().get(), 8);
    assert_eq!(feed.cursor().rev.get(), 9);
}

#[tokio::test]
async fn what_left_the_backlog_is_replayed_from_the_log_and_filtered() {
    let rig = Rig::start().await;
    rig.statuses(1, BACKLOG_LIMIT);
    rig.statuses(2, 700);
    let newest = rig.hub.newest().0.get();
    let mut feed = rig.hub.join(Filter::All, rig.since(2));
    for expected in 3..=newest {
        assert_eq!(next(&mut feed).await.rev().get(), expected);
    }
    let mut filtered = rig.hub.join(only(2), rig.since(2));
    for expected in newest - 699..=newest {
        assert_eq!(next(&mut filtered).await.rev().get(), expected);
    }
    assert!(filtered.next_now().is_none());
}

#[tokio::test]
async fn a_cursor_that_cannot_be_served_is_answered_with_a_snapshot() {
    let rig = Rig::start().await;
    let another_epoch = Cursor {
        epoch: Epoch::new(1),
        rev: Rev::new(1),
    };
    for since in [Some(another_epoch), rig.since(u64::MAX), rig.since(3), None] {
        let mut feed = rig.hub.join(Filter::All, since);
        let frame = next(&mut feed).await;
        assert!(is_snapshot(&frame), "{since:?}");
        assert_eq!(feed.start(), rig.hub.cursor());
    }
    rig.statuses(1, usize::try_from(REPLAY_LIMIT).unwrap() + 1);
    assert!(is_snapshot(
        &next(&mut rig.hub.join(Filter::All, rig.since(2))).await
    ));
    assert!(!is_snapshot(
        &next(&mut rig.hub.join(Filter::All, rig.since(3))).await
    ));
}
