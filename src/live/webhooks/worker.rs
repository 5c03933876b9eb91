//! The worker of one webhook: one delivery after the other, in the order of the log.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::WebhookWorkers;
use super::client::{Attempt, WebhookClient};
use super::delivery::NotSent;
use super::journal::Journal;
use super::message::Content;
use crate::model::{
    Change, Cursor, DeliveryReport, DeliveryResult, Rev, Timestamp, Webhook, WebhookId,
    WebhookProgress, WebhookTarget,
};
use crate::store::{Duty, StoreError};

/// Changes per read of the log.
const BATCH: usize = 100;

/// Changes that are read to find how far back a trimmed log reaches.
const RECENT: usize = 10_000;

/// Pause after a failure of the store, and while another node sends.
const IDLE_PAUSE: Duration = Duration::from_millis(500);

/// The longest wait without a look at the clock and the lease.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How long a stop waits for the answer to a delivery that was sent.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Sends to one webhook, until it is stopped.
pub struct WebhookWorker {
    workers: Arc<WebhookWorkers>,
    id: WebhookId,
    stop: CancellationToken,
    /// Notified after each edit of a webhook.
    edited: watch::Receiver<()>,
    client: WebhookClient,
    journal: Journal,
    /// Changes that were read from the log and not looked at.
    unread: VecDeque<Change>,
    /// End of the pause that the receiver asked for.
    paused_until: Option<Instant>,
    has_duty: bool,
}

/// Next action of a worker.
enum NextAction {
    /// A delivery that waited: id, attempts so far, and its content or the reason to drop it.
    Again(String, u32, Result<Content, NotSent>),
    /// A change of the log; `None` for one that this webhook does not get.
    New(Cursor, Option<(String, Content)>),
    /// Nothing is to be done for this long, or until a change comes after the cursor.
    Wait(Duration, Cursor),
}

impl WebhookWorker {
    /// Creates the worker of a webhook.
    pub fn new(
        workers: &Arc<WebhookWorkers>,
        id: WebhookId,
        stop: CancellationToken,
        edited: watch::Receiver<()>,
    ) -> Self {
        WebhookWorker {
            workers: Arc::clone(workers),
            id,
            stop,
            edited,
            client: WebhookClient::default(),
            journal: Journal::new(workers.authenticator.clone(), id),
            unread: VecDeque::new(),
            paused_until: None,
            has_duty: false,
        }
    }

    /// Sends until the worker is stopped, or the webhook is paused or removed. Stores the progress then.
    pub async fn run(mut self) {
        while !self.stop.is_cancelled() {
            if !self.is_on_duty().await {
                self.rest(IDLE_PAUSE).await;
                continue;
            }
            self.edited.mark_unchanged();
            let Some((webhook, progress)) = self.journal.webhook() else {
                break;
            };
            match self.next_action(&webhook, &progress).await {
                Ok(turn) => self.take(turn, &webhook).await,
                Err(error) => {
                    tracing::debug!(%error, webhook.id = %self.id, "the log cannot be read for a webhook");
                    self.rest(IDLE_PAUSE).await;
                }
            }
            self.journal.save_if_due(&self.stop).await;
        }
        self.journal.save().await;
    }

    /// Returns true if this node sends. What another node sent before is known then.
    async fn is_on_duty(&mut self) -> bool {
        let had_duty =
            std::mem::replace(&mut self.has_duty, self.workers.hub.leads(Duty::Webhooks));
        if self.has_duty && !had_duty {
            let authenticator = self.workers.authenticator.clone();
            let caught_up = spawn_blocking(move || {
                let staff = authenticator.staff().ok()?;
                staff.accounts().catch_up().ok()
            });
            self.has_duty = caught_up.await.is_ok_and(|caught_up| caught_up.is_some());
        } else if had_duty && !self.has_duty {
            self.journal.save().await;
            // Another node knows better how far the webhook is by the time this one sends again.
            self.journal.discard();
            self.unread.clear();
        }
        self.has_duty
    }

