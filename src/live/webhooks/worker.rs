//! The worker of one webhook: one delivery after the other, in the order of the log.

mod next_action;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use self::next_action::{NextAction, blocking};
use super::WebhookWorkers;
use super::client::{Attempt, WebhookClient};
use super::failures::Failures;
use super::journal::Journal;
use super::message::Content;
use crate::model::{
    Change, DeliveryReport, DeliveryResult, Timestamp, Webhook, WebhookId, WebhookTarget,
};
use crate::store::{Duty, StoreError};

/// The action that fails if the store cannot be read.
const READ: &str = "read the store";

/// Pause while another node sends.
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
    has_lease: bool,
    read_failures: Failures,
    /// Sentence about failures on the page of the webhook.
    notice: Option<String>,
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
            has_lease: false,
            read_failures: Failures::default(),
            notice: None,
        }
    }

    /// Sends until the worker is stopped, or the webhook is paused or removed. Stores the progress then.
    pub async fn run(mut self) {
        while !self.stop.is_cancelled() {
            self.journal.save_if_due().await;
            self.show_notice();
            if self.journal.is_full() {
                self.pause_for(self.journal.time_until_retry().unwrap_or_default())
                    .await;
                continue;
            }
            match self.holds_lease().await {
                Ok(true) => {}
                Ok(false) => {
                    self.pause_for(IDLE_PAUSE).await;
                    continue;
                }
                Err(error) => {
                    self.pause_after(&error).await;
                    continue;
                }
            }
            self.edited.mark_unchanged();
            let Some((webhook, progress)) = self.journal.webhook() else {
                break;
            };
            match self.next_action(&webhook, &progress).await {
                Ok(action) => {
                    self.read_failures.end(self.id, READ);
                    self.take(action, &webhook).await;
                }
                Err(error) => self.pause_after(&error).await,
            }
        }
        self.journal.save().await;
        self.set_notice(None);
    }

    /// Pauses before the store is read again.
    async fn pause_after(&mut self, error: &StoreError) {
        let pause = self.read_failures.add(self.id, READ, error);
        self.show_notice();
        self.pause_for(pause).await;
    }

    /// Shows admins a failure that lasts.
    fn show_notice(&mut self) {
        let notice = self.read_failures.notice().or(self.journal.notice());
        self.set_notice(notice.map(str::to_owned));
    }

    fn set_notice(&mut self, notice: Option<String>) {
        if notice != self.notice
            && let Ok(staff) = self.workers.authenticator.staff()
        {
            let webhooks = staff.accounts().webhooks();
            webhooks.set_notice(self.id, notice.clone());
            self.notice = notice;
        }
    }

    /// Returns true if this node sends. What another node sent before is known then.
    async fn holds_lease(&mut self) -> Result<bool, StoreError> {
        let had_lease = self.has_lease;
        let has_lease = self.workers.hub.leads(Duty::Webhooks);
        if has_lease && !had_lease {
            let authenticator = self.workers.authenticator.clone();
            blocking(move || match authenticator.staff() {
                Ok(staff) => staff.accounts().catch_up(),
                Err(_) => Ok(()),
            })
            .await?;
        } else if !has_lease {
            if had_lease {
                self.journal.save().await;
                // By the time this node sends again, the position of the other node is newer.
                self.journal.discard();
                self.unread.clear();
            }
            // Also after a lease that was lost before the accounts could be read.
            self.read_failures = Failures::default();
        }
        self.has_lease = has_lease;
        Ok(has_lease)
    }

    async fn take(&mut self, action: NextAction, webhook: &Webhook) {
        match action {
            NextAction::Retry(id, attempts, Ok(content)) => {
                self.attempt(webhook, id, attempts + 1, content).await;
            }
            NextAction::Retry(id, attempts, Err(reason)) => {
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
                let retry = self.journal.time_until_retry();
                let duration = retry.map_or(duration, |retry| retry.min(duration));
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
    async fn pause_for(&self, duration: Duration) {
        tokio::select! {
            () = sleep(duration) => {}
            () = self.stop.cancelled() => {}
        }
    }
}
