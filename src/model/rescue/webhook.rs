//! Webhooks: addresses of other programs that get the public changes of pets.

mod input;
mod progress;
mod target;

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};

pub use self::input::WebhookInput;
pub use self::progress::{
    DeliveryReport, DeliveryResult, WaitingDelivery, WebhookProgress, WebhookStep,
};
pub use self::target::{WebhookTarget, is_public_address};

/// A webhook with its position in the log and its last deliveries, as records have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Id, which never changes.
    pub id: WebhookId,
    /// Name for the admins.
    pub name: String,
    /// Address that deliveries are sent to, as it was entered.
    pub url: String,
    /// Form of the deliveries.
    pub format: WebhookFormat,
    /// Events that are delivered.
    pub events: Vec<WebhookEvent>,
    /// Key of the signatures.
    pub secret: WebhookSecret,
    /// True while nothing is sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_paused: bool,
    /// Deliveries so far, and those that wait.
    #[serde(default)]
    pub progress: WebhookProgress,
}

impl Webhook {
    /// The most webhooks of a rescue. Each may have one connection open.
    pub const LIMIT: usize = 20;
}

/// Id of a webhook: 8 hex digits, chosen at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WebhookId(u32);

impl WebhookId {
    /// Wraps the bits.
    pub const fn new(bits: u32) -> Self {
        WebhookId(bits)
    }

    /// Returns the bits.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// The text is not the id of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a webhook has 8 lower-case hex digits")]
pub struct WebhookIdError;

impl FromStr for WebhookId {
    type Err = WebhookIdError;

    fn from_str(text: &str) -> Result<Self, WebhookIdError> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        let bytes = bytes.ok_or(WebhookIdError)?;
        Ok(WebhookId(u32::from_be_bytes(bytes)))
    }
}

/// Form of the deliveries of a webhook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookFormat {
    /// JSON for programs, by the convention Standard Webhooks.
    #[default]
    Standard,
    /// A message in a channel of Discord.
    Discord,
    /// A message in a channel of Slack, or of a program that accepts the same, such as Mattermost.
    Slack,
    /// A notification of ntfy.
    Ntfy,
}

impl WebhookFormat {
    /// Every format with its word in forms, and its name.
    pub const ALL: [(WebhookFormat, &str, &str); 4] = [
        (WebhookFormat::Standard, "standard", "JSON for programs"),
        (WebhookFormat::Discord, "discord", "Discord"),
        (WebhookFormat::Slack, "slack", "Slack"),
        (WebhookFormat::Ntfy, "ntfy", "ntfy"),
    ];

    /// Returns the word in forms, and the name.
    pub fn names(self) -> (&'static str, &'static str) {
        let mut all = WebhookFormat::ALL.into_iter();
        let found = all.find(|(format, ..)| *format == self);
        let (_, word, name) = found.expect("the table has every format");
        (word, name)
    }
}

/// Kind of change that a webhook may deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookEvent {
    /// A pet does something else, or it was confirmed.
    Status,
    /// A pet appeared on the board.
    Added,
    /// A pet was edited.
    Edited,
    /// A pet was adopted.
    Adopted,
    /// A pet went from the board.
    Removed,
}

impl WebhookEvent {
    /// Every event with its word in forms, its `type` in deliveries, and its name.
    pub const ALL: [(WebhookEvent, &str, &str, &str); 5] = [
        (WebhookEvent::Status, "status", "pet.status", "New status"),
        (WebhookEvent::Added, "added", "pet.added", "Pet added"),
        (
            WebhookEvent::Adopted,
            "adopted",
            "pet.adopted",
            "Pet adopted",
        ),
        (WebhookEvent::Edited, "edited", "pet.edited", "Pet edited"),
        (
            WebhookEvent::Removed,
            "removed",
            "pet.removed",
            "Pet removed",
        ),
    ];

    /// Returns the word in forms, the `type` in deliveries, and the name.
    pub fn names(self) -> (&'static str, &'static str, &'static str) {
        let mut all = WebhookEvent::ALL.into_iter();
        let found = all.find(|(event, ..)| *event == self);
        let (_, word, kind, name) = found.expect("the table has every event");
        (word, kind, name)
    }
}

/// Key with which a webhook signs. Not shown in logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebhookSecret([u8; 32]);

/// Start of a secret as people copy it.
const SECRET_PREFIX: &str = "whsec_";

impl WebhookSecret {
    /// Wraps random bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        WebhookSecret(bytes)
    }

    /// Returns the bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SECRET_PREFIX}{}", BASE64.encode(&self.0))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret")
    }
}

impl From<WebhookSecret> for String {
    fn from(secret: WebhookSecret) -> Self {
        secret.to_string()
    }
}

impl TryFrom<String> for WebhookSecret {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let bytes = text.strip_prefix(SECRET_PREFIX);
        let bytes = bytes.and_then(|text| BASE64.decode(text.as_bytes()).ok());
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes
            .map(WebhookSecret)
            .ok_or("a secret is whsec_ and 32 bytes in Base64")
    }
}
