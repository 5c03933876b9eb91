//! Progress of a worker that the store does not have yet.
//!
//! An edit of the store waits for the disk, so there is at most one per second and webhook, and not one
//! per delivery. What is lost in a crash is sent again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::auth::Authenticator;
use crate::model::{Cursor, DeliveryReport, Webhook, WebhookId, WebhookProgress, WebhookStep};

/// Interval at which reports are stored, and their number at which they are stored in any case.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);
const MAX_UNSAVED: usize = 100;

/// Interval at which a position is stored that moved over changes which are not delivered.
const POSITION_INTERVAL: Duration = Duration::from_mins(1);

/// Pause after an edit that the store refused.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Reports and position of one webhook.
pub struct Journal {
    authenticator: Authenticator,
    id: WebhookId,
    /// Reports that the store does not have, oldest first.
    reports: Vec<WebhookStep>,
    /// Position that the store does not have.
    position: Option<Cursor>,
    saved_at: Instant,
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
        }
    }

    /// Returns the webhook, and its progress with what the store does not have yet; `None` if the webhook is
    /// paused or removed.
    pub fn webhook(&self) -> Option<(Arc<Webhook>, WebhookProgress)> {
        let staff = self.authenticator.staff().ok()?;
        let webhook = staff.accounts().webhooks().get(self.id)?;
        let mut progress = webhook.progress.clone();
        for step in &self.reports {
            progress.apply(step);
        }
        progress.position = self.position.or(progress.position);
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

    /// Stores the progress if that is due. Waits for the store while it takes nothing and much is unsaved,
    /// until `stop`.
    pub async fn save_if_due(&mut self, stop: &CancellationToken) {
        let age = self.saved_at.elapsed();
        let has_reports = !self.reports.is_empty() && age >= SAVE_INTERVAL;
        let has_moved = self.position.is_some() && age >= POSITION_INTERVAL;
        if has_reports || has_moved || self.reports.len() >= MAX_UNSAVED {
            self.save().await;
        }
        while self.reports.len() >= MAX_UNSAVED && !stop.is_cancelled() {
            sleep(RETRY_PAUSE).await;
            self.save().await;
        }
    }

    /// Drops what the store did not take.
    pub fn discard(&mut self) {
        self.reports.clear();
        self.position = None;
    }

    /// Stores the progress if it has reports, which people read.
    pub async fn save_reports(&mut self) {
        if !self.reports.is_empty() {
            self.save().await;
        }
    }

    /// Stores the progress. What the store does not take is kept for the next time.
    pub async fn save(&mut self) {
        let mut steps = self.reports.clone();
        steps.extend(self.position.map(WebhookStep::Advance));
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
        match saving.await {
            Ok(Ok(())) => {
                self.discard();
            }
            Ok(Err(error)) => {
                tracing::warn!(error, webhook.id = %id, "cannot store the progress of a webhook");
            }
            Err(error) => tracing::error!(%error, "storing the progress of a webhook panicked"),
        }
    }
}
