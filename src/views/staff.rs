//! Context of the page on which admins manage staff.

use serde::Serialize;

use super::form::FieldMessages;
use crate::auth::AccountSummary;
use crate::model::{AccountName, FieldError, Role};

/// All accounts, and the form to invite somebody.
#[derive(Serialize)]
pub struct StaffPage {
    members: Vec<MemberView>,
    /// The name that was entered.
    entered: String,
    errors: FieldMessages,
    /// Idempotency key of the form.
    request_key: String,
    /// An account and its link to choose a password.
    link: Option<(String, String)>,
    /// Message of the last form.
    flash: Option<String>,
    /// Why the last form was refused: a title and a sentence.
    notice: Option<(&'static str, String)>,
    /// True if requests come through a proxy that `--trusted-proxy` does not list.
    has_unnamed_proxy: bool,
}

#[derive(Serialize)]
struct MemberView {
    name: String,
    role: &'static str,
    state: String,
    is_admin: bool,
    is_disabled: bool,
    is_self: bool,
}

impl StaffPage {
    /// The page for the admin `reader`.
    pub fn new(members: &[AccountSummary], reader: &AccountName) -> Self {
        let member = |member: &AccountSummary| MemberView::new(member, reader);
        StaffPage {
            members: members.iter().map(member).collect(),
            entered: String::new(),
            errors: FieldMessages::default(),
            request_key: String::new(),
            link: None,
            flash: None,
            notice: None,
            has_unnamed_proxy: false,
        }
    }

    /// Warns of a proxy that `--trusted-proxy` does not list.
    pub fn with_unnamed_proxy(self, has_unnamed_proxy: bool) -> Self {
        StaffPage {
            has_unnamed_proxy,
            ..self
        }
    }

    /// Sets the idempotency key of the form.
    pub fn with_request_key(self, request_key: String) -> Self {
        StaffPage {
            request_key,
            ..self
        }
    }

    /// Shows the message of the last form.
    pub fn with_flash(self, flash: Option<String>) -> Self {
        StaffPage { flash, ..self }
    }

    /// Shows why the last form was refused.
    pub fn with_notice(self, detail: &str) -> Self {
        let notice = Some(("Nothing was changed", detail.to_owned()));
        StaffPage { notice, ..self }
    }

    /// Shows an error of the form to invite, with the name that was entered.
    pub fn with_error(self, entered: &str, error: &FieldError) -> Self {
        StaffPage {
            entered: entered.to_owned(),
            errors: FieldMessages::new([error]),
            ..self
        }
    }

    /// Shows a link to choose a password.
    pub fn with_link(self, name: &AccountName, link: String) -> Self {
        StaffPage {
            link: Some((name.to_string(), link)),
            ..self
        }
    }
}

impl MemberView {
    fn new(member: &AccountSummary, reader: &AccountName) -> Self {
        let account = &member.account;
        MemberView {
            name: account.name.to_string(),
            role: account.role.as_str(),
            state: state(member),
            is_admin: account.role == Role::Admin,
            is_disabled: account.is_disabled,
            is_self: account.name == *reader,
        }
    }
}

fn state(member: &AccountSummary) -> String {
    let account = &member.account;
    if account.is_disabled {
        "suspended".to_owned()
    } else if member.is_invited {
        "invited, no password yet".to_owned()
    } else if account.password.is_none() {
        "invitation expired; reset the password to create a new link".to_owned()
    } else {
        let sessions = counted(member.sessions, "session", "sessions");
        let tokens = counted(member.tokens, "API token", "API tokens");
        format!("{sessions}, {tokens}")
    }
}

/// Formats a count: "no sessions", "1 session", "2 sessions".
pub fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        0 => format!("no {many}"),
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}
