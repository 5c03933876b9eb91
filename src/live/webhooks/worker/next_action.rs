//! Next action of a worker: to send the oldest delivery that is due, else the next change of the log.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::super::delivery::NotSent;
use super::super::message::Content;
use super::{IDLE_PAUSE, LONGEST_WAIT, WebhookWorker};
use crate::model::{
    Cursor, DeliveryReport, DeliveryResult, Rev, Timestamp, Webhook, WebhookProgress,
};
use crate::store::StoreError;

/// Changes per read of the log.
const BATCH: usize = 100;

/// Next action of a worker.
pub enum NextAction {
    /// A delivery that waited: id, attempts so far, and its content or the reason to drop it.
    Retry(String, u32, Result<Content, NotSent>),
    /// A change of the log; `None` for one that this webhook does not get.
    New(Cursor, Option<(String, Content)>),
    /// Nothing is to be done for this long, or until a change comes after the cursor.
    Wait(Duration, Cursor),
}

impl WebhookWorker {
    /// Decides what to do next. A delivery that is due comes before newer changes.
    pub(super) async fn next_action(
        &mut self,
        webhook: &Webhook,
        progress: &WebhookProgress,
    ) -> Result<NextAction, StoreError> {
        let newest = self.newest();
        let position = progress.position.unwrap_or(newest);
        if let Some(pause) = self.paused_until.map(|until| until - Instant::now())
            && !pause.is_zero()
        {
            // No change ends this pause.
            self.journal.save_reports().await;
            self.pause_for(pause.min(IDLE_PAUSE)).await;
            return Ok(NextAction::Wait(Duration::ZERO, position));
        }
        let now = Timestamp::now();
        if let Some(waiting) = progress.next_due(now) {
            let (id, attempts) = (waiting.id.clone(), waiting.attempts);
            let (workers, same) = (Arc::clone(&self.workers), id.clone());
            let content = blocking(move || workers.content_again(&same)).await?;
            return Ok(NextAction::Retry(id, attempts, content));
        }
        let until_due = progress.time_until_due(now).unwrap_or(LONGEST_WAIT);
        let has_room = progress.waiting.len() < WebhookProgress::WAITING_LIMIT;
        if has_room && let Some(action) = self.next_change(webhook, position, newest).await? {
            return Ok(action);
        }
        let lease = if self.workers.engine.is_shared() {
            IDLE_PAUSE
        } else {
            LONGEST_WAIT
        };
        let until = if has_room {
            position
        } else {
            // Waits for room, not for changes.
            Cursor {
                rev: Rev::new(u64::MAX),
                ..newest
            }
        };
        Ok(NextAction::Wait(until_due.min(lease), until))
    }

    /// Returns the next change after `position`; `None` if there is none yet.
    async fn next_change(
        &mut self,
        webhook: &Webhook,
        position: Cursor,
        newest: Cursor,
    ) -> Result<Option<NextAction>, StoreError> {
        if position.epoch != newest.epoch {
            self.unread.clear();
            let detail = "The history of the store began again. Changes before that are not sent.";
            self.report_gap(detail);
            return Ok(Some(NextAction::New(newest, None)));
        }
        self.unread.retain(|change| change.rev > position.rev);
        if self.unread.is_empty() {
            if position.rev >= newest.rev {
                return Ok(None);
            }
            if let Some(action) = self.read_log(position, newest).await? {
                return Ok(Some(action));
            }
        }
        let Some(change) = self.unread.pop_front() else {
            return Ok(None);
        };
        let rev = change.rev;
        let cursor = Cursor { rev, ..position };
        let workers = Arc::clone(&self.workers);
        let delivery = blocking(move || workers.delivery(change)).await?;
        let delivery = delivery.ok();
        let delivery = delivery.filter(|found| webhook.events.contains(&found.event));
        let content =
            delivery.map(|delivery| (cursor.to_string(), self.workers.content(&delivery)));
        Ok(Some(NextAction::New(cursor, content)))
    }

    /// Reads the next changes, also over a gap of a log that was trimmed. Returns an action if there are none.
    async fn read_log(
        &mut self,
        position: Cursor,
        newest: Cursor,
    ) -> Result<Option<NextAction>, StoreError> {
        let (workers, after, upto) = (Arc::clone(&self.workers), position.rev, newest.rev);
        let left = blocking(move || workers.engine.remaining_after(after, upto, BATCH)).await?;
        if let Some((first, last)) = left.lost {
            self.report_gap(&format!(
                "The history does not reach back far enough: it lacks changes from {} to {}, which are not sent.",
                first.get(),
                last.get()
            ));
        }
        self.unread.extend(left.changes);
        let end = Cursor {
            rev: left.reaches,
            ..position
        };
        // Not every rev of a cluster is a change.
        let is_empty = self.unread.is_empty();
        Ok(is_empty.then_some(NextAction::New(end, None)))
    }

    /// Reports that changes are not sent because the log does not have them.
    fn report_gap(&mut self, detail: &str) {
        tracing::warn!(webhook.id = %self.id, "{detail}");
        self.journal.report(DeliveryReport {
            id: String::new(),
            about: "History".to_owned(),
            attempt: 0,
            at: Timestamp::now(),
            took_ms: 0,
            result: DeliveryResult::NotSent,
            status: None,
            detail: detail.to_owned(),
            retry_at: None,
        });
    }

    /// Returns the position after the newest change, of which visitors may have learned nothing.
    fn newest(&self) -> Cursor {
        let hub = &self.workers.hub;
        Cursor {
            epoch: hub.epoch(),
            rev: hub.newest().0,
        }
    }
}

/// Runs what blocks on the disk.
pub(super) async fn blocking<T: Send + 'static>(
    task: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = spawn_blocking(task).await;
    done.unwrap_or_else(|panic| Err(StoreError::Read(panic.to_string())))
}
