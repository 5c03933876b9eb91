//! The content of a delivery in each format, and its signature by Standard Webhooks.

use std::borrow::Cow;

use bytes::Bytes;
use data_encoding::BASE64;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use ring::hmac;
use serde_json::{Value, json};

use super::delivery::PublicDelivery;
use crate::auth::BaseUrl;
use crate::model::{Activities, StatusNote, Timestamp, WebhookEvent, WebhookFormat, WebhookSecret};
use crate::wire::Message;

/// The content of a delivery before it has a format.
pub struct Content {
    /// Text for people.
    pub text: String,
    /// Public address of the pet, with `--base-url`.
    address: Option<String>,
    /// Type for programs.
    kind: &'static str,
    at: Timestamp,
    data: Value,
}

impl Content {
    /// The content of a test.
    pub fn test() -> Self {
        let text = "This is a test of pet-store.";
        Content {
            text: text.to_owned(),
            address: None,
            kind: "test",
            at: Timestamp::now(),
            data: json!({ "message": text }),
        }
    }

    /// The content of a delivery. `base` is the public address of the site.
    pub fn new(delivery: &PublicDelivery, activities: &Activities, base: Option<&BaseUrl>) -> Self {
        let (change, name) = (&delivery.change, delivery.name.as_deref());
        let message = Message::from_change(delivery.cursor.epoch, change);
        let mut data = serde_json::to_value(&message).unwrap_or_default();
        let is_there = delivery.event != WebhookEvent::Removed;
        let address = base.filter(|_| is_there);
        let address = address.map(|base| base.address(&format!("/pets/{}", change.pet)));
        for (key, value) in [("name", name), ("url", address.as_deref())] {
            if let (Some(value), Some(fields)) = (value, data.as_object_mut()) {
                fields.insert(key.to_owned(), value.into());
            }
        }
        let name = name.map_or_else(|| format!("Pet {}", change.pet), str::to_owned);
        let text = match delivery.event {
            WebhookEvent::Status => {
                let status = change.status().map(|(status, _)| activities.text(status));
                let note = change.kind.note().and_then(StatusNote::text);
                let note = note.map(|note| format!(" ({note})")).unwrap_or_default();
                format!("{name}: {}{note}", status.unwrap_or_default())
            }
            WebhookEvent::Added => format!("{name} is on the board"),
            WebhookEvent::Edited => format!("{name}: new details"),
            WebhookEvent::Adopted => format!("{name} was adopted"),
            WebhookEvent::Removed => format!("{name} is no longer on the board"),
        };
        Content {
            text,
            address,
            kind: delivery.event.names().1,
            at: change.at,
            data,
        }
    }

    /// Returns headers and body of the delivery `id`, signed at `now`.
    pub fn encode(
        &self,
        format: WebhookFormat,
        id: &str,
        now: Timestamp,
        secret: &WebhookSecret,
    ) -> (HeaderMap, Bytes) {
        let mut headers = HeaderMap::new();
        let json = "application/json";
        let (media_type, body) = match format {
            WebhookFormat::Standard => {
                let body = json!({ "type": self.kind, "timestamp": self.at, "data": self.data });
                (json, body.to_string())
            }
            WebhookFormat::Discord => {
                let content = self.with_address(escape_markdown(&self.text));
                // No name of a pet can notify everyone in the channel.
                let body = json!({ "content": content, "allowed_mentions": { "parse": [] } });
                (json, body.to_string())
            }
            WebhookFormat::Slack => {
                let text = self.with_address(escape_slack(&self.text));
                (json, json!({ "text": text }).to_string())
            }
            WebhookFormat::Ntfy => {
                if let Some(address) = &self.address
                    && let Ok(address) = HeaderValue::from_str(address)
                {
                    headers.insert(HeaderName::from_static("click"), address);
                }
                ("text/plain; charset=utf-8", self.text.clone())
            }
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        let agent = concat!("pet-store/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        let seconds = now.micros().div_euclid(1_000_000).to_string();
        let signature = sign(secret, id, &seconds, &body);
        for (name, value) in [
            ("webhook-id", id),
            ("webhook-timestamp", &seconds),
            ("webhook-signature", &signature),
        ] {
            let value = HeaderValue::from_str(value).expect("ids, numbers and Base64 are ASCII");
            headers.insert(HeaderName::from_static(name), value);
        }
        (headers, body.into())
    }

    fn with_address(&self, text: String) -> String {
        match &self.address {
            Some(address) => format!("{text}\n{address}"),
            None => text,
        }
    }
}

/// Signs by Standard Webhooks, version 1: HMAC-SHA256 over id, timestamp and body.
fn sign(secret: &WebhookSecret, id: &str, timestamp: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.bytes());
    let signed = format!("{id}.{timestamp}.{body}");
    let tag = hmac::sign(&key, signed.as_bytes());
    format!("v1,{}", BASE64.encode(tag.as_ref()))
}

/// Escapes what Discord would format, or take for a mention.
fn escape_markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii_punctuation() && !matches!(letter, ':' | '.' | ',' | '\'' | '!' | '?') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// Escapes what Slack would take for a link or a mention, `<!channel>`. Mattermost also reads `@channel`, `@all`, `@here`
/// and the names of its users, so an invisible letter (word joiner) follows each `@`.
fn escape_slack(text: &str) -> String {
    let escaped = text.chars().map(|letter| match letter {
        '&' => Cow::Borrowed("&amp;"),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '@' => "@\u{2060}".into(),
        other => other.to_string().into(),
    });
    escaped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with the hmac module of Python.
    #[test]
    fn a_signature_is_that_of_the_convention() {
        let secret: WebhookSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
            .to_owned()
            .try_into()
            .unwrap();
        let signature = sign(&secret, "msg_1", "1614265330", "{\"test\": 1}");
        assert_eq!(signature, "v1,Bsjsk3iNLPb3Xc4PNZQK6LRBajCwZVuAoVb6Z88tuBI=");
    }

    #[test]
    fn a_name_neither_formats_nor_mentions() {
        let content = Content {
            text: "@everyone <!channel> **Rex** [x](http://evil.example): Eating (@all @here,@channel)"
                .to_owned(),
            address: Some("https://pets.example/pets/7".to_owned()),
            ..Content::test()
        };
        let secret = WebhookSecret::new([7; 32]);
        let body = |format| {
            let (_, body) = content.encode(format, "test-1", Timestamp::from_micros(0), &secret);
            body
        };
        let encode = |format| serde_json::from_slice::<Value>(&body(format)).unwrap();
        let discord = encode(WebhookFormat::Discord);
        let text = discord["content"].as_str().unwrap();
        assert!(text.starts_with(r"\@everyone \<!channel\> \*\*Rex\*\* \[x\]\(http:\/\/evil"));
        assert!(text.ends_with("\nhttps://pets.example/pets/7"));
        assert_eq!(discord["allowed_mentions"]["parse"], json!([]));
        let slack = encode(WebhookFormat::Slack);
        let text = slack["text"].as_str().unwrap();
        assert!(
            text.starts_with("@\u{2060}everyone &lt;!channel&gt; "),
            "{text}"
        );
        for mention in ["@everyone", "@all", "@here", "@channel", "<!"] {
            assert!(!text.contains(mention), "{mention}: {text}");
        }
        // ntfy notifies everyone who subscribed, and no others whatever the text is.
        assert_eq!(body(WebhookFormat::Ntfy), content.text.as_bytes());
    }
}
