//! Sends public changes to the webhooks of the rescue.
//!
//! The log of changes is the outbox, so a commit costs nothing more. Each webhook has a worker: a task
//! that reads the log from the webhook's position, and sends one delivery after the other. What fails
//! waits for its next attempt in the webhook's record. The worker stores its progress at most once a
//! second, between deliveries; after a kill it sends again what was not stored, with the same ids. On a cluster one
//! node sends, by a lease. Without webhooks there is no task but the one that waits for the first.

mod client;
mod delivery;
mod failures;
mod journal;
mod message;
mod running;
#[cfg(test)]
mod tests;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use self::client::LazyTls;
use self::running::RunningWorkers;
use self::worker::WebhookWorker;
use crate::auth::Authenticator;
use crate::hub::Hub;
use crate::model::WebhookId;
use crate::store::{Duty, Engine};

/// Settings of the workers.
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    /// True if deliveries may go to this machine and its network.
    pub to_private_addresses: bool,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// Delays before the second and each further attempt. Without pauses that the receiver asks for, they
    /// are shorter than the 24 hours for which an embedded store always keeps changes.
    pub retries: Vec<Duration>,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        let minutes = [1, 5, 30, 2 * 60, 5 * 60, 8 * 60, 8 * 60].map(Duration::from_mins);
        let mut retries = vec![Duration::from_secs(5)];
        retries.extend(minutes);
        WebhookConfig {
            to_private_addresses: false,
            timeout: Duration::from_secs(15),
            retries,
        }
    }
}

/// Starts and ends the workers.
pub struct WebhookWorkers {
    hub: Arc<Hub>,
    engine: Arc<dyn Engine>,
    authenticator: Authenticator,
    config: WebhookConfig,
    tls: LazyTls,
}

impl WebhookWorkers {
    /// Creates the workers of a running program.
    pub fn new(
        hub: Arc<Hub>,
        engine: Arc<dyn Engine>,
        authenticator: Authenticator,
        config: WebhookConfig,
    ) -> Self {
        WebhookWorkers {
            hub,
            engine,
            authenticator,
            config,
            tls: LazyTls::default(),
        }
    }

    /// Runs a worker for every webhook that is not paused, until `stop`. Then waits until all have stored
    /// their progress.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let Ok(staff) = self.authenticator.staff() else {
            return;
        };
        let mut changed = staff.accounts().webhooks().changed();
        let mut running = RunningWorkers::default();
        let mut is_candidate = false;
        while !stop.is_cancelled() {
            changed.mark_unchanged();
            let webhooks = staff.accounts().webhooks().list();
            let waiting = webhooks
                .iter()
                .map(|webhook| webhook.progress.waiting.len());
            let waiting = i64::try_from(waiting.sum::<usize>()).unwrap_or(i64::MAX);
            self.hub.metrics().webhooks_waiting.set(waiting);
            let active = webhooks.iter().filter(|webhook| !webhook.is_paused);
            let active: Vec<WebhookId> = active.map(|webhook| webhook.id).collect();
            if !active.is_empty() && !is_candidate {
                self.hub.campaign(Duty::Webhooks);
                is_candidate = true;
            }
            let start = |id, stop| {
                WebhookWorker::new(&self, id, stop, staff.accounts().webhooks().changed()).run()
            };
            running.set(&active, start, &stop);
            tokio::select! {
                _ = changed.changed() => {}
                () = stop.cancelled() => {}
                () = running.ended() => {}
            }
        }
        running.join().await;
    }
}
