//! Whether the engine is out of reach, and those who wait for what it has shown elsewhere already.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::{Filter, Hub};
use crate::model::{Cursor, Moment, Rev};

/// How long a viewer who comes from another node waits for this one to be as far, before the engine
/// is asked whether it ever can be; and how often.
const PATIENCE: Duration = Duration::from_secs(2);
const TURNS: usize = 5;

/// Since when the engine is out of reach; `None` while it is not.
#[derive(Default)]
pub struct Reach(watch::Sender<Option<Moment>>);

impl Reach {
    pub fn set(&self, since: Option<Moment>) {
        self.0.send_replace(since);
    }
}

impl Hub {
    /// Since when what is shown may be old, because the engine is out of reach.
    pub fn stale_since(&self) -> Option<Moment> {
        *self.reach.0.borrow()
    }

    /// Waits until `stale_since` is no longer `known`.
    pub async fn stale_since_is_not(&self, known: Option<Moment>) {
        let mut watching = self.reach.0.subscribe();
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
        let engine = Arc::clone(&self.engine);
        let asked = tokio::task::spawn_blocking(move || engine.has(rev)).await;
        matches!(asked, Ok(Ok(true)))
    }
}

#[cfg(test)]
mod tests;
