//! The signer of a command, and the permission that the writer checks when it decides the command.
//!
//! A handler's check is only a fast refusal: the command then waits in the queue, and its session can
//! end meanwhile. So the writer checks the permission again in the step that commits. A revocation
//! is answered only after every commit that was checked before it (`InFlightCommits`).

use std::convert::Infallible;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use super::WriteError;
use crate::model::{ChangeSource, Signature};

/// A permission that can be revoked. Implemented by `auth`, which is a higher layer.
pub trait Authorization: Send + Sync {
    /// Fetches the revocations that other nodes made before this call. Called once for each batch;
    /// may block on the network.
    ///
    /// # Errors
    /// `Unavailable` when they cannot be known.
    fn refresh(&self) -> Result<(), WriteError> {
        Ok(())
    }

    /// Returns the time after which a status is old, so that confirming it begins it again; `None` for
    /// never.
    fn status_age(&self) -> Option<Duration> {
        None
    }

    /// Checks the permission now. The guard is dropped after the commit; a revocation waits for it.
    ///
    /// # Errors
    /// `SignedOut` or `NotInScope`.
    fn check(&self) -> Result<CommitGuard, WriteError>;
}

/// The principal whose name is recorded with a command's change.
pub struct Signer {
    pub(super) signature: Signature,
    authorization: Option<Box<dyn Authorization>>,
}

impl Signer {
    /// A principal whose permission can be revoked until the command is committed.
    pub fn new(signature: Signature, authorization: Box<dyn Authorization>) -> Self {
        Signer {
            signature,
            authorization: Some(authorization),
        }
    }

    /// Returns true if the signer has a name.
    pub fn is_named(&self) -> bool {
        self.signature.author.is_some()
    }

    /// Returns the permission, if it can be revoked.
    pub(super) fn authorization(&self) -> Option<&dyn Authorization> {
        self.authorization.as_deref()
    }
}

/// The simulator, and everyone in the demo. Their permission cannot be revoked.
impl From<ChangeSource> for Signer {
    fn from(by: ChangeSource) -> Self {
        Signer {
            signature: by.into(),
            authorization: None,
        }
    }
}

/// Held from the check of a permission until the commit has ended.
#[must_use]
pub struct CommitGuard {
    _sender: Sender<Infallible>,
}

/// The commits whose permission was checked and that have not ended.
pub struct InFlightCommits(Mutex<(Sender<Infallible>, Receiver<Infallible>)>);

impl Default for InFlightCommits {
    fn default() -> Self {
        InFlightCommits(Mutex::new(channel()))
    }
}

impl InFlightCommits {
    /// Adds a commit. Must be called before the check of the permission: a revocation then either
    /// comes before the check, or waits for the guard.
    pub fn enter(&self) -> CommitGuard {
        CommitGuard {
            _sender: self.current().0.clone(),
        }
    }

    /// Waits until every guard from before this call is dropped, and for no later one. Blocks.
    pub fn wait(&self) {
        let (sender, receiver) = std::mem::replace(&mut *self.current(), channel());
        drop(sender);
        // Nothing is ever sent: this returns when the last guard is dropped.
        let _ = receiver.recv();
    }

    fn current(&self) -> MutexGuard<'_, (Sender<Infallible>, Receiver<Infallible>)> {
        self.0.lock().expect("no holder of this lock panics")
    }
}
