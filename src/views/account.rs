//! Context of the page of one's own account.

use std::time::Duration;

use serde::Serialize;

use super::form::FieldMessages;
use super::time_text::{TimeView, ago};
use crate::auth::SessionSummary;
use crate::model::{Account, FieldError, Key, Scope, Timestamp, Token};

/// Sessions shorter idle than this are shown as active.
const ACTIVE_FOR: Duration = Duration::from_secs(300);

/// Sessions, password and API tokens of one account.
#[derive(Serialize)]
pub struct AccountPage {
    role: &'static str,
    sessions: Vec<SessionView>,
    tokens: Vec<TokenView>,
    scopes: [&'static str; 3],
    errors: FieldMessages,
    /// Idempotency key of the form for a token.
    request_key: String,
    /// Name and text of a token that was just created.
    new_token: Option<(String, String)>,
    /// The name of a token that was entered.
    entered: String,
    /// Message of the last form.
    flash: Option<String>,
    /// Why the last form was refused: a title and a sentence.
    notice: Option<(&'static str, String)>,
}

#[derive(Serialize)]
struct SessionView {
    handle: String,
    client: String,
    began: TimeView,
    activity: String,
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
    /// The page for the reader's own session `session`.
    pub fn new(
        account: &Account,
        session: Key,
        sessions: &[SessionSummary],
        tokens: &[Token],
    ) -> Self {
        let now = Timestamp::now();
        let session = |summary: &SessionSummary| SessionView {
            handle: summary.key.handle(),
            client: summary.client.clone(),
            began: TimeView::new(summary.began_at, now),
            activity: activity(Duration::from_secs(summary.idle_seconds)),
            is_this: summary.key == session,
        };
        let token = |token: &Token| TokenView {
            handle: token.key.handle(),
            name: token.name.clone(),
            scope: token.scope.as_str(),
            created: TimeView::new(token.created, now),
            used: token.used.map(|used| TimeView::new(used, now)),
        };
        AccountPage {
            role: account.role.as_str(),
            sessions: sessions.iter().map(session).collect(),
            tokens: tokens.iter().map(token).collect(),
            scopes: Scope::ALL.map(Scope::as_str),
            errors: FieldMessages::default(),
            request_key: String::new(),
            new_token: None,
            entered: String::new(),
            flash: None,
            notice: None,
        }
    }

    /// Sets the idempotency key of the form for a token.
    pub fn with_request_key(self, request_key: String) -> Self {
        AccountPage {
            request_key,
            ..self
        }
    }

    /// Shows the message of the last form.
    pub fn with_flash(self, flash: Option<String>) -> Self {
        AccountPage { flash, ..self }
    }

    /// Shows why the last form was refused.
    pub fn with_notice(self, detail: &str) -> Self {
        let notice = Some(("Nothing was changed", detail.to_owned()));
        AccountPage { notice, ..self }
    }

    /// Keeps the name of a token that was entered.
    pub fn with_entered(self, token_name: &str) -> Self {
        AccountPage {
            entered: token_name.to_owned(),
            ..self
        }
    }

    /// Shows an error of a form.
    pub fn with_error(self, error: &FieldError) -> Self {
        AccountPage {
            errors: FieldMessages::new([error]),
            ..self
        }
    }

    /// Shows a token that was just created.
    pub fn with_new_token(self, name: &str, text: &str) -> Self {
        AccountPage {
            new_token: Some((name.to_owned(), text.to_owned())),
            ..self
        }
    }
}

/// Describes when a session was used last.
fn activity(idle: Duration) -> String {
    if idle < ACTIVE_FOR {
        "active now".to_owned()
    } else {
        format!("last active {} ago", ago(idle))
    }
}
