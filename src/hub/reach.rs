//! Whether the engine is out of reach, and those who wait for what it has shown elsewhere already.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::{Filter, Hub};
use crate::model::{Cursor, Moment};

/// How long a viewer who comes from another node waits for this one to be as far.
const PATIENCE: Duration = Duration::from_secs(2);

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

    /// Tries from now on to be the one node that runs the simulator.
    pub fn campaign(&self) {
        self.engine.campaign();
    }

    /// Whether this node is to run the simulator now.
    pub fn leads(&self) -> bool {
        self.engine.leads()
    }

    /// Waits until this node has shown what `since` has seen on another, at most 2 s. Where no
    /// other node is, there is nothing to wait for.
    pub async fn reach(&self, since: Option<Cursor>) {
        let Some(cursor) = since.filter(|_| self.engine.is_shared()) else {
            return;
        };
        let deadline = Instant::now() + PATIENCE;
        let waiter = self.waiters.register(&Filter::All);
        loop {
            let newest = self.cursor();
            if newest.epoch != cursor.epoch || newest.rev >= cursor.rev {
                return;
            }
            if timeout_at(deadline, waiter.woken()).await.is_err() {
                return;
            }
        }
    }
}
