//! Progress of a worker that the store does not have yet.
//!
//! An edit of the store waits for the disk, so there is at most one per second and webhook, and not one
//! per delivery. What is lost in a crash is sent again.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::failures::Failures;
use crate::auth::Authenticator;
use crate::model::{Cursor, DeliveryReport, Webhook, WebhookId, WebhookProgress, WebhookStep};

/// Interval at which reports are stored, and their number at which they are stored in any case.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);
const MAX_UNSAVED: usize = 100;

/// Interval at which a position is stored that moved over changes which are not delivered.
const POSITION_INTERVAL: Duration = Duration::from_mins(1);

/// The action that fails if the store refuses an edit.
const STORE: &str = "store which deliveries were sent";

/// Reports and position of one webhook.
pub struct Journal {
    authenticator: Authenticator,
    id: WebhookId,
    /// Reports that the store does not have, oldest first.
    reports: Vec<WebhookStep>,
    /// Position that the store does not have.
    position: Option<Cursor>,
    saved_at: Instant,
    failures: Failures,
    /// Time of the next attempt after a failure.
    retry_at: Option<Instant>,
}

impl Journal {
    /// Creates an empty journal.
    pub fn new(authenticator: Authenticator, id: WebhookId) -> Self {
        Journal {
            authenticator,
            id,
            reports: Vec::new(),
            position: None,
            saved_at: Instant::now(),
            failures: Failures::default(),
            retry_at: None,
        }
    }

    /// Returns the webhook, and its progress with what the store does not have yet; `None` if the webhook is
    /// paused or removed.
    pub fn webhook(&self) -> Option<(Arc<Webhook>, WebhookProgress)> {
        let staff = self.authenticator.staff().ok()?;
        let webhook = staff.accounts().webhooks().get(self.id)?;
        let mut progress = webhook.progress.clone();
        for step in self.steps() {
            progress.apply(&step);
        }
        (!webhook.is_paused).then_some((webhook, progress))
    }

    /// Adds a report.
    pub fn report(&mut self, report: DeliveryReport) {
        self.reports.push(WebhookStep::Report(report));
    }

    /// Moves the position.
    pub fn advance(&mut self, position: Cursor) {
        self.position = Some(position);
    }

    /// Returns true if so much is unsaved that nothing more may be sent.
    pub fn is_full(&self) -> bool {
        self.reports.len() >= MAX_UNSAVED
    }

    /// Returns the time until the store is tried again; `None` if the last attempt did not fail.
    pub fn time_until_retry(&self) -> Option<Duration> {
        let retry_at = self.retry_at?;
        Some(retry_at.saturating_duration_since(Instant::now()))
    }

    /// Returns the notice for admins, if the failures last.
    pub fn notice(&self) -> Option<&str> {
        self.failures.notice()
    }

    /// Stores the progress if that is due.
    pub async fn save_if_due(&mut self) {
        let age = self.saved_at.elapsed();
        let has_reports = !self.reports.is_empty() && age >= SAVE_INTERVAL;
        let has_moved = self.position.is_some() && age >= POSITION_INTERVAL;
        let is_due = match self.time_until_retry() {
            Some(time) => time.is_zero(),
            None => has_reports || has_moved || self.is_full(),
        };
        if is_due {
            self.save().await;
        }
    }

    /// Drops what the store did not take.
    pub fn discard(&mut self) {
        self.reports.clear();
        self.position = None;
        self.retry_at = None;
        self.failures = Failures::default();
    }

    /// Stores the progress if it has reports, which people read.
    pub async fn save_reports(&mut self) {
        if !self.reports.is_empty() && self.retry_at.is_none() {
            self.save().await;
        }
    }

    /// Stores the progress. What the store does not take is kept for the next time.
    pub async fn save(&mut self) {
        let steps: Vec<WebhookStep> = self.steps().collect();
        self.saved_at = Instant::now();
        if steps.is_empty() {
            return;
        }
        let (authenticator, id) = (self.authenticator.clone(), self.id);
        let saving = spawn_blocking(move || {
            let staff = authenticator.staff().map_err(|error| error.to_string())?;
            let saved = staff.accounts().webhooks().record(id, &steps);
            saved.map_err(|error| error.to_string())
        });
        let saved = saving.await;
        match saved.unwrap_or_else(|panic| Err(panic.to_string())) {
            Ok(()) => {
                self.failures.end(id, STORE);
                self.discard();
            }
            Err(error) => {
                self.retry_at = Some(Instant::now() + self.failures.add(id, STORE, &error));
            }
        }
    }

    /// Returns what the store does not have.
    fn steps(&self) -> impl Iterator<Item = WebhookStep> {
        let position = self.position.map(WebhookStep::Advance);
        self.reports.iter().cloned().chain(position)
    }
}
