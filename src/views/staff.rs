//! The context of the page on which admins say who is staff.

use serde::Serialize;

use super::form::Messages;
use crate::auth::AccountSummary;
use crate::model::{AccountName, FieldError, Role};

#[derive(Serialize)]
pub struct StaffPage {
    members: Vec<MemberView>,
    entered: String,
    errors: Messages,
    /// The one-time key of the form on the page: submitted twice, it is one request.
    request_key: String,
    /// Whom a link was made for, and the link.
    link: Option<(String, String)>,
    /// What the last form did.
    done: Option<String>,
    /// Why the last form did nothing: a title and a sentence.
    notice: Option<(&'static str, String)>,
    /// A proxy seems to be in front that `--trusted-proxy` does not name.
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
    /// `reader` is the admin who looks.
    pub fn new(members: &[AccountSummary], reader: &AccountName) -> Self {
        let member = |member: &AccountSummary| MemberView::of(member, reader);
        StaffPage {
            members: members.iter().map(member).collect(),
            entered: String::new(),
            errors: Messages::default(),
            request_key: String::new(),
            link: None,
            done: None,
            notice: None,
            has_unnamed_proxy: false,
        }
    }

    pub fn with_unnamed_proxy(self, has_unnamed_proxy: bool) -> Self {
        StaffPage {
            has_unnamed_proxy,
            ..self
        }
    }

    pub fn with_request_key(self, request_key: String) -> Self {
        StaffPage {
            request_key,
            ..self
        }
    }

    pub fn with_done(self, done: Option<String>) -> Self {
        StaffPage { done, ..self }
    }

    pub fn with_notice(self, detail: &str) -> Self {
        let notice = Some(("Nothing was changed", detail.to_owned()));
        StaffPage { notice, ..self }
    }

    pub fn with_error(self, entered: &str, error: &FieldError) -> Self {
        StaffPage {
            entered: entered.to_owned(),
            errors: Messages::of([error]),
            ..self
        }
    }

    pub fn with_link(self, name: &AccountName, link: String) -> Self {
        StaffPage {
            link: Some((name.to_string(), link)),
            ..self
        }
    }
}

impl MemberView {
    fn of(member: &AccountSummary, reader: &AccountName) -> Self {
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

/// How somebody stands, in words.
fn state(member: &AccountSummary) -> String {
    let account = &member.account;
    match (account.is_disabled, member.is_invited, &account.password) {
        (true, _, _) => "suspended".to_owned(),
        (false, true, _) => "invited, has not chosen a password yet".to_owned(),
        (false, false, None) => "the link has expired; reset to make a new one".to_owned(),
        (false, false, Some(_)) => format!(
            "{}, {}",
            counted(member.sessions, "session", "sessions"),
            counted(member.tokens, "API token", "API tokens")
        ),
    }
}

/// A number of things in words: "no sessions", "1 session", "2 sessions".
pub fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        0 => format!("no {many}"),
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}
