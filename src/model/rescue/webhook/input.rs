//! Validates what an admin enters for a webhook.

use super::super::super::{FieldError, check_line};
use super::{Webhook, WebhookEvent, WebhookFormat, WebhookTarget};

/// A webhook as an admin entered it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookInput {
    /// Name for the admins.
    pub name: String,
    /// Address that deliveries are sent to.
    pub url: String,
    /// Word of the format.
    pub format: String,
    /// Words of the events.
    pub events: Vec<String>,
}

impl WebhookInput {
    /// The most characters of a name.
    pub const NAME_LIMIT: usize = 40;

    /// The most characters of an address.
    pub const URL_LIMIT: usize = 1000;

    /// Returns the values of an empty form: every event, as JSON.
    pub fn blank() -> Self {
        WebhookInput {
            format: WebhookFormat::default().names().0.to_owned(),
            events: WebhookEvent::ALL
                .map(|(_, word, ..)| word.to_owned())
                .into(),
            ..WebhookInput::default()
        }
    }

    /// Returns the values of the form for `webhook`.
    pub fn from_webhook(webhook: &Webhook) -> Self {
        let events = webhook.events.iter();
        WebhookInput {
            name: webhook.name.clone(),
            url: webhook.url.clone(),
            format: webhook.format.names().0.to_owned(),
            events: events.map(|event| event.names().0.to_owned()).collect(),
        }
    }

    /// Returns `webhook` with what was entered.
    ///
    /// # Errors
    /// Names every field that breaks its rule.
    pub fn apply_to(&self, webhook: &Webhook) -> Result<Webhook, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut refuse = |field, message: String| errors.push(FieldError::new(field, message));
        if self.name.is_empty() {
            refuse("name", "Enter a name.".to_owned());
        } else if let Err(message) = check_line(&self.name, WebhookInput::NAME_LIMIT) {
            refuse("name", message);
        }
        if let Err(message) = check_line(&self.url, WebhookInput::URL_LIMIT) {
            refuse("url", message);
        } else if let Err(message) = WebhookTarget::parse(&self.url) {
            refuse("url", message);
        }
        let mut formats = WebhookFormat::ALL.into_iter();
        let format = formats.find(|(_, word, _)| *word == self.format);
        if format.is_none() {
            refuse("format", "Choose a format.".to_owned());
        }
        let events = WebhookEvent::ALL.into_iter();
        let is_chosen = |word: &str| self.events.iter().any(|chosen| chosen == word);
        let events: Vec<_> = events.filter(|(_, word, ..)| is_chosen(word)).collect();
        if events.is_empty() {
            refuse("events", "Choose at least one event.".to_owned());
        }
        let Some((format, ..)) = format.filter(|_| errors.is_empty()) else {
            return Err(errors);
        };
        Ok(Webhook {
            name: self.name.clone(),
            url: self.url.clone(),
            format,
            events: events.into_iter().map(|(event, ..)| event).collect(),
            ..webhook.clone()
        })
    }
}
