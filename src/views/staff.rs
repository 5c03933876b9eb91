//! Context of the page on which admins manage staff.

use serde::Serialize;

use super::form::FieldMessages;
use crate::auth::AccountSummary;
use crate::model::{AccountName, Role};

/// All accounts, and the form to invite somebody.
#[derive(Default, Serialize)]
pub struct StaffPage {
    members: Vec<MemberView>,
    /// The name that was entered.
    pub entered: String,
    /// Errors of the last form.
    pub errors: FieldMessages,
    /// Idempotency key of the form.
    pub request_key: String,
    /// An account and its link to choose a password.
    pub link: Option<(String, String)>,
    /// Message of the last form.
    pub flash: Option<String>,
    /// Reason that the last form was refused: a title and a sentence.
    pub notice: Option<(&'static str, String)>,
    /// True if requests come through a proxy that `--trusted-proxy` does not list.
    pub has_unnamed_proxy: bool,
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
            ..StaffPage::default()
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
