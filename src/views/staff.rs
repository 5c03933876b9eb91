//! The context of the pages with which staff come in and run their accounts.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Page;
use crate::auth::{Member, SessionSummary};
use crate::model::{Account, AccountName, FieldError, Key, Role, Scope, Token};

#[derive(Serialize)]
pub struct SignInPage {
    next: String,
    entered: String,
    problem: Option<String>,
}

/// The page on which somebody chooses a password.
#[derive(Serialize)]
pub struct WelcomePage {
    action: String,
    /// Whom the link is for; whoever opens the first one chooses a name too.
    invited: Option<String>,
    entered: String,
    errors: Map<String, Value>,
}

#[derive(Serialize)]
pub struct AccountPage {
    role: &'static str,
    sessions: Vec<SessionView>,
    tokens: Vec<TokenView>,
    scopes: [&'static str; 3],
    errors: Map<String, Value>,
    /// A token that was made a moment ago: its name and its text.
    new_token: Option<(String, String)>,
}

#[derive(Serialize)]
struct SessionView {
    handle: String,
    client: String,
    began: String,
    idle: String,
    is_this: bool,
}

#[derive(Serialize)]
struct TokenView {
    handle: String,
    name: String,
    scope: &'static str,
    created: String,
    used: Option<String>,
}

#[derive(Serialize)]
pub struct StaffPage {
    members: Vec<MemberView>,
    entered: String,
    errors: Map<String, Value>,
    /// Whom a link was made for, and the link.
    link: Option<(String, String)>,
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

impl Page for SignInPage {
    const TEMPLATE: &'static str = "pages/sign_in.html";
}

impl Page for WelcomePage {
    const TEMPLATE: &'static str = "pages/welcome.html";
}

impl Page for AccountPage {
    const TEMPLATE: &'static str = "pages/account.html";
}

impl Page for StaffPage {
    const TEMPLATE: &'static str = "pages/staff.html";
}

impl SignInPage {
    pub fn new(next: &str) -> Self {
        SignInPage {
            next: next.to_owned(),
            entered: String::new(),
            problem: None,
        }
    }

    /// The page after a try that failed.
    pub fn again(next: &str, entered: &str, problem: String) -> Self {
        SignInPage {
            entered: entered.to_owned(),
            problem: Some(problem),
            ..SignInPage::new(next)
        }
    }
}

impl WelcomePage {
    pub fn new(action: String, invited: Option<&AccountName>) -> Self {
        WelcomePage {
            action,
            invited: invited.map(AccountName::to_string),
            entered: String::new(),
            errors: Map::new(),
        }
    }

    pub fn with_error(self, entered: &str, error: &FieldError) -> Self {
        WelcomePage {
            entered: entered.to_owned(),
            errors: errors(error),
            ..self
        }
    }
}

impl AccountPage {
    pub fn new(
        account: &Account,
        session: Key,
        sessions: &[SessionSummary],
        tokens: &[Token],
    ) -> Self {
        let session = |seen: &SessionSummary| SessionView {
            handle: seen.key.handle(),
            client: seen.client.clone(),
            began: seen.began_at.minute(),
            idle: idle(seen.idle_seconds),
            is_this: seen.key == session,
        };
        AccountPage {
            role: account.role.as_str(),
            sessions: sessions.iter().map(session).collect(),
            tokens: tokens.iter().map(TokenView::of).collect(),
            scopes: Scope::ALL.map(Scope::as_str),
            errors: Map::new(),
            new_token: None,
        }
    }

    pub fn with_error(self, error: &FieldError) -> Self {
        let errors = errors(error);
        AccountPage { errors, ..self }
    }

    pub fn with_new_token(self, name: &str, text: &str) -> Self {
        AccountPage {
            new_token: Some((name.to_owned(), text.to_owned())),
            ..self
        }
    }
}

impl TokenView {
    fn of(token: &Token) -> Self {
        TokenView {
            handle: token.key.handle(),
            name: token.name.clone(),
            scope: token.scope.as_str(),
            created: token.created.minute(),
            used: token.used.map(|used| used.minute()),
        }
    }
}

impl StaffPage {
    /// `reader` is the admin who looks.
    pub fn new(members: &[Member], reader: &AccountName) -> Self {
        let member = |member: &Member| MemberView::of(member, reader);
        StaffPage {
            members: members.iter().map(member).collect(),
            entered: String::new(),
            errors: Map::new(),
            link: None,
        }
    }

    pub fn with_error(self, entered: &str, error: &FieldError) -> Self {
        StaffPage {
            entered: entered.to_owned(),
            errors: errors(error),
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
    fn of(member: &Member, reader: &AccountName) -> Self {
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
fn state(member: &Member) -> String {
    let account = &member.account;
    match (account.is_disabled, member.is_invited, &account.password) {
        (true, _, _) => "disabled".to_owned(),
        (false, true, _) => "invited, has not chosen a password yet".to_owned(),
        (false, false, None) => "the link has expired; reset to make a new one".to_owned(),
        (false, false, Some(_)) => {
            let tokens = counted(member.tokens, "token", "tokens");
            match member.sessions {
                0 => format!("not signed in, {tokens}"),
                count => format!(
                    "signed in with {}, {tokens}",
                    counted(count, "browser", "browsers")
                ),
            }
        }
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        0 => format!("no {one}"),
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}

/// How long ago something was used.
fn idle(seconds: u64) -> String {
    match seconds {
        0..300 => "in use".to_owned(),
        _ => format!(
            "unused for {}",
            super::page::ago(std::time::Duration::from_secs(seconds))
        ),
    }
}

fn errors(error: &FieldError) -> Map<String, Value> {
    let entry = (error.field.to_owned(), error.message.clone().into());
    [entry].into_iter().collect()
}
