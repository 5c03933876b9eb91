//! Viewers with a cursor that this node has not published yet. The clock is paused.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::*;
use crate::metrics::Metrics;
use crate::model::example::{change, pet};
use crate::model::{Change, ChangeKind, Epoch, Timestamp};
use crate::store::{
    AppliedChange, Engine, MemoryEngine, StoreError, delegate_photos, delegate_reads,
};

/// A shared engine that may have changes that this node has not seen yet.
struct Elsewhere {
    shown: MemoryEngine,
    newest: AtomicU64,
    /// Questions at this moment, and the most at any.
    asking: AtomicUsize,
    most: AtomicUsize,
}

/// Stands for an engine that does not respond.
const SILENT: u64 = u64::MAX;

delegate_photos!(Elsewhere, shown);

impl Engine for Elsewhere {
    delegate_reads!(shown);

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

    fn has_reached(&self, rev: Rev) -> Result<bool, StoreError> {
        let asking = self.asking.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(asking, Ordering::Relaxed);
        // Long enough for others to ask meanwhile, if they may.
        (0..1000).for_each(|_| std::thread::yield_now());
        self.asking.fetch_sub(1, Ordering::Relaxed);
        match self.newest.load(Ordering::Relaxed) {
            SILENT => Err(StoreError::Unavailable("nobody answers".to_owned())),
            newest => Ok(newest >= rev.get()),
        }
    }

    fn trim(&self, _: Timestamp, _: Duration, _: u64, _: usize) -> Result<usize, StoreError> {
        Ok(0)
    }
}

/// Returns a node that has published nothing yet of an engine at `newest`, and a cursor at rev 1.
fn behind(newest: u64) -> (Arc<Hub>, Cursor) {
    let (hub, cursor, _) = behind_counting(newest);
    (hub, cursor)
}

/// Returns the engine too, which counts questions.
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

/// Returns how long a viewer at `cursor` waits.
async fn waited(hub: &Hub, cursor: Cursor) -> Duration {
    let start = Instant::now();
    hub.wait_for_cursor(Some(cursor)).await;
    start.elapsed()
}

/// A slow node once sent a snapshot after 2 s, which was older than the board that the viewer had.
#[tokio::test(start_paused = true)]
async fn a_viewer_waits_for_a_slow_node_if_the_engine_has_its_rev() {
    let (hub, cursor) = behind(1);
    let showing = async {
        sleep(CURSOR_TIMEOUT * 3 / 2).await;
        hub.publish(&[created()]);
    };
    let (waited, ()) = tokio::join!(waited(&hub, cursor), showing);
    assert_eq!(waited, CURSOR_TIMEOUT * 3 / 2);
}

#[tokio::test(start_paused = true)]
async fn a_viewer_waits_once_for_a_rev_that_the_engine_does_not_have() {
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

/// Regression: after 2 s the viewer was sent the snapshot of this node, which is older than the board
/// that the viewer had.
#[tokio::test(start_paused = true)]
async fn a_viewer_ahead_of_the_node_keeps_its_board_unless_the_engine_lacks_its_rev() {
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

/// A forged cursor occupies a thread while the engine is asked about it.
#[tokio::test(start_paused = true)]
async fn many_forged_cursors_occupy_few_threads() {
    let (hub, cursor, engine) = behind_counting(0);
    join_all((0..100).map(|_| hub.wait_for_cursor(Some(cursor)))).await;
    assert!(engine.most.load(Ordering::Relaxed) <= MAX_CONCURRENT_QUESTIONS);
}

#[tokio::test(start_paused = true)]
async fn a_viewer_waits_at_most_ten_seconds() {
    let (hub, cursor) = behind(1);
    assert_eq!(waited(&hub, cursor).await.as_secs(), 10);
}
