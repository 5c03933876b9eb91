//! Staff: accounts, and the sessions, tokens and invitations that stand for their passwords.
//!
//! There are no secrets here. A session, a token and an invitation are each identified by the `Key` of
//! a secret that only its holder has.

mod name;
mod right;

use std::fmt;
use std::time::Duration;

use data_encoding::HEXLOWER;

pub use self::name::{AccountName, AccountNameError};
pub use self::right::{Role, Scope, UnknownRole, UnknownScope};
use super::{Author, FieldError, Rev, TextKind, Timestamp, check_text, is_invisible};

/// The SHA-256 of a secret of 32 random bytes, which is what the store has of it. A reader of the store
/// cannot use it. Random secrets cannot be guessed, so it needs no slow hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// Returns the key with these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Key(bytes)
    }

    /// Returns the bytes of the hash.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns a short name for pages, from which the secret cannot be derived.
    pub fn handle(&self) -> String {
        HEXLOWER.encode(&self.0[..8])
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.handle())
    }
}

/// Seconds on the store's own clock, which never goes back: not at a restart, and not when the wall
/// clock is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MonotonicSeconds(pub u64);

/// A person who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name that identifies the account.
    pub name: AccountName,
    /// Permissions of the person.
    pub role: Role,
    /// True if the account is suspended: it cannot sign in, and its tokens are refused.
    pub is_disabled: bool,
    /// The hash of the password as a PHC string; `None` until an invitation is accepted.
    pub password: Option<String>,
    /// The hash of the PIN for stations, as a PHC string.
    pub pin: Option<String>,
    /// The invitation to choose a password.
    pub invitation: Option<Invitation>,
    /// When the account was created.
    pub created: Timestamp,
}

/// A link with which a person chooses a password, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The key of the secret in the link.
    pub key: Key,
    /// When it expires.
    pub expires: MonotonicSeconds,
}

/// A browser that a person signed in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The key of the secret in the browser's cookie.
    pub key: Key,
    /// The account that signed in.
    pub account: AccountName,
    /// The kind of client: "Firefox on Android".
    pub client: String,
    /// When the session began, by the wall clock.
    pub began_at: Timestamp,
    /// When the session began.
    pub began: MonotonicSeconds,
    /// When the session was last used.
    pub seen: MonotonicSeconds,
    /// The station, if the browser is one.
    pub station: Option<Station>,
}

impl Session {
    /// Returns the turn of a person, if the browser is a station where somebody has entered a PIN.
    pub fn turn_mut(&mut self) -> Option<&mut Turn> {
        self.station.as_mut()?.turn.as_mut()
    }
}

/// A browser that several people share, such as that of a tablet in the kennel. Its session gives no
/// rights but to the person whose turn it is, and to that person only those of the role staff.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Station {
    /// The turn of the person who entered their PIN last.
    pub turn: Option<Turn>,
}

/// The turn of a person at a station. It ends some time after the last tap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The person's account.
    pub account: AccountName,
    /// When the person entered the PIN, or last made a change.
    pub last_tap: MonotonicSeconds,
}

impl Turn {
    /// Time without a tap after which a turn ends, if it is not configured.
    pub const IDLE: Duration = Duration::from_mins(5);

    /// Returns true if the turn has not ended, `idle` after the last tap.
    pub fn is_on(&self, now: MonotonicSeconds, idle: Duration) -> bool {
        Duration::from_secs(now.0.saturating_sub(self.last_tap.0)) < idle
    }
}

/// An API token, which a program sends instead of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The key of the token's secret.
    pub key: Key,
    /// The account that created it.
    pub account: AccountName,
    /// The name that its owner gave it.
    pub name: String,
    /// Permissions of a program with the token.
    pub scope: Scope,
    /// When the token was created.
    pub created: Timestamp,
    /// When the token was last used.
    pub used: Option<Timestamp>,
}

/// Characters of a token's name at most.
pub const TOKEN_NAME_CHARACTERS: usize = 40;

/// Checks the name of a token.
///
/// # Errors
/// Names the rule that the name breaks.
pub fn check_token_name(name: &str) -> Result<(), FieldError> {
    let length = name.chars().count();
    let message = match check_text(name, TextKind::OneLine) {
        _ if length > TOKEN_NAME_CHARACTERS || name.chars().all(is_invisible) => {
            format!("Give the token a name (up to {TOKEN_NAME_CHARACTERS} characters).")
        }
        Err(hidden) => hidden.message(),
        Ok(()) => return Ok(()),
    };
    Err(FieldError::new("token-name", message))
}

/// A record of an edit of accounts, sessions or tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When the edit was made.
    pub at: Timestamp,
    /// Author of the edit.
    pub author: Author,
    /// Which log the entry belongs to.
    pub kind: AuditKind,
    /// Action of the author, as a sentence without its subject: "gave anna the role admin".
    pub action: String,
    /// The newest change of a pet before the edit; unknown in records of earlier versions.
    pub after: Option<Rev>,
}

/// The kind of an audit entry. Each kind has a log of its own, so that routine entries, of which anyone
/// can make as many as they like, do not push out the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditKind {
    /// An edit that everyone can make of their own account, such as signing in.
    Routine,
    /// An edit of an account itself, such as its role.
    Administrative,
}

impl AuditEntry {
    /// Returns true for an edit that everyone can make of their own account.
    pub fn is_routine(&self) -> bool {
        self.kind == AuditKind::Routine
    }
}
