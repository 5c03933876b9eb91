//! Whether the engine is out of reach, and those who wait for what it has shown elsewhere already.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::{Filter, Hub};
use crate::model::{Cursor, Moment, Rev};

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
    lost_since: watch::Sender<Option<Moment>>,
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
    pub fn set(&self, since: Option<Moment>) {
        self.lost_since.send_replace(since);
    }
}

impl Hub {
    /// Since when what is shown may be old, because the engine is out of reach.
    pub fn stale_since(&self) -> Option<Moment> {
        *self.reach.lost_since.borrow()
    }

    /// Waits until `stale_since` is no longer `known`.
    pub async fn stale_since_is_not(&self, known: Option<Moment>) {
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
        self.engine.leads()
    }

    /// Waits until this node has shown what `since` has seen on another: for 2 s, and for 10 s where
    /// the engine says that it is as far. Where no other node is, there is nothing to wait for.
    pub async fn reach(&self, since: Option<Cursor>) {
        let Some(cursor) = since.filter(|_| self.engine.is_shared()) else {
            return;
        };
        for _ in 0..TURNS {
            let showing = timeout(PATIENCE, self.until_shown(cursor));
            if showing.await.is_ok() || !self.engine_has(cursor.rev).await {
                return;
            }
        }
    }

    /// Waits until the board is as far as `cursor`, or has another epoch.
    async fn until_shown(&self, cursor: Cursor) {
        let waiter = self.waiters.register(&Filter::All);
        loop {
            let newest = self.cursor();
            if newest.epoch != cursor.epoch || newest.rev >= cursor.rev {
                return;
            }
            waiter.woken().await;
        }
    }

    /// Whether the engine says that it is as far as `rev`. Of one that does not answer nothing is
    /// to be hoped for: the viewer is better off with what is known here, and told how old it is.
    async fn engine_has(&self, rev: Rev) -> bool {
        let Ok(_turn) = self.reach.questions.acquire().await else {
            return false;
        };
        // Nobody waits for a turn at an engine that has left those before without an answer.
        if self.is_out_of_reach() {
            return false;
        }
        let engine = Arc::clone(&self.engine);
        let asked = tokio::task::spawn_blocking(move || engine.has(rev)).await;
        matches!(asked, Ok(Ok(true)))
    }
}

#[cfg(test)]
mod tests;
