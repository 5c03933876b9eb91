//! Staff on a cluster: a stream of private records, which is not published anywhere, and of which
//! every node has a copy in memory.
//!
//! An edit is one atomic batch that is stored only if the stream still ends where the one who
//! decided it had read it: two nodes never decide on the same roster. A node that edited something
//! tells the others so, without saying what; they read it. One that did not hear it finds out
//! within a second.

mod message;
mod mirror;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use self::mirror::Mirror;
use super::NatsEngine;
use super::batch;
use super::link::Link;
use super::reach::Reach;
use super::subjects::STAFF_NOTES;
use crate::model::Deed;
use crate::store::{Accounts, Roster, RosterEdit, RosterFollower, StoreError};

/// How often the stream is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long an edit whose answer did not come is looked for, and how often.
const LOOKED_UP_FOR: Duration = Duration::from_secs(5);
const LOOK_UP_EVERY: Duration = Duration::from_millis(250);

/// A node's copy of the roster.
pub struct Staff {
    link: Link,
    mirror: Mutex<Mirror>,
    reach: Reach,
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
    async fn catch_up(&self) -> Result<(), StoreError> {
        self.mirror.lock().await.catch_up(&self.link).await?;
        self.reach.hear();
        Ok(())
    }

    /// Reads everything.
    pub async fn load(&self) -> Result<(), StoreError> {
        self.mirror.lock().await.load(&self.link).await
    }

    /// Follows the stream until it is dropped.
    async fn keep_up(self: Arc<Self>) {
        // Nobody is there to subscribe to once the client has ended, and the node with it.
        let Ok(mut notes) = self.link.client().subscribe(STAFF_NOTES).await else {
            return;
        };
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                note = notes.next() => match note {
                    Some(_) => {}
                    None => return,
                },
                _ = look.tick() => {}
            }
            if let Err(error) = self.catch_up().await {
                tracing::debug!(%error, "the roster cannot be followed for a moment");
            }
        }
    }

    async fn edit(&self, read: u64, edits: &[RosterEdit]) -> Result<u64, StoreError> {
        let mut mirror = self.mirror.lock().await;
        if !mirror.is_kept_up {
            mirror.catch_up(&self.link).await?;
            self.reach.hear();
        }
        self.reach.check_to_write().await?;
        let messages = message::write(read, mirror.kept.last_deed(), edits);
        let entries: Vec<_> = (read + 1..)
            .zip(&messages)
            .map(|(seq, message)| message::stored(seq, message))
            .collect();
        let op = batch::new_op();
        match batch::send(&self.link, &op, messages).await {
            // Nothing was between, so these are the messages that follow.
            Ok(_) => mirror.pass(&entries),
            Err(failed) => match batch::explain(failed) {
                StoreError::Unknown(reason) => self.look_up(&mut mirror, &op, reason).await?,
                StoreError::Conflict => {
                    // A server that led until a moment ago refuses what the one that leads now takes.
                    let passed = mirror.catch_up(&self.link).await?;
                    match (passed.contains(&op), mirror.seq > read) {
                        (true, _) => {}
                        (false, true) => return Err(StoreError::Conflict),
                        (false, false) => {
                            let reason = "refused for an edit that is not there".to_owned();
                            self.look_up(&mut mirror, &op, reason).await?;
                        }
                    }
                }
                StoreError::Full(reason) => {
                    return Err(self.explain_full(&mut mirror, &op, reason).await);
                }
                error => return Err(error),
            },
        }
        self.reach.hear();
        // Who does not hear it looks by itself.
        let _ = self.link.client().publish(STAFF_NOTES, "".into()).await;
        Ok(mirror.seq)
    }

    /// What an edit came to that there was no room for: one server alone that comes to its limit in
    /// the middle of a batch keeps what it has of it.
    async fn explain_full(&self, mirror: &mut Mirror, op: &str, reason: String) -> StoreError {
        let passed = mirror.catch_up(&self.link).await;
        match passed.is_ok_and(|ops| ops.iter().all(|passed| passed != op)) {
            true => StoreError::Full(reason),
            false => StoreError::Unknown(reason),
        }
    }

    /// Looks whether the messages of an edit are in the stream whose answer did not come.
    async fn look_up(
        &self,
        mirror: &mut Mirror,
        op: &str,
        reason: String,
    ) -> Result<(), StoreError> {
        let deadline = Instant::now() + LOOKED_UP_FOR;
        while Instant::now() < deadline {
            let passed = mirror.catch_up(&self.link).await;
            if passed.is_ok_and(|ops| ops.iter().any(|passed| passed == op)) {
                return Ok(());
            }
            sleep(LOOK_UP_EVERY).await;
        }
        Err(StoreError::Unknown(reason))
    }
}

impl Accounts for NatsEngine {
    fn roster(&self) -> Result<Roster, StoreError> {
        let mirror = self.runtime.block_on(self.staff.mirror.lock());
        Ok(mirror.kept.roster())
    }

    fn follow_roster(&self, follower: Weak<dyn RosterFollower>) -> Result<(), StoreError> {
        let mut mirror = self.runtime.block_on(self.staff.mirror.lock());
        if let Some(follower) = follower.upgrade() {
            follower.begin_anew(mirror.kept.roster(), mirror.seq);
        }
        mirror.followers.add(follower);
        if !mirror.is_kept_up {
            mirror.is_kept_up = true;
            self.spawn(Arc::clone(&self.staff).keep_up());
        }
        Ok(())
    }

    fn is_roster_shared(&self) -> bool {
        true
    }

    fn catch_up_roster(&self) -> Result<(), StoreError> {
        self.runtime.block_on(async {
            self.staff.reach.check_to_write().await?;
            self.staff.catch_up().await
        })
    }

    fn edit_roster(&self, read: u64, edits: &[RosterEdit]) -> Result<u64, StoreError> {
        self.runtime.block_on(self.staff.edit(read, edits))
    }

    fn deeds(&self, before: Option<u64>, limit: usize) -> Result<Vec<(u64, Deed)>, StoreError> {
        let mirror = self.runtime.block_on(self.staff.mirror.lock());
        Ok(mirror.kept.deeds(before, limit))
    }
}
