//! Whether the engine is out of reach, and those who wait for what it has shown elsewhere already.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::{Hub, TopicFilter};
use crate::model::{Cursor, Rev, Timestamp};

/// How long a viewer who comes from another node waits for this one to be as far, before the engine
/// is asked whether it ever can be; and how often.
const PATIENCE: Duration = Duration::from_secs(2);
const TURNS: usize = 5;

/// Viewers about whom the engine is asked at once, so that a thousand made-up cursors cannot take
/// all blocking threads from the rest of the program.
const ASKED_AT_ONCE: usize = 4;

/// What is known of the engine's reach.
pub struct Reach {
    /// Since when it is out of reach; `None` while it is not.
    lost_since: watch::Sender<Option<Timestamp>>,
    questions: Semaphore,
}

impl Default for Reach {
    fn default() -> Self {
        Reach {
            lost_since: watch::Sender::default(),
            questions: Semaphore::new(ASKED_AT_ONCE),
        }
    }
}

impl Reach {
    pub fn set(&self, since: Option<Timestamp>) {
        self.lost_since.send_replace(since);
    }
}

impl Hub {
    /// Since when what is shown may be old, because the engine is out of reach.
    pub fn stale_since(&self) -> Option<Timestamp> {
        *self.reach.lost_since.borrow()
    }

    /// Returns since when the board is stale for a viewer at `cursor`: since the engine is out of
    /// reach, or now, if this node is behind the viewer.
    pub fn stale_since_for(&self, cursor: Cursor) -> Option<Timestamp> {
        let behind = self.is_behind(cursor).then(Timestamp::now);
        self.stale_since().or(behind)
    }

    /// Waits until `stale_since` is no longer `known`.
    pub async fn stale_since_is_not(&self, known: Option<Timestamp>) {
        let mut watching = self.reach.lost_since.subscribe();
        // Fails when the hub is gone, and everyone who waits with it.
        let _ = watching.wait_for(|since| *since != known).await;
    }

    /// Whether the engine is elsewhere: out of reach, it takes no changes, and what is shown is
    /// still worth being read.
    pub fn is_shared(&self) -> bool {
        self.engine.is_shared()
    }

    /// Whether the engine is elsewhere and does not answer, so that no change can be made.
    pub fn is_out_of_reach(&self) -> bool {
        self.engine.is_shared() && !self.engine.is_healthy()
    }

    /// Tries from now on to be the one node that runs the simulator.
    pub fn campaign(&self) {
        self.engine.campaign();
    }

    /// Whether this node is to run the simulator now.
    pub fn leads(&self) -> bool {
        self.engine.is_leader()
    }

    /// Waits until this node has caught up with `since`, a cursor of another node: for 2 s, and for
    /// 10 s if the engine has that rev. Returns the cursor from which the viewer continues: `None`,
    /// which means a snapshot, only if the engine has no such rev. Otherwise a viewer that is ahead of
    /// this node keeps its board, which is newer.
    pub async fn reach(&self, since: Option<Cursor>) -> Option<Cursor> {
        let cursor = since?;
        if !self.engine.is_shared() {
            return since;
        }
        for _ in 0..TURNS {
            let showing = timeout(PATIENCE, self.until_shown(cursor));
            if showing.await.is_ok() {
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

    /// Returns true if a viewer at `cursor` has seen changes that this node has not shown yet.
    pub fn is_behind(&self, cursor: Cursor) -> bool {
        let newest = self.cursor();
        newest.epoch == cursor.epoch && newest.rev < cursor.rev
    }

    /// Waits until the board is as far as `cursor`, or has another epoch.
    async fn until_shown(&self, cursor: Cursor) {
        let waiter = self.waiters.register(&TopicFilter::All);
        loop {
            let newest = self.cursor();
            if newest.epoch != cursor.epoch || newest.rev >= cursor.rev {
                return;
            }
            waiter.woken().await;
        }
    }

    /// Returns true if the engine has reached `rev`; `None` if it does not answer.
    async fn engine_has(&self, rev: Rev) -> Option<bool> {
        let _turn = self.reach.questions.acquire().await.ok()?;
        // Nobody waits for a turn at an engine that has left those before without an answer.
        if self.is_out_of_reach() {
            return None;
        }
        let engine = Arc::clone(&self.engine);
        let asked = tokio::task::spawn_blocking(move || engine.has_reached(rev)).await;
        asked.ok()?.ok()
    }
}

#[cfg(test)]
mod tests;
