//! A viewer who comes with a cursor that this node has not shown, while the clock stands still.

use std::sync::Weak;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::*;
use crate::metrics::Metrics;
use crate::model::example::{change, pet};
use crate::model::{Change, ChangeKind, Epoch, PetId, Timestamp};
use crate::store::{AppliedChange, Engine, Follower, MemoryEngine, Snapshot, StoreError};

/// An engine that is elsewhere, and may be further than what it has shown.
struct Elsewhere {
    shown: MemoryEngine,
    newest: AtomicU64,
    /// Who asks at this moment, and the most at any.
    asking: AtomicUsize,
    most: AtomicUsize,
}

/// What `Elsewhere` says when nobody answers.
const SILENT: u64 = u64::MAX;

impl Engine for Elsewhere {
    fn epoch(&self) -> Epoch {
        self.shown.epoch()
    }

    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.shown.snapshot()
    }

    fn follow(&self, after: Rev, follower: Weak<dyn Follower>) {
        self.shown.follow(after, follower);
    }

    fn commit(&self, read: Rev, proposed: &[AppliedChange]) -> Result<Vec<Rev>, StoreError> {
        self.shown.commit(read, proposed)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn is_healthy(&self) -> bool {
        true
    }

    fn recover(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn end_history(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn newest(&self) -> Result<Rev, StoreError> {
        self.shown.newest()
    }

    fn changes_between(&self, after: Rev, before: Rev) -> Result<Vec<Change>, StoreError> {
        self.shown.changes_between(after, before)
    }

    fn has_reached(&self, rev: Rev) -> Result<bool, StoreError> {
        let asking = self.asking.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(asking, Ordering::Relaxed);
        // Long enough for others to come meanwhile, if they may.
        (0..1000).for_each(|_| std::thread::yield_now());
        self.asking.fetch_sub(1, Ordering::Relaxed);
        match self.newest.load(Ordering::Relaxed) {
            SILENT => Err(StoreError::Unavailable("nobody answers".to_owned())),
            newest => Ok(newest >= rev.get()),
        }
    }

    fn tail(&self, after: Rev, limit: usize) -> Result<Vec<Change>, StoreError> {
        self.shown.tail(after, limit)
    }

    fn trim(&self, _: Timestamp, _: Duration, _: u64, _: usize) -> Result<usize, StoreError> {
        Ok(0)
    }

    fn history(&self, _: PetId, _: Option<Rev>, _: usize) -> Result<Vec<Change>, StoreError> {
        Ok(Vec::new())
    }
}

/// A node that has shown nothing yet of an engine that is at `newest`; and a cursor at rev 1.
fn behind(newest: u64) -> (Arc<Hub>, Cursor) {
    let (hub, cursor, _) = behind_counting(newest);
    (hub, cursor)
}

/// The same with the engine, which counts who asks it.
fn behind_counting(newest: u64) -> (Arc<Hub>, Cursor, Arc<Elsewhere>) {
    let engine = Arc::new(Elsewhere {
        shown: MemoryEngine::new(Epoch::new(7)),
        newest: AtomicU64::new(newest),
        asking: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
    });
    let hub = Hub::open(Arc::clone(&engine) as _, Metrics::new()).unwrap();
    let (epoch, rev) = (hub.epoch(), Rev::new(1));
    (hub, Cursor { epoch, rev }, engine)
}

fn created() -> Change {
    change(1, 1, ChangeKind::Pet(Arc::new(pet(1))))
}

/// How long a viewer of `cursor` is kept waiting.
async fn waited(hub: &Hub, cursor: Cursor) -> Duration {
    let start = Instant::now();
    hub.wait_for_cursor(Some(cursor)).await;
    start.elapsed()
}

/// A slow node gave a snapshot after 2 s, and the viewer saw an older board than it had seen.
#[tokio::test(start_paused = true)]
async fn a_node_that_is_slow_is_waited_for_when_the_engine_is_as_far() {
    let (hub, cursor) = behind(1);
    let showing = async {
        sleep(CURSOR_TIMEOUT * 3 / 2).await;
        hub.publish(&[created()]);
    };
    let (waited, ()) = tokio::join!(waited(&hub, cursor), showing);
    assert_eq!(waited, CURSOR_TIMEOUT * 3 / 2);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_the_engine_has_not_either_is_waited_for_once() {
    let (hub, cursor) = behind(0);
    assert_eq!(
        waited(&hub, cursor).await.as_secs(),
        CURSOR_TIMEOUT.as_secs()
    );
    let (hub, cursor) = behind(SILENT);
    assert_eq!(
        waited(&hub, cursor).await.as_secs(),
        CURSOR_TIMEOUT.as_secs()
    );
}

/// After 2 s it was given a snapshot of what this node knew, which was older.
#[tokio::test(start_paused = true)]
async fn a_viewer_that_is_ahead_keeps_what_it_has_unless_the_engine_says_that_it_has_not() {
    for (newest, is_snapshot) in [(SILENT, false), (1, false), (0, true)] {
        let (hub, cursor) = behind(newest);
        let since = hub.wait_for_cursor(Some(cursor)).await;
        let mut catch_up = hub.catch_up(TopicFilter::All, since);
        let chunk = catch_up.next().await;
        assert_eq!(!chunk.frames.is_empty(), is_snapshot, "{newest}");
        if !is_snapshot {
            assert!(hub.is_behind(cursor) && hub.stale_since_for(cursor).is_some());
            assert_eq!(catch_up.reaches(), cursor);
            hub.publish(&[created()]);
            assert!(catch_up.next().await.frames.is_empty(), "it has that");
            assert_eq!(hub.stale_since_for(cursor), None);
        }
    }
}

/// A cursor that somebody made up takes a thread while the engine is asked about it.
#[tokio::test(start_paused = true)]
async fn a_crowd_with_made_up_cursors_takes_few_threads() {
    let (hub, cursor, engine) = behind_counting(0);
    join_all((0..100).map(|_| hub.wait_for_cursor(Some(cursor)))).await;
    assert!(engine.most.load(Ordering::Relaxed) <= MAX_CONCURRENT_QUESTIONS);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever() {
    let (hub, cursor) = behind(1);
    assert_eq!(waited(&hub, cursor).await.as_secs(), 10);
}
