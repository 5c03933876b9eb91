//! Edits of webhooks by admins, and the steps of the worker.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard};

use tokio::sync::watch;

use super::{Accounts, AccountsError, AccountsResult, Actor, ActorRequirement, Plan};
use crate::model::{
    Author, Cursor, FieldError, Timestamp, Webhook, WebhookEvent, WebhookFormat, WebhookId,
    WebhookInput, WebhookProgress, WebhookSecret, WebhookStep, WebhookTarget,
};
use crate::store::AccountEdit;

/// Looks webhooks up and edits them.
pub struct Webhooks<'a>(pub(super) &'a Accounts);

impl Webhooks<'_> {
    /// Returns the webhooks, sorted by name.
    pub fn list(&self) -> Vec<Arc<Webhook>> {
        let cache = self.0.cache();
        let mut webhooks: Vec<_> = cache.webhooks.values().cloned().collect();
        webhooks.sort_by(|one, other| one.name.cmp(&other.name));
        webhooks
    }

    /// Returns a webhook.
    pub fn get(&self, id: WebhookId) -> Option<Arc<Webhook>> {
        self.0.cache().webhooks.get(&id).cloned()
    }

    /// Returns a receiver that is notified after each edit of a webhook, also by another node.
    pub fn changed(&self) -> watch::Receiver<()> {
        self.0.cache.webhooks_changed.subscribe()
    }

    /// Returns the failure that keeps this node from sending to a webhook, as a sentence for admins.
    pub fn notice(&self, id: WebhookId) -> Option<String> {
        self.notices().get(&id).cloned()
    }

    /// Sets the failure that keeps this node from sending to a webhook, until the program ends.
    pub fn set_notice(&self, id: WebhookId, notice: Option<String>) {
        let mut notices = self.notices();
        match notice {
            Some(notice) => drop(notices.insert(id, notice)),
            None => drop(notices.remove(&id)),
        }
    }

    fn notices(&self) -> MutexGuard<'_, HashMap<WebhookId, String>> {
        let notices = self.0.cache.webhook_notices.lock();
        notices.expect("no holder of this lock panics")
    }

    /// Adds the webhook `id`, which gets what comes after `position`. A form that is sent twice adds one.
    /// Returns the errors of the form if a field breaks its rule.
    ///
    /// # Errors
    /// `Full`, `SignedOut`, `NotAdmin`.
    pub fn add(
        &self,
        id: WebhookId,
        input: &WebhookInput,
        position: Cursor,
        actor: &Actor,
    ) -> AccountsResult<Result<(), Vec<FieldError>>> {
        let secret = WebhookSecret::new(rand::random());
        self.0.edit(actor, ActorRequirement::Admin, |cache, _| {
            if cache.webhooks.contains_key(&id) {
                return Ok(Plan::unchanged(Ok(())));
            }
            let empty = Webhook {
                id,
                name: String::new(),
                url: String::new(),
                format: WebhookFormat::default(),
                events: Vec::new(),
                secret: secret.clone(),
                is_paused: false,
                progress: WebhookProgress {
                    position: Some(position),
                    ..WebhookProgress::default()
                },
            };
            let webhook = match input.apply_to(&empty) {
                Ok(webhook) => webhook,
                Err(errors) => return Ok(Plan::unchanged(Err(errors))),
            };
            if cache.webhooks.len() >= Webhook::LIMIT {
                return Err(AccountsError::Full(Webhook::LIMIT));
            }
            let action = format!("added the webhook {}", describe(&webhook));
            Ok(put(webhook, action, Ok(())))
        })
    }

    /// Edits a webhook. Returns the errors of the form if a field breaks its rule.
    ///
    /// # Errors
    /// `Gone`, `SignedOut`, `NotAdmin`.
    pub fn edit(
        &self,
        id: WebhookId,
        input: &WebhookInput,
        actor: &Actor,
    ) -> AccountsResult<Result<(), Vec<FieldError>>> {
        self.0.edit(actor, ActorRequirement::Admin, |cache, _| {
            let before = cache.webhooks.get(&id).ok_or(AccountsError::Gone)?;
            let webhook = match input.apply_to(before) {
                Ok(webhook) => webhook,
                Err(errors) => return Ok(Plan::unchanged(Err(errors))),
            };
            if webhook == **before {
                return Ok(Plan::unchanged(Ok(())));
            }
            let action = format!(
                "edited the webhook {}, now {}",
                before.name,
                describe(&webhook)
            );
            Ok(put(webhook, action, Ok(())))
        })
    }

    /// Pauses a webhook, or resumes it after `position`.
    ///
    /// # Errors
    /// `Gone`, `SignedOut`, `NotAdmin`.
    pub fn set_paused(
        &self,
        id: WebhookId,
        is_paused: bool,
        position: Cursor,
        actor: &Actor,
    ) -> AccountsResult<()> {
        self.0.edit(actor, ActorRequirement::Admin, |cache, _| {
            let before = cache.webhooks.get(&id).ok_or(AccountsError::Gone)?;
            if before.is_paused == is_paused {
                return Ok(Plan::unchanged(()));
            }
            let mut webhook = Webhook::clone(before);
            webhook.is_paused = is_paused;
            webhook.progress.position = Some(position);
            let verb = if is_paused { "paused" } else { "resumed" };
            let action = format!("{verb} the webhook {}", webhook.name);
            Ok(put(webhook, action, ()))
        })
    }

    /// Removes a webhook with everything that waits.
    ///
    /// # Errors
    /// `SignedOut`, `NotAdmin`.
    pub fn remove(&self, id: WebhookId, actor: &Actor) -> AccountsResult<()> {
        self.0.edit(actor, ActorRequirement::Admin, |cache, _| {
            let Some(webhook) = cache.webhooks.get(&id) else {
                return Ok(Plan::unchanged(()));
            };
            let action = format!("removed the webhook {}", webhook.name);
            let edits = vec![AccountEdit::RemoveWebhook(id)];
            Ok(Plan::administrative(edits, action, ()))
        })
    }

    /// Makes a delivery due now: a test, or one that was sent or given up before.
    ///
    /// # Errors
    /// `Gone`, `SignedOut`, `NotAdmin`.
    pub fn enqueue(&self, id: WebhookId, delivery: &str, actor: &Actor) -> AccountsResult<()> {
        let now = Timestamp::now();
        self.0.edit(actor, ActorRequirement::Admin, |cache, _| {
            let before = cache.webhooks.get(&id).ok_or(AccountsError::Gone)?;
            let mut webhook = Webhook::clone(before);
            webhook.progress.enqueue(delivery.to_owned(), now);
            let action = format!("sent {delivery} to the webhook {}", webhook.name);
            let put = AccountEdit::PutWebhook(webhook.into());
            Ok(Plan::routine(vec![put], action, ()))
        })
    }

    /// Stores the steps of the worker. Does nothing for a webhook that was removed.
    ///
    /// # Errors
    /// `Store`.
    pub fn record(&self, id: WebhookId, steps: &[WebhookStep]) -> AccountsResult<()> {
        let nobody = Author {
            name: "pet-store".to_owned(),
            client: "webhooks".to_owned(),
        };
        self.0.decide(&nobody, |cache, _| {
            let Some(before) = cache.webhooks.get(&id) else {
                return Ok(Plan::unchanged(()));
            };
            let mut webhook = Webhook::clone(before);
            for step in steps {
                // A paused webhook resumes at the newest change.
                if !(webhook.is_paused && matches!(step, WebhookStep::Advance(_))) {
                    webhook.progress.apply(step);
                }
            }
            Ok(Plan {
                edits: vec![AccountEdit::PutWebhook(webhook.into())],
                audit: None,
                result: (),
            })
        })
    }
}

fn put<T>(webhook: Webhook, action: String, result: T) -> Plan<T> {
    let edits = vec![AccountEdit::PutWebhook(webhook.into())];
    Plan::administrative(edits, action, result)
}

/// Describes a webhook without the path of its address, which often contains a secret.
fn describe(webhook: &Webhook) -> String {
    let target = WebhookTarget::parse(&webhook.url);
    let host = target.map_or_else(|_| String::new(), |target| target.authority);
    let (_, format) = webhook.format.names();
    let event = |event: &WebhookEvent| event.names().2.to_lowercase();
    let events: Vec<String> = webhook.events.iter().map(event).collect();
    format!(
        "{} ({format} at {host}: {})",
        webhook.name,
        events.join(", ")
    )
}
