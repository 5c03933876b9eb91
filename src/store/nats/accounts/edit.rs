//! Edits accounts with an atomic batch, and resolves its outcome from the stream when the ack is lost.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::record::encode_edits;
use super::{AccountLog, AccountReplica};
use crate::store::nats::batch::{self, BatchMessage, batch_error};
use crate::store::nats::subjects::ACCOUNTS_CHANGED;
use crate::store::{AccountEdit, StoreError};

/// How long the outcome of an edit is searched for, and the delays in between: exponential back-off.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(50);
const MAX_RETRY_DELAY: Duration = Duration::from_millis(400);

/// An edit in progress.
struct PendingEdit<'a> {
    log: &'a AccountLog,
    /// The locked copy, so that no other edit of this node runs.
    replica: &'a mut AccountReplica,
    op: String,
    /// The version at which the edit was decided.
    read: u64,
}

impl AccountLog {
    /// Makes `edits` if the stream ends at `read`. Returns the version after them.
    ///
    /// # Errors
    /// See `AccountStore::edit_accounts`.
    pub async fn edit(&self, read: u64, edits: &[AccountEdit]) -> Result<u64, StoreError> {
        let mut replica = self.replica().await;
        if !replica.is_followed {
            let sent = Instant::now();
            replica.catch_up(&self.client).await?;
            self.health.record_answer(sent);
        }
        self.health.check_writable().await?;
        let messages = encode_edits(
            read,
            replica.records.last_audit_number(),
            replica.admin_slot,
            edits,
        );
        let sent_at = Instant::now();
        let edit = PendingEdit {
            log: self,
            replica: &mut replica,
            op: batch::new_op(),
            read,
        };
        edit.run(messages).await?;
        self.health.record_answer(sent_at);
        // A node that misses the notification finds the edit when it polls.
        let client = self.client.client();
        let _ = client.publish(ACCOUNTS_CHANGED, "".into()).await;
        Ok(replica.seq)
    }
}

impl PendingEdit<'_> {
    /// Sends the messages, and applies them to the copy when they are stored.
    async fn run(mut self, messages: Vec<BatchMessage>) -> Result<(), StoreError> {
        let sent = batch::send(&self.log.client, &self.op, messages.clone()).await;
        match sent.map_err(batch_error) {
            // The stream ended at `read`, so these messages directly follow.
            Ok(_) => self.replica.apply_batch(self.read, messages),
            Err(StoreError::Unknown(reason)) => self.resolve(Some(messages), reason).await?,
            Err(StoreError::Conflict) => self.resolve_conflict().await?,
            Err(StoreError::Full(reason)) => return Err(self.resolve_full(reason).await),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Catches up with the stream. Returns true if it has the messages of this edit.
    async fn is_stored(&mut self) -> Result<bool, StoreError> {
        let ops = self.replica.catch_up(&self.log.client).await?;
        Ok(ops.contains(&self.op))
    }

    /// Resolves a conflict: a server that led until a moment ago refuses what the new leader accepts.
    async fn resolve_conflict(&mut self) -> Result<(), StoreError> {
        if self.is_stored().await? {
            Ok(())
        } else if self.replica.seq > self.read {
            Err(StoreError::Conflict)
        } else {
            let reason = "refused for an edit that is not in the stream".to_owned();
            self.resolve(None, reason).await
        }
    }

    /// Resolves an edit for which there was no space. A single server that reaches its limit in the
    /// middle of a batch keeps a part of the batch.
    async fn resolve_full(&mut self, reason: String) -> StoreError {
        match self.is_stored().await {
            Ok(false) => StoreError::Full(reason),
            _ => StoreError::Unknown(reason),
        }
    }

    /// Resolves an unknown outcome: searches the stream for the messages, and sends `messages` again
    /// while the stream still ends at `read`. They are stored at most once.
    async fn resolve(
        &mut self,
        messages: Option<Vec<BatchMessage>>,
        reason: String,
    ) -> Result<(), StoreError> {
        let deadline = Instant::now() + RESOLVE_TIMEOUT;
        let mut delay = FIRST_RETRY_DELAY;
        while Instant::now() < deadline {
            match self.is_stored().await {
                Ok(true) => return Ok(()),
                Ok(false) if self.replica.seq > self.read && messages.is_some() => {
                    return Err(StoreError::Conflict);
                }
                Ok(false) => {
                    if let Some(messages) = messages.clone() {
                        // The next catch-up shows whether the messages were stored.
                        let _ = batch::send(&self.log.client, &self.op, messages).await;
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "the outcome of an edit of accounts is not known yet");
                }
            }
            sleep(delay).await;
            delay = (delay * 2).min(MAX_RETRY_DELAY);
        }
        Err(StoreError::Unknown(reason))
    }
}
