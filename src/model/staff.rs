//! People who may change something: their accounts, and what stands in for their password once
//! they have shown it.
//!
//! Secrets are not here. A session, a token and an invitation are each known by the `Key` of a
//! secret that only its holder has.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::Moment;

/// The name a person signs in with, which is also what the account is known by.
///
/// 2 to 40 of a to z, 0 to 9, dot, dash and underscore, with a letter first. No two names look
/// alike, and none means anything in an address or in markup.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName(Arc<str>);

/// The text is no name for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name has 2 to 40 of a to z, 0 to 9, dot, dash and underscore, with a letter first")]
pub struct AccountNameError;

impl AccountName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// In any case and with spaces around it, as a phone's keyboard puts them.
impl FromStr for AccountName {
    type Err = AccountNameError;

    fn from_str(text: &str) -> Result<Self, AccountNameError> {
        let name = text.trim().to_ascii_lowercase();
        let is_allowed = |letter: u8| letter.is_ascii_alphanumeric() || b".-_".contains(&letter);
        let is_name = (2..=40).contains(&name.len())
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(is_allowed);
        match is_name {
            true => Ok(AccountName(name.into())),
            false => Err(AccountNameError),
        }
    }
}

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything that staff may, and says who is staff.
    Admin,
    /// Changes pets.
    Staff,
}

impl Role {
    pub const ALL: [Role; 2] = [Role::Admin, Role::Staff];

    /// The word used in forms, on the command line and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Staff => "staff",
        }
    }
}

/// The text is no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is admin or staff")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let found = Role::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or(UnknownRole)
    }
}

/// What an API token may do. Each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Read what staff read, such as who made a change.
    Read,
    /// Say what a pet is doing.
    SetStatus,
    /// Add, edit and remove pets.
    Write,
}

impl Scope {
    pub const ALL: [Scope; 3] = [Scope::Read, Scope::SetStatus, Scope::Write];

    /// The word used in forms and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::SetStatus => "set-status",
            Scope::Write => "write",
        }
    }
}

/// The text is no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope is read, set-status or write")]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let found = Scope::ALL.into_iter().find(|scope| scope.as_str() == text);
        found.ok_or(UnknownScope)
    }
}

/// What is kept of a secret of 32 random bytes: its SHA-256. Whoever reads the store cannot use
/// it, and guessing is hopeless, so it needs no slow hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

impl Key {
    pub const fn new(bytes: [u8; 32]) -> Self {
        Key(bytes)
    }

    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A name for what the key opens, for pages: says nothing about the secret.
    pub fn handle(&self) -> String {
        super::to_hex(&self.0[..8])
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.handle())
    }
}

/// Seconds on the store's own clock, which only moves on: neither a restart nor a wall clock that
/// is set takes it back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick(pub u64);

/// A person who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub name: AccountName,
    pub role: Role,
    /// May not sign in, and no token of theirs is accepted.
    pub is_disabled: bool,
    /// As a PHC string; none until an invitation was accepted.
    pub password: Option<String>,
    pub invitation: Option<Invitation>,
    pub created: Moment,
}

/// A link that lets a person choose a password, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub key: Key,
    pub expires: Tick,
}

/// A browser that somebody signed in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub key: Key,
    pub account: AccountName,
    /// The kind of client in words: "Firefox on Android".
    pub client: String,
    pub began_at: Moment,
    pub began: Tick,
    /// When it was last used.
    pub seen: Tick,
}

/// What a program shows instead of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub key: Key,
    pub account: AccountName,
    /// What its owner calls it.
    pub name: String,
    pub scope: Scope,
    pub created: Moment,
    pub used: Option<Moment>,
}

/// Something that was done to accounts, sessions or tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    pub at: Moment,
    pub author: super::Author,
    /// What was done, as a sentence without its subject: "gave anna the role admin".
    pub words: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_a_phone_writes_it_and_holds_nothing_that_means_something_elsewhere() {
        let name = |text: &str| text.parse::<AccountName>();
        assert_eq!(name(" Anna ").unwrap().as_str(), "anna");
        assert!(name("anna.b-2_c").is_ok() && name(&"a".repeat(40)).is_ok());
        let long = "a".repeat(41);
        for text in [
            "",
            "a",
            "1anna",
            "-anna",
            "an na",
            "an/na",
            "ann\u{430}",
            "<b>",
            &long,
        ] {
            assert_eq!(name(text), Err(AccountNameError), "{text:?}");
        }
    }

    #[test]
    fn a_wider_scope_includes_the_narrower_ones() {
        assert!(Scope::Read < Scope::SetStatus && Scope::SetStatus < Scope::Write);
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
    }
}
