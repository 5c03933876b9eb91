//! What pages may offer to whoever reads them. Nothing is allowed by it: each route asks for itself.

use super::secret::Secret;
use super::{AuthMode, Principal};
use crate::model::{ChangeSource, Role, Scope};

/// What a page may offer to the one who reads it.
#[derive(Clone, Debug)]
pub struct Rights {
    pub auth: AuthMode,
    /// Who is signed in.
    pub name: Option<String>,
    pub is_staff: bool,
    pub is_admin: bool,
    /// `name=value` of the cookie that says who is signed in.
    pub account_cookie: Option<String>,
    /// What the page's forms carry.
    pub form_token: Option<String>,
}

impl Rights {
    pub fn new(caller: &Principal) -> Self {
        let auth = caller.authenticator().auth();
        let person = caller.person().ok().map(|(account, _)| account);
        let role = person.as_ref().map(|account| account.role);
        Rights {
            auth,
            // The demo offers nothing at a host name where every form would be refused.
            is_staff: person.is_some()
                || (auth == AuthMode::Demo
                    && caller.sign(Scope::Write, ChangeSource::Staff).is_ok()),
            is_admin: role == Some(Role::Admin),
            account_cookie: person.as_ref().map(|account| {
                caller
                    .authenticator()
                    .cookies()
                    .account_pair(account.name.as_str())
            }),
            name: person.map(|account| account.name.to_string()),
            form_token: caller.cookie().map(Secret::form_token),
        }
    }
}
