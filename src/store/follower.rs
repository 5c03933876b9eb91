//! The follower of an engine, which receives every committed change of any node.
//!
//! A shared engine learns of other nodes' changes by itself. So it is the engine that hands changes to
//! the follower, and not the writer that committed them.

use std::sync::{Arc, OnceLock, Weak};

use super::Snapshot;
use crate::model::{Change, Epoch, Timestamp};

/// Receives the log of an engine. Called by one thread at a time, and never waits for a viewer.
pub trait Follower: Send + Sync {
    /// Receives committed changes, each once and in the order of their revs.
    fn show(&self, changes: &[Change]);

    /// Reports since when the engine does not respond, so that the board may be out of date. `None`
    /// reports that the follower has everything again.
    fn set_unreachable_since(&self, since: Option<Timestamp>);

    /// Reports that the engine began to respond without delay, or stopped to. Changes can be written
    /// only while it does.
    fn set_responsive(&self, _does: bool) {}

    /// Reports by how many milliseconds the clock of this machine is ahead of the engine's.
    fn set_clock_offset(&self, _ahead_ms: i64) {}

    /// Continues from `snapshot`, before which there is a gap: the engine has another epoch, or has
    /// dropped changes of this epoch before the follower received them.
    fn restart_from(&self, epoch: Epoch, snapshot: Snapshot);
}

/// The follower of an engine, if it has one. Does not keep it alive: a follower reads from its engine.
#[derive(Default)]
pub(super) struct Following(OnceLock<Weak<dyn Follower>>);

impl Following {
    /// Sets the follower. An engine has one: a second one is ignored.
    pub fn begin(&self, follower: Weak<dyn Follower>) {
        let _ = self.0.set(follower);
    }

    /// Returns the follower while it exists.
    pub fn get(&self) -> Option<Arc<dyn Follower>> {
        self.0.get().and_then(Weak::upgrade)
    }

    /// Hands `changes` to the follower.
    pub fn show(&self, changes: &[Change]) {
        if let Some(follower) = self.get() {
            follower.show(changes);
        }
    }
}
