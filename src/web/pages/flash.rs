//! The message that confirms an edit on the page after its redirect.
//!
//! The answer to a form sets a cookie with a code of the edit, an account's name and counts. The next
//! page turns these into a sentence of fixed words and removes the cookie, so a cookie that somebody
//! else set cannot show a text of its own.

use std::time::Duration;

use poem::http::{HeaderMap, HeaderValue};

use crate::auth::{Accounts, Authenticator};
use crate::model::{AccountName, Role};
use crate::views::counted;

/// An edit that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    Role(AccountName, Role),
    Suspended(AccountName, Ended),
    Reactivated(AccountName),
    Removed(AccountName, Ended),
    SessionEnded,
    OthersEnded(usize),
    TokenRevoked,
    PasswordChanged(Ended),
    PetRemoved,
}

/// Sessions and tokens that an edit ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    pub sessions: usize,
    pub tokens: usize,
}

const COOKIE: &str = "pet-store-done";

/// Long enough for the redirect that follows.
const SHOWN_FOR: Duration = Duration::from_secs(60);

/// Between the parts of the cookie. No name of an account contains it.
const SEPARATOR: char = '~';

impl Done {
    /// The header that leaves the message for the next page.
    pub fn keep(&self, authenticator: &Authenticator) -> HeaderValue {
        let seconds = SHOWN_FOR.as_secs();
        authenticator
            .cookies()
            .set(COOKIE, &self.code(), "/", seconds)
    }

    /// The message that a request brings, as a sentence.
    pub fn read(headers: &HeaderMap, authenticator: &Authenticator) -> Option<String> {
        let code = authenticator.cookies().value(headers, COOKIE)?;
        Some(Done::parse(code)?.sentence())
    }

    fn code(&self) -> String {
        let parts = match self {
            Done::Role(name, role) => vec!["role", name.as_str(), role.as_str()],
            Done::Reactivated(name) => vec!["reactivated", name.as_str()],
            Done::SessionEnded => vec!["session-ended"],
            Done::TokenRevoked => vec!["token-revoked"],
            Done::PetRemoved => vec!["pet-removed"],
            Done::OthersEnded(count) => return format!("others-ended~{count}"),
            Done::Suspended(name, ended) => return format!("suspended~{name}~{}", ended.code()),
            Done::Removed(name, ended) => return format!("removed~{name}~{}", ended.code()),
            Done::PasswordChanged(ended) => return format!("password-changed~{}", ended.code()),
        };
        parts.join(&SEPARATOR.to_string())
    }

    fn parse(code: &str) -> Option<Self> {
        let parts: Vec<&str> = code.split(SEPARATOR).collect();
        let count = |text: &str| text.parse().ok();
        let ended = |sessions, tokens| {
            let (sessions, tokens) = (count(sessions)?, count(tokens)?);
            Some(Ended { sessions, tokens })
        };
        Some(match *parts {
            ["role", name, role] => Done::Role(name.parse().ok()?, role.parse().ok()?),
            ["reactivated", name] => Done::Reactivated(name.parse().ok()?),
            ["session-ended"] => Done::SessionEnded,
            ["token-revoked"] => Done::TokenRevoked,
            ["pet-removed"] => Done::PetRemoved,
            ["others-ended", others] => Done::OthersEnded(count(others)?),
            ["suspended", name, sessions, tokens] => {
                Done::Suspended(name.parse().ok()?, ended(sessions, tokens)?)
            }
            ["removed", name, sessions, tokens] => {
                Done::Removed(name.parse().ok()?, ended(sessions, tokens)?)
            }
            ["password-changed", sessions, tokens] => {
                Done::PasswordChanged(ended(sessions, tokens)?)
            }
            _ => return None,
        })
    }

    fn sentence(&self) -> String {
        match self {
            Done::Role(name, Role::Admin) => format!("{name} is an admin now."),
            Done::Role(name, Role::Staff) => format!("{name} is no longer an admin."),
            Done::Suspended(name, ended) => format!("{name} was suspended.{}", ended.sentence()),
            Done::Reactivated(name) => format!("{name} can sign in again."),
            Done::Removed(name, ended) => format!("{name} was removed.{}", ended.sentence()),
            Done::SessionEnded => "The session was ended.".to_owned(),
            Done::OthersEnded(count) => {
                format!(
                    "You are signed out everywhere else: {} ended.",
                    sessions(*count)
                )
            }
            Done::TokenRevoked => "The token was revoked.".to_owned(),
            Done::PasswordChanged(ended) => {
                format!("Your password was changed.{}", ended.sentence())
            }
            Done::PetRemoved => "The pet was removed.".to_owned(),
        }
    }
}

impl Ended {
    /// Counts the sessions and tokens of an account.
    pub fn of(directory: &Accounts, name: &AccountName) -> Self {
        Ended {
            sessions: directory.sessions().list(name).len(),
            tokens: directory.tokens().list(name).len(),
        }
    }

    pub fn without_tokens(self) -> Self {
        Ended { tokens: 0, ..self }
    }

    fn code(self) -> String {
        format!("{}{SEPARATOR}{}", self.sessions, self.tokens)
    }

    /// For example " 2 sessions and 1 token ended."
    fn sentence(self) -> String {
        let tokens = counted(self.tokens, "token", "tokens");
        match (self.sessions, self.tokens) {
            (0, 0) => String::new(),
            (0, _) => format!(" {tokens} ended."),
            (_, 0) => format!(" {} ended.", sessions(self.sessions)),
            _ => format!(" {} and {tokens} ended.", sessions(self.sessions)),
        }
    }
}

fn sessions(count: usize) -> String {
    counted(count, "session", "sessions")
}

/// The header that removes the message once it is shown.
pub fn forget(authenticator: &Authenticator) -> HeaderValue {
    authenticator.cookies().set(COOKIE, "", "/", 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_back_and_nothing_else_is() {
        let name = || "an.na-2_x".parse::<AccountName>().unwrap();
        let ended = Ended {
            sessions: 2,
            tokens: 1,
        };
        for done in [
            Done::Role(name(), Role::Admin),
            Done::Suspended(name(), ended),
            Done::Reactivated(name()),
            Done::Removed(name(), ended),
            Done::SessionEnded,
            Done::OthersEnded(3),
            Done::TokenRevoked,
            Done::PasswordChanged(Ended::default()),
            Done::PetRemoved,
        ] {
            assert_eq!(Done::parse(&done.code()), Some(done));
        }
        let anna = Done::Removed(name(), ended);
        assert_eq!(
            anna.sentence(),
            "an.na-2_x was removed. 2 sessions and 1 token ended."
        );
        for code in [
            "",
            "removed",
            "removed~<b>~1~1",
            "removed~anna~1~1 of them",
            "removed~anna~1~1~1",
            "role~anna~owner",
            "Your account is locked, call +1 555",
        ] {
            assert_eq!(Done::parse(code), None, "{code}");
        }
    }
}
