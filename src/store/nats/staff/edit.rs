//! Edits of the roster: sent as a batch, and looked for where nobody says what became of it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::mirror::Mirror;
use super::{Staff, message};
use crate::store::nats::batch;
use crate::store::nats::subjects::STAFF_NOTES;
use crate::store::{RosterEdit, StoreError};

/// How long an edit whose answer did not come is looked for, and how often.
const LOOKED_UP_FOR: Duration = Duration::from_secs(5);
const LOOK_UP_EVERY: Duration = Duration::from_millis(250);

impl Staff {
    /// Makes `edits`, if the stream ends at `read`: the number of the last message then.
    pub async fn edit(&self, read: u64, edits: &[RosterEdit]) -> Result<u64, StoreError> {
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
            Err(failed) => {
                let failed = batch::explain(failed);
                self.find_out(&mut mirror, read, &op, failed).await?;
            }
        }
        self.reach.hear();
        // Who does not hear it looks by itself.
        let _ = self.link.client().publish(STAFF_NOTES, "".into()).await;
        Ok(mirror.seq)
    }

    /// Finds out what became of an edit that was decided at `read`, where nobody said that it was
    /// made.
    async fn find_out(
        &self,
        mirror: &mut Mirror,
        read: u64,
        op: &str,
        failed: StoreError,
    ) -> Result<(), StoreError> {
        match failed {
            StoreError::Unknown(reason) => self.look_up(mirror, op, reason).await,
            StoreError::Conflict => {
                // A server that led until a moment ago refuses what the one that leads now takes.
                let passed = mirror.catch_up(&self.link).await?;
                match (passed.iter().any(|passed| passed == op), mirror.seq > read) {
                    (true, _) => Ok(()),
                    (false, true) => Err(StoreError::Conflict),
                    (false, false) => {
                        let reason = "refused for an edit that is not there".to_owned();
                        self.look_up(mirror, op, reason).await
                    }
                }
            }
            StoreError::Full(reason) => Err(self.explain_full(mirror, op, reason).await),
            error => Err(error),
        }
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
