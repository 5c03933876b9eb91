//! Context of the page of one's own account.

use std::time::Duration;

use serde::Serialize;

use super::form::FieldMessages;
use super::time_text::{Now, TimeView, ago};
use crate::auth::SessionSummary;
use crate::model::{Account, Key, Scope, Token};

/// Sessions shorter idle than this are shown as active.
const ACTIVE_FOR: Duration = Duration::from_mins(5);

/// Sessions, password and API tokens of one account.
#[derive(Default, Serialize)]
pub struct AccountPage {
    role: &'static str,
    has_pin: bool,
    sessions: Vec<SessionView>,
    tokens: Vec<TokenView>,
    scopes: [&'static str; 3],
    /// Errors of the last form.
    pub errors: FieldMessages,
    /// Idempotency key of the form for a token.
    pub request_key: String,
    /// Name and text of a token that was just created.
    pub new_token: Option<(String, String)>,
    /// The name of a token that was entered.
    pub entered: String,
    /// Message of the last form.
    pub flash: Option<String>,
    /// Reason that the last form was refused: a title and a sentence.
    pub notice: Option<(&'static str, String)>,
}

#[derive(Serialize)]
struct SessionView {
    handle: String,
    client: String,
    began: TimeView,
    last_active: String,
    is_this: bool,
    is_station: bool,
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
        now: &Now,
    ) -> Self {
        let session = |summary: &SessionSummary| SessionView {
            handle: summary.key.handle(),
            client: summary.client.clone(),
            began: TimeView::new(summary.began_at, now),
            last_active: last_active(Duration::from_secs(summary.idle_seconds)),
            is_this: summary.key == session,
            is_station: summary.is_station,
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
            has_pin: account.pin.is_some(),
            sessions: sessions.iter().map(session).collect(),
            tokens: tokens.iter().map(token).collect(),
            scopes: Scope::ALL.map(Scope::as_str),
            ..AccountPage::default()
        }
    }
}

/// Describes when a session was used last.
fn last_active(idle: Duration) -> String {
    if idle < ACTIVE_FOR {
        "active now".to_owned()
    } else {
        format!("last active {} ago", ago(idle))
    }
}
