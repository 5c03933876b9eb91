//! Staff on a cluster: a stream of private records, which is not published anywhere, and of which
//! every node has a copy in memory.
//!
//! An edit is one atomic batch that is stored only if the stream still ends where the one who
//! decided it had read it: two nodes never decide on the same roster. A node that edited something
//! tells the others so, without saying what; they read it. One that did not hear it finds out
//! within a second.

mod edit;
mod message;
mod mirror;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::mirror::Mirror;
use super::link::Link;
use super::reach::Reach;
use super::subjects::{STAFF, STAFF_NOTES};
use crate::model::AuditEntry;
use crate::store::{AccountFollower, AccountSet, StoreError};

/// How often the stream is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Silence of the stream that is logged. An election is shorter.
const LOGGED_AFTER: Duration = Duration::from_secs(10);

/// A node's copy of the roster.
pub struct Staff {
    link: Link,
    mirror: Mutex<Mirror>,
    pub reach: Reach,
}

impl Staff {
    pub fn new(link: Link) -> Self {
        Staff {
            reach: Reach::new(link.clone()),
            link,
            mirror: Mutex::default(),
        }
    }

    /// Goes to where the stream is.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        let mut mirror = self.mirror.lock().await;
        let asked = Instant::now();
        mirror.catch_up(&self.link).await?;
        self.reach.hear(asked);
        Ok(())
    }

    /// Reads everything.
    pub async fn load(&self) -> Result<(), StoreError> {
        self.mirror.lock().await.load(&self.link).await
    }

    pub async fn roster(&self) -> AccountSet {
        self.mirror.lock().await.kept.account_set()
    }

    pub async fn audit_entries(&self, before: Option<u64>, limit: usize) -> Vec<(u64, AuditEntry)> {
        self.mirror.lock().await.kept.audit_entries(before, limit)
    }

    /// Shows `follower` everything, and all edits from then on. Whether it is the first, for whom
    /// somebody must `keep_up` with the stream.
    pub async fn show_to(&self, follower: Weak<dyn AccountFollower>) -> bool {
        let mut mirror = self.mirror.lock().await;
        if let Some(follower) = follower.upgrade() {
            follower.reset(mirror.kept.account_set(), mirror.seq);
        }
        mirror.followers.add(follower);
        !std::mem::replace(&mut mirror.is_kept_up, true)
    }

    /// Follows the stream until it is dropped.
    pub async fn keep_up(self: Arc<Self>) {
        // Nobody is there to subscribe to once the client has ended, and the node with it.
        let Ok(mut notes) = self.link.client().subscribe(STAFF_NOTES).await else {
            return;
        };
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut silence = Silence::default();
        loop {
            tokio::select! {
                note = notes.next() => match note {
                    Some(_) => {}
                    None => return,
                },
                _ = look.tick() => {}
            }
            silence.note(self.catch_up().await);
        }
    }
}

/// The silence of the stream of staff, for the log: the stream may have been deleted while everything
/// else works.
#[derive(Default)]
struct Silence {
    since: Option<Instant>,
    is_logged: bool,
}

impl Silence {
    fn note(&mut self, caught_up: Result<(), StoreError>) {
        let Err(error) = caught_up else {
            if self.is_logged {
                tracing::info!("staff can be read from the engine again");
            }
            *self = Silence::default();
            return;
        };
        let since = *self.since.get_or_insert_with(Instant::now);
        if since.elapsed() >= LOGGED_AFTER && !self.is_logged {
            self.is_logged = true;
            tracing::error!(
                %error,
                stream.name = STAFF.name,
                "staff cannot be read from the engine: nobody can sign in or edit staff; if the \
                 stream was deleted, restore it from a backup while no node runs"
            );
        }
    }
}
