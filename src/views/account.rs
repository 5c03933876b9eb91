//! The context of the page of one's own account.

use std::time::Duration;

use serde::Serialize;

use super::form::Messages;
use super::time_text::{TimeView, ago};
use crate::auth::SessionSummary;
use crate::model::{Account, FieldError, Key, Scope, Timestamp, Token};

#[derive(Serialize)]
pub struct AccountPage {
    role: &'static str,
    sessions: Vec<SessionView>,
    tokens: Vec<TokenView>,
    scopes: [&'static str; 3],
    errors: Messages,
    /// The one-time key of the form on the page: submitted twice, it is one request.
    request_key: String,
    /// A token that was made a moment ago: its name and its text.
    new_token: Option<(String, String)>,
    /// The name of a token, as it was typed.
    entered: String,
    /// What the last form did.
    done: Option<String>,
    /// Why the last form did nothing: a title and a sentence.
    notice: Option<(&'static str, String)>,
}

#[derive(Serialize)]
struct SessionView {
    handle: String,
    client: String,
    began: TimeView,
    idle: String,
    is_this: bool,
}

#[derive(Serialize)]
struct TokenView {
    handle: String,
    name: String,
    scope: &'static str,
    created: TimeView,
    used: Option<TimeView>,
}

impl AccountPage {
    pub fn new(
        account: &Account,
        session: Key,
        sessions: &[SessionSummary],
        tokens: &[Token],
    ) -> Self {
        let now = Timestamp::now();
        let session = |seen: &SessionSummary| SessionView {
            handle: seen.key.handle(),
            client: seen.client.clone(),
            began: TimeView::new(seen.began_at, now),
            idle: idle(seen.idle_seconds),
            is_this: seen.key == session,
        };
        AccountPage {
            role: account.role.as_str(),
            sessions: sessions.iter().map(session).collect(),
            tokens: tokens
                .iter()
                .map(|token| TokenView::new(token, now))
                .collect(),
            scopes: Scope::ALL.map(Scope::as_str),
            errors: Messages::default(),
            request_key: String::new(),
            new_token: None,
            entered: String::new(),
            done: None,
            notice: None,
        }
    }

    pub fn with_request_key(self, request_key: String) -> Self {
        AccountPage {
            request_key,
            ..self
        }
    }

    pub fn with_done(self, done: Option<String>) -> Self {
        AccountPage { done, ..self }
    }

    pub fn with_notice(self, detail: &str) -> Self {
        let notice = Some(("Nothing was changed", detail.to_owned()));
        AccountPage { notice, ..self }
    }

    pub fn with_entered(self, token_name: &str) -> Self {
        AccountPage {
            entered: token_name.to_owned(),
            ..self
        }
    }

    pub fn with_error(self, error: &FieldError) -> Self {
        AccountPage {
            errors: Messages::of([error]),
            ..self
        }
    }

    pub fn with_new_token(self, name: &str, text: &str) -> Self {
        AccountPage {
            new_token: Some((name.to_owned(), text.to_owned())),
            ..self
        }
    }
}

impl TokenView {
    fn new(token: &Token, now: Timestamp) -> Self {
        TokenView {
            handle: token.key.handle(),
            name: token.name.clone(),
            scope: token.scope.as_str(),
            created: TimeView::new(token.created, now),
            used: token.used.map(|used| TimeView::new(used, now)),
        }
    }
}

/// How long ago something was used.
fn idle(seconds: u64) -> String {
    match seconds {
        0..300 => "in use".to_owned(),
        _ => format!("unused for {}", ago(Duration::from_secs(seconds))),
    }
}
