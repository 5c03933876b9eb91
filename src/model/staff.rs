//! People who may change something: their accounts, and what stands in for their password once
//! they have shown it.
//!
//! Secrets are not here. A session, a token and an invitation are each known by the `Key` of a
//! secret that only its holder has.

mod name;
mod right;

use std::fmt;

pub use self::name::{AccountName, AccountNameError};
pub use self::right::{Role, Scope, UnknownRole, UnknownScope};
use super::{Author, FieldError, Rev, TextKind, Timestamp, check_text, is_invisible, to_hex};

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
        to_hex(&self.0[..8])
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
pub struct MonotonicSeconds(pub u64);

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
    pub created: Timestamp,
}

/// A link that lets a person choose a password, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub key: Key,
    pub expires: MonotonicSeconds,
}

/// A browser that somebody signed in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub key: Key,
    pub account: AccountName,
    /// The kind of client in words: "Firefox on Android".
    pub client: String,
    pub began_at: Timestamp,
    pub began: MonotonicSeconds,
    /// When it was last used.
    pub seen: MonotonicSeconds,
}

/// What a program shows instead of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub key: Key,
    pub account: AccountName,
    /// What its owner calls it.
    pub name: String,
    pub scope: Scope,
    pub created: Timestamp,
    pub used: Option<Timestamp>,
}

/// Characters of a token's name.
pub const TOKEN_NAME_CHARACTERS: usize = 40;

/// Checks the name of a token.
///
/// # Errors
/// What is wrong with it.
pub fn check_token_name(name: &str) -> Result<(), FieldError> {
    let length = name.chars().count();
    let message = match check_text(name, TextKind::OneLine) {
        _ if length > TOKEN_NAME_CHARACTERS || name.chars().all(is_invisible) => {
            format!("Give the token a name (up to {TOKEN_NAME_CHARACTERS} characters).")
        }
        Err(hidden) => hidden.message(),
        Ok(()) => return Ok(()),
    };
    Err(FieldError {
        field: "token-name",
        message,
    })
}

/// Something that was done to accounts, sessions or tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub at: Timestamp,
    pub author: Author,
    /// What was done, as a sentence without its subject: "gave anna the role admin".
    pub words: String,
    /// The newest change before this entry; unknown in records of earlier versions.
    pub after: Option<Rev>,
}

/// The beginnings of entries that everyone can make about their own account. These entries are kept
/// apart, so that they do not push out entries about roles.
const ROUTINE: [&str; 5] = [
    "signed in",
    "signed out",
    "made the token",
    "revoked the token",
    "changed their password",
];

impl AuditEntry {
    /// Returns true for an entry that everyone can make about their own account.
    pub fn is_routine(&self) -> bool {
        ROUTINE.iter().any(|begin| self.words.starts_with(begin))
    }
}