    /// Decides what to do next. A delivery that is due comes before newer changes.
    async fn next_action(
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
            self.journal.save().await;
            self.rest(pause.min(IDLE_PAUSE)).await;
            return Ok(NextAction::Wait(Duration::ZERO, position));
        }
        let now = Timestamp::now();
        if let Some(waiting) = progress.next_due(now) {
            let (id, attempts) = (waiting.id.clone(), waiting.attempts);
            let (workers, same) = (Arc::clone(&self.workers), id.clone());
            let content = blocking(move || workers.content_again(&same)).await?;
            return Ok(NextAction::Again(id, attempts, content));
        }
        let until_due = progress.time_until_due(now).unwrap_or(LONGEST_WAIT);
        let has_room = progress.waiting.len() < WebhookProgress::WAITING_LIMIT;
        if has_room && let Some(turn) = self.next_change(webhook, position, newest).await? {
            return Ok(turn);
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
            return Ok(Some(self.skip_to(newest, detail)));
        }
        self.unread.retain(|change| change.rev > position.rev);
        if self.unread.is_empty() {
            if position.rev >= newest.rev {
                return Ok(None);
            }
            if let Some(turn) = self.read_log(position, newest).await? {
                return Ok(Some(turn));
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

    /// Reads the next changes. Returns a turn if there are none of which the webhook could get one.
    async fn read_log(
        &mut self,
        position: Cursor,
        newest: Cursor,
    ) -> Result<Option<NextAction>, StoreError> {
        let workers = Arc::clone(&self.workers);
        let (after, upto) = (position.rev, newest.rev);
        let read = blocking(move || workers.engine.tail(after, BATCH)).await;
        if let Err(StoreError::Trimmed) = read {
            let workers = Arc::clone(&self.workers);
            let recent = blocking(move || workers.engine.recent(upto, RECENT)).await?;
            let rev = recent.after.max(after.next());
            let detail = format!(
                "The history does not reach back far enough: changes {} to {rev} are not sent.",
                after.next().get(),
                rev = rev.get(),
            );
            return Ok(Some(self.skip_to(Cursor { rev, ..position }, &detail)));
        }
        let changes = read?.into_iter().filter(|change| change.rev <= upto);
        self.unread.extend(changes);
        // Not every rev of a cluster is a change.
        Ok(self
            .unread
            .is_empty()
            .then_some(NextAction::New(newest, None)))
    }

    /// Reports that changes before `position` are not sent.
    fn skip_to(&mut self, position: Cursor, detail: &str) -> NextAction {
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
        NextAction::New(position, None)
    }

    async fn take(&mut self, turn: NextAction, webhook: &Webhook) {
        match turn {
            NextAction::Again(id, attempts, Ok(content)) => {
                self.attempt(webhook, id, attempts + 1, content).await;
            }
            NextAction::Again(id, attempts, Err(reason)) => {
                let attempt = Attempt {
                    detail: reason.text().to_owned(),
                    ..Attempt::default()
                };
                let about = "Change".to_owned();
                let result = DeliveryResult::NotSent;
                self.report(id, about, attempts, Duration::ZERO, result, attempt);
            }
            NextAction::New(cursor, content) => {
                let is_done = match content {
                    Some((id, content)) => self.attempt(webhook, id, 1, content).await,
                    None => true,
                };
                if is_done {
                    self.journal.advance(cursor);
                }
            }
            NextAction::Wait(duration, cursor) if !duration.is_zero() => {
                self.journal.save_reports().await;
                let hub = Arc::clone(&self.workers.hub);
                tokio::select! {
                    () = hub.wait_past(cursor) => {}
                    _ = self.edited.changed() => {}
                    () = sleep(duration) => {}
                    () = self.stop.cancelled() => {}
                }
            }
            NextAction::Wait(..) => {}
        }
    }

    /// Sends a delivery once. Returns false if the worker was stopped before the answer: the delivery is
    /// sent again then.
    async fn attempt(
        &mut self,
        webhook: &Webhook,
        id: String,
        number: u32,
        content: Content,
    ) -> bool {
        let config = &self.workers.config;
        let started = Instant::now();
        let attempt = match WebhookTarget::parse(&webhook.url) {
            Err(detail) => Attempt {
                detail,
                ..Attempt::default()
            },
            Ok(target) => {
                let now = Timestamp::now();
                let (headers, body) = content.encode(webhook.format, &id, now, &webhook.secret);
                let tls = &self.workers.tls;
                let posting = self.client.post(&target, headers, body, config, tls);
                let stopped = async {
                    self.stop.cancelled().await;
                    sleep(STOP_TIMEOUT).await;
                };
                tokio::select! {
                    attempt = posting => attempt,
                    () = stopped => return false,
                }
            }
        };
        self.paused_until = attempt.pause.map(|pause| Instant::now() + pause);
        let has_more = config.retries.len() >= number as usize;
        let result = match attempt.is_delivered {
            true => DeliveryResult::Delivered,
            false if has_more => DeliveryResult::Failed,
            false => DeliveryResult::GivenUp,
        };
        self.report(id, content.text, number, started.elapsed(), result, attempt);
        true
    }

    fn report(
        &mut self,
        id: String,
        about: String,
        number: u32,
        took: Duration,
        result: DeliveryResult,
        attempt: Attempt,
    ) {
        let word = match result {
            DeliveryResult::Delivered => Some("delivered"),
            DeliveryResult::Failed => Some("failed"),
            DeliveryResult::GivenUp => Some("given-up"),
            DeliveryResult::NotSent => None,
        };
        if let Some(word) = word {
            let attempts = &self.workers.hub.metrics().webhook_attempts;
            attempts.with_label_values(&[word]).inc();
        }
        if result == DeliveryResult::GivenUp {
            tracing::warn!(webhook.id = %self.id, delivery.id = id, "gave up a delivery to a webhook");
        }
        let at = Timestamp::now();
        let delay = self
            .workers
            .config
            .retries
            .get(number.saturating_sub(1) as usize);
        let delay = delay.filter(|_| result == DeliveryResult::Failed);
        self.journal.report(DeliveryReport {
            id,
            about,
            attempt: number,
            at,
            took_ms: took.as_millis() as u64,
            result,
            status: attempt.status,
            detail: attempt.detail,
            retry_at: delay.map(|delay| at.plus((*delay).max(attempt.pause.unwrap_or_default()))),
        });
    }

    /// Waits, or until the worker is stopped.
    async fn rest(&self, duration: Duration) {
        tokio::select! {
            () = sleep(duration) => {}
            () = self.stop.cancelled() => {}
        }
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
async fn blocking<T: Send + 'static>(
    task: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = spawn_blocking(task).await;
    done.unwrap_or_else(|panic| Err(StoreError::Read(panic.to_string())))
}
