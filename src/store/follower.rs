//! Who is shown what an engine commits, whoever asked for it.
//!
//! An engine that others write to as well learns of their changes by itself. So it is the engine
//! that shows what was committed, and not the one who committed.

use std::sync::{Arc, OnceLock, Weak};

use super::Snapshot;
use crate::model::{Change, Epoch, Timestamp};

/// Follows the log of an engine. Called by one thread at a time, and never waits for a reader.
pub trait Follower: Send + Sync {
    /// Committed changes, in the order of their revs, each of them once.
    fn show(&self, changes: &[Change]);

    /// The engine is out of reach since then, so what was shown may be old; or, with `None`,
    /// everything that it holds has been shown again.
    fn out_of_reach(&self, since: Option<Timestamp>);

    /// Reports that the engine began to answer without delay, or stopped to. Changes can be written
    /// only while it does.
    fn responds(&self, _does: bool) {}

    /// Reports by how many milliseconds the clock of this machine is ahead of the engine's.
    fn clock_compared(&self, _ahead_ms: i64) {}

    /// Continues from `snapshot`. There is a gap before it: the engine has another epoch, or has
    /// dropped changes of this epoch before they were shown.
    fn begin_anew(&self, epoch: Epoch, snapshot: Snapshot);
}

/// The follower of an engine, once there is one. The engine does not keep it alive: a follower
/// reads from its engine.
#[derive(Default)]
pub(super) struct Following(OnceLock<Weak<dyn Follower>>);

impl Following {
    /// Only the first one counts: an engine has one follower.
    pub fn begin(&self, follower: Weak<dyn Follower>) {
        // A second one would be a defect of `app`; the first is kept.
        let _ = self.0.set(follower);
    }

    pub fn get(&self) -> Option<Arc<dyn Follower>> {
        self.0.get().and_then(Weak::upgrade)
    }

    pub fn show(&self, changes: &[Change]) {
        if let Some(follower) = self.get() {
            follower.show(changes);
        }
    }
}
