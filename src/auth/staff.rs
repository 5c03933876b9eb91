//! What people do to come in and to stay, and how edits of the roster get off the async workers.
//!
//! `sign_in` has passwords, `welcome` the links with which one is chosen.

mod sign_in;
mod welcome;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::task::TaskTracker;

pub use self::sign_in::{SignInError, SignInRequest};
use super::attempts::Attempts;
use super::directory::{Accounts, AccountsError};
use super::founding::Founding;
use super::freshness::Freshness;
use super::password::Passwords;
use super::secret::Secret;
use crate::error::Failure;
use crate::model::Key;

/// Edits of the roster that may wait for the disk; one more is told to come back.
const EDITS: usize = 32;

/// How often expired sessions are removed, and the last use of the others is saved.
const TIDY_EVERY: Duration = Duration::from_secs(600);

/// How soon the disk is told again what was ended while it refused.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// Everything about the people who may change something.
pub struct StaffAuth {
    directory: Arc<Accounts>,
    passwords: Passwords,
    attempts: Attempts,
    founding: Option<Founding>,
    /// The secret of the founding link until it was told.
    untold: Mutex<Option<Secret>>,
    edits: Arc<Semaphore>,
    freshness: Freshness,
    /// Owns what runs off the async workers.
    tasks: TaskTracker,
}

impl StaffAuth {
    /// Prints nothing: whoever starts the server asks for the founding link. Where there are other
    /// nodes there is none: a balancer would bring whoever opens it to a node that does not know it.
    pub fn open(directory: Accounts) -> Self {
        let has_founding = directory.is_empty() && !directory.is_shared();
        let founding = has_founding.then(Founding::begin);
        let (founding, untold) = founding.unzip();
        let tasks = TaskTracker::new();
        StaffAuth {
            directory: Arc::new(directory),
            passwords: Passwords::new(tasks.clone()),
            attempts: Attempts::new(),
            founding,
            untold: Mutex::new(untold),
            edits: Arc::new(Semaphore::new(EDITS)),
            freshness: Freshness::default(),
            tasks,
        }
    }

    pub fn accounts(&self) -> &Accounts {
        &self.directory
    }

    /// Learns what other nodes have edited, before somebody whose `key` this one does not know is
    /// taken for a stranger.
    pub async fn catch_up(&self, key: Key) {
        if !self.directory.is_shared() {
            return;
        }
        let ask = async || {
            let directory = Arc::clone(&self.directory);
            let asking = self.tasks.spawn_blocking(move || directory.catch_up());
            if let Ok(Err(error)) = asking.await {
                tracing::debug!(%error, "what other nodes edited is not known");
            }
        };
        self.freshness.renew(key, ask).await;
    }

    /// Makes an edit of the roster off the async workers. It is made to its end, also when
    /// whoever asked for it leaves.
    ///
    /// # Errors
    /// 503 at once when too many wait, and what the edit can fail with.
    pub async fn edit<T: Send + 'static>(
        &self,
        edit: impl FnOnce(&Accounts) -> Result<T, AccountsError> + Send + 'static,
    ) -> Result<T, Failure> {
        let place = Arc::clone(&self.edits).try_acquire_owned();
        let place = place.map_err(|_| {
            Failure::unavailable("Too many changes of staff are waiting. Try again.", 2)
        })?;
        let directory = Arc::clone(&self.directory);
        let editing = self.tasks.spawn_blocking(move || {
            let _place = place;
            edit(&directory)
        });
        let edited = editing.await.map_err(|_| Failure::internal())?;
        Ok(edited?)
    }

    /// Tidies the roster now and then, until it is dropped.
    pub async fn run_maintenance(&self) {
        let mut ticks = interval(TELL_AGAIN);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next = Instant::now();
        loop {
            let now = ticks.tick().await;
            if now >= next || self.directory.has_pending_revocations() {
                self.tidy().await;
                next = now + TIDY_EVERY;
            }
        }
    }

    /// Finishes what runs, and saves what is not saved.
    pub async fn close(&self) {
        self.tidy().await;
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn tidy(&self) {
        let tidying = self.edit(|directory| Ok(directory.tidy()?));
        if let Err(failure) = tidying.await {
            tracing::warn!(%failure, "the last use of sessions was not saved; it will be tried again");
        }
    }
}
