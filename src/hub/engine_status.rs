//! Knows if a shared engine responds, and waits for changes that other nodes have shown already.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::waiters::Waiter;
use super::{Hub, TopicFilter};
use crate::model::{Cursor, PetId, Rev, Timestamp};
use crate::store::Duty;

/// How long a viewer that is ahead of this node waits before the engine is asked if it has the viewer's
/// rev, and how often that is repeated.
const CURSOR_TIMEOUT: Duration = Duration::from_secs(2);
const CURSOR_ATTEMPTS: usize = 5;

/// Concurrent questions to the engine. A thousand forged cursors could otherwise occupy all blocking
/// threads.
const MAX_CONCURRENT_QUESTIONS: usize = 4;

/// Status of the engine as the hub knows it: since when it does not respond, and whether changes can
/// be written.
pub struct EngineStatus {
    /// When the engine stopped responding, or `None` while it responds.
    stale_since: watch::Sender<Option<Timestamp>>,
    questions: Semaphore,
    writability: Mutex<Writability>,
}

/// The two conditions under which changes cannot be written, behind the metric `writable`.
#[derive(Default)]
struct Writability {
    /// The writer has detected an outage of the store.
    store_refuses_writes: bool,
    /// A shared engine does not respond without delay.
    engine_is_silent: bool,
}

impl Default for EngineStatus {
    fn default() -> Self {
        EngineStatus {
            stale_since: watch::Sender::default(),
            questions: Semaphore::new(MAX_CONCURRENT_QUESTIONS),
            writability: Mutex::default(),
        }
    }
}

impl EngineStatus {
    /// Records when the engine stopped responding.
    pub fn set_stale_since(&self, since: Option<Timestamp>) {
        self.stale_since.send_replace(since);
    }
}

impl Hub {
    /// Returns since when the board may be stale because the engine does not respond.
    pub fn stale_since(&self) -> Option<Timestamp> {
        *self.engine_status.stale_since.borrow()
    }

    /// Returns since when the board is stale for a viewer at `cursor`: since the engine stopped
    /// responding, or now, if this node is behind the viewer.
    pub fn stale_since_for(&self, cursor: Cursor) -> Option<Timestamp> {
        let behind = self.is_behind(cursor).then(Timestamp::now);
        self.stale_since().or(behind)
    }

    /// Waits until `stale_since` differs from `known`.
    pub async fn stale_since_changed(&self, known: Option<Timestamp>) {
        let mut receiver = self.engine_status.stale_since.subscribe();
        // Fails if the hub is dropped, and then nobody waits.
        let _ = receiver.wait_for(|since| *since != known).await;
    }

    /// Returns true if other nodes use the engine too. If it does not respond, no change can be made,
    /// and the board can still be read.
    pub fn is_shared(&self) -> bool {
        self.engine.is_shared()
    }

    /// Returns true if the engine is shared and does not respond.
    pub fn is_engine_unresponsive(&self) -> bool {
        self.engine.is_shared() && !self.engine.is_healthy()
    }

    /// Sets whether the store accepts writes: the writer detects the begin and the end of an outage.
    pub fn set_store_accepts_writes(&self, does: bool) {
        self.update_writability(|writability| writability.store_refuses_writes = !does);
    }

    /// Records whether a shared engine responds without delay.
    pub(super) fn set_engine_responds(&self, does: bool) {
        self.update_writability(|writability| writability.engine_is_silent = !does);
    }

    /// Returns true if changes can be written: the store accepts writes, and the engine responds.
    pub fn is_writable(&self) -> bool {
        self.metrics.writable.get() == 1
    }

    fn update_writability(&self, update: impl FnOnce(&mut Writability)) {
        let writability = self.engine_status.writability.lock();
        let mut writability = writability.expect("no holder of this lock panics");
        update(&mut writability);
        let is_writable = !writability.store_refuses_writes && !writability.engine_is_silent;
        self.metrics.writable.set(i64::from(is_writable));
    }

    /// Makes this node a candidate for a duty. Called once per duty.
    pub fn campaign(&self, duty: Duty) {
        self.engine.campaign(duty);
    }

    /// Returns true if this node was elected for a duty.
    pub fn leads(&self, duty: Duty) -> bool {
        self.engine.is_leader(duty)
    }

    /// Registers a waiter, which is woken by each change of `pet` from now on that visitors learn of.
    pub fn wait_for(&self, pet: PetId) -> Waiter {
        self.waiters
            .register(&TopicFilter::Only([pet.into()].into()))
    }

    /// Waits until visitors learn of a change after `cursor`, or the epoch is another. Cancel safe.
    pub async fn wait_past(&self, cursor: Cursor) {
        let waiter = self.waiters.register(&TopicFilter::All);
        let is_at = |newest: Cursor| newest.epoch == cursor.epoch && newest.rev <= cursor.rev;
        while is_at(self.cursor()) {
            waiter.woken().await;
        }
    }

    /// Waits until this node has caught up with `since`, a cursor of another node: for 2 s, and for
    /// 10 s if the engine has that rev. Returns the cursor from which the viewer continues: `None`,
    /// which means a snapshot, only if the engine has no such rev. Otherwise a viewer that is ahead of
    /// this node keeps its board, which is newer.
    pub async fn wait_for_cursor(&self, since: Option<Cursor>) -> Option<Cursor> {
        let cursor = since?;
        if !self.engine.is_shared() {
            return since;
        }
        for _ in 0..CURSOR_ATTEMPTS {
            let caught_up = timeout(CURSOR_TIMEOUT, self.caught_up(cursor));
            if caught_up.await.is_ok() {
                return since;
            }
            match self.engine_has(cursor.rev).await {
                Some(true) => {}
                Some(false) => return None,
                None => return since,
            }
        }
        since
    }

    /// Returns true if a viewer at `cursor` has seen changes that this node has not published yet.
    pub fn is_behind(&self, cursor: Cursor) -> bool {
        let newest = self.state().cursor();
        newest.epoch == cursor.epoch && newest.rev < cursor.rev
    }

    /// Waits until the board is at `cursor`, or has another epoch.
    async fn caught_up(&self, cursor: Cursor) {
        let waiter = self.waiters.register(&TopicFilter::All);
        while self.is_behind(cursor) {
            waiter.woken().await;
        }
    }

    /// Returns true if the engine has `rev`; `None` if it does not respond.
    async fn engine_has(&self, rev: Rev) -> Option<bool> {
        let _permit = self.engine_status.questions.acquire().await.ok()?;
        // Earlier questions may have found out meanwhile.
        if self.is_engine_unresponsive() {
            return None;
        }
        let engine = Arc::clone(&self.engine);
        let answer = tokio::task::spawn_blocking(move || engine.has_reached(rev)).await;
        answer.ok()?.ok()
    }
}

#[cfg(test)]
mod tests;
