//! Edits of the roster: sent as a batch, and looked for where nobody says what became of it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::mirror::Mirror;
use super::{Staff, message};
use crate::store::nats::batch::{self, Outgoing};
use crate::store::nats::subjects::STAFF_NOTES;
use crate::store::{AccountEdit, StoreError};

/// How long an edit whose answer did not come is looked for, and the pauses in between: exponential
/// back-off.
const LOOKED_UP_FOR: Duration = Duration::from_secs(5);
const LOOK_UP_FIRST: Duration = Duration::from_millis(50);
const LOOK_UP_MAX: Duration = Duration::from_millis(400);

impl Staff {
    /// Makes `edits`, if the stream ends at `read`: the number of the last message then.
    pub async fn edit(&self, read: u64, edits: &[AccountEdit]) -> Result<u64, StoreError> {
        let mut mirror = self.mirror.lock().await;
        if !mirror.is_kept_up {
            let asked = Instant::now();
            mirror.catch_up(&self.link).await?;
            self.reach.hear(asked);
        }
        self.reach.check_to_write().await?;
        let messages = message::write(read, (mirror.kept.last_deed(), mirror.admin_slot), edits);
        let entries: Vec<_> = (read + 1..)
            .zip(&messages)
            .map(|(seq, message)| message::stored(seq, message))
            .collect();
        let op = batch::new_op();
        let sent_at = Instant::now();
        let sent = batch::send(&self.link, &op, messages.clone()).await;
        match sent.map_err(batch::explain) {
            // Nothing was between, so these are the messages that follow.
            Ok(_) => mirror.pass(&entries),
            Err(StoreError::Unknown(reason)) => {
                let again = Some(messages);
                self.look_up(&mut mirror, read, &op, again, reason).await?;
            }
            Err(failed) => self.find_out(&mut mirror, read, &op, failed).await?,
        }
        self.reach.hear(sent_at);
        // Who does not hear it looks by itself.
        let _ = self.link.client().publish(STAFF_NOTES, "".into()).await;
        Ok(mirror.seq)
    }

    /// Resolves the outcome of an edit that was decided at `read` and refused.
    async fn find_out(
        &self,
        mirror: &mut Mirror,
        read: u64,
        op: &str,
        failed: StoreError,
    ) -> Result<(), StoreError> {
        match failed {
            StoreError::Conflict => {
                // A server that led until a moment ago refuses what the one that leads now takes.
                let passed = mirror.catch_up(&self.link).await?;
                match (passed.iter().any(|passed| passed == op), mirror.seq > read) {
                    (true, _) => Ok(()),
                    (false, true) => Err(StoreError::Conflict),
                    (false, false) => {
                        let reason = "refused for an edit that is not there".to_owned();
                        self.look_up(mirror, read, op, None, reason).await
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

    /// Resolves the outcome of an edit without an acknowledgement: searches the stream for its messages,
    /// and sends them `again` while the stream still ends at `read`. They are stored at most once.
    async fn look_up(
        &self,
        mirror: &mut Mirror,
        read: u64,
        op: &str,
        again: Option<Vec<Outgoing>>,
        reason: String,
    ) -> Result<(), StoreError> {
        let deadline = Instant::now() + LOOKED_UP_FOR;
        let mut pause = LOOK_UP_FIRST;
        while Instant::now() < deadline {
            match mirror.catch_up(&self.link).await {
                Ok(passed) if passed.iter().any(|passed| passed == op) => return Ok(()),
                Ok(_) if mirror.seq > read && again.is_some() => return Err(StoreError::Conflict),
                Ok(_) => {
                    if let Some(messages) = again.clone() {
                        // The next catch-up shows whether it was stored.
                        let _ = batch::send(&self.link, op, messages).await;
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "the outcome of an edit of staff is not known yet")
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(LOOK_UP_MAX);
        }
        Err(StoreError::Unknown(reason))
    }
}
