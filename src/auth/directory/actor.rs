//! The actor of an edit of staff, whose session and role are checked in the step that decides the
//! edit.

use super::held::Held;
use super::sessions::is_over;
use super::{AccountsError, Done};
use crate::model::{Account, AccountName, Author, Key, MonotonicSeconds, Role, Session};

/// The principal of an edit of staff.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Written into the audit.
    pub author: Author,
    session: Option<Key>,
    /// The one-time key of the form that asks for the edit.
    request: Option<String>,
}

/// A requirement of an edit on the account of the actor's session.
#[derive(Clone, Copy)]
pub enum Need<'a> {
    Admin,
    /// To be this account.
    Own(&'a AccountName),
}

impl Actor {
    /// A person, by the session of their browser.
    pub fn session(key: Key, author: Author) -> Self {
        Actor {
            author,
            session: Some(key),
            request: None,
        }
    }

    /// An operator with access to the machine. Nothing is checked.
    pub fn operator(author: Author) -> Self {
        Actor {
            author,
            session: None,
            request: None,
        }
    }

    /// The same actor, with the one-time key of a form: submitted twice, the form is one edit.
    pub fn with_request(self, request: Option<&str>) -> Self {
        Actor {
            request: request.map(str::to_owned),
            ..self
        }
    }

    /// The session and the one-time key of the form, if there are both.
    pub fn request(&self) -> Option<(&Key, &str)> {
        Some((self.session.as_ref()?, self.request.as_deref()?))
    }

    /// Checks that the session is valid, its account enabled, and the requirement met. Call this in
    /// the step that decides the edit, at every retry.
    ///
    /// # Errors
    /// `SignedOut`, `NotAdmin`.
    pub fn check(&self, need: Need<'_>, held: &Held, now: MonotonicSeconds) -> Done<()> {
        let Some(key) = self.session else {
            return Ok(());
        };
        let (account, _) = valid_session(held, &key, now)?;
        match need {
            Need::Admin if account.role != Role::Admin => Err(AccountsError::NotAdmin),
            Need::Own(name) if account.name != *name => Err(AccountsError::SignedOut),
            Need::Admin | Need::Own(_) => Ok(()),
        }
    }
}

/// The account and the session of a key.
///
/// # Errors
/// `SignedOut` if the session has ended, or its account is gone or disabled.
pub fn valid_session<'a>(
    held: &'a Held,
    key: &Key,
    now: MonotonicSeconds,
) -> Done<(&'a Account, &'a Session)> {
    let session = held.sessions.get(key).map(|used| &used.value);
    let session = session.filter(|session| !is_over(session, now));
    let session = session.ok_or(AccountsError::SignedOut)?;
    let account = held.enabled_account(&session.account);
    Ok((account.ok_or(AccountsError::SignedOut)?, session))
}
