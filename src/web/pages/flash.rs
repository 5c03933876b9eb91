//! The message that confirms an edit on the page after its redirect.
//!
//! The answer to a form sets a cookie with the kind of the edit, the name of an account, and counts.
//! The next page makes a sentence of these and removes the cookie. A cookie that somebody else set
//! cannot show a text of its own, because the sentences are fixed.

use std::time::Duration;

use poem::http::{HeaderMap, HeaderValue};

use crate::auth::{Accounts, Authenticator};
use crate::model::{AccountName, PetId, Role};
use crate::views::counted;

const COOKIE: &str = "pet-store-done";

/// How long a browser keeps the message: long enough for the redirect that follows.
const COOKIE_AGE: Duration = Duration::from_mins(1);

/// Separates the parts of the cookie. No name of an account contains it.
const SEPARATOR: char = '~';

/// The most pets that a part of a message names.
const NAMED_PETS: usize = 8;

/// An edit that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flash {
    /// An account has this role now.
    Role(AccountName, Role),
    /// An account cannot sign in; its sessions ended.
    Suspended(AccountName, EndedAccess),
    /// An account can sign in again.
    Reactivated(AccountName),
    /// An account was removed.
    Removed(AccountName, EndedAccess),
    /// One session of the reader ended.
    SessionEnded,
    /// This many other sessions of the reader ended.
    OtherSessionsEnded(usize),
    /// A token of the reader was revoked.
    TokenRevoked,
    /// The reader has a new password.
    PasswordChanged(EndedAccess),
    /// The reader has a new PIN.
    PinSet,
    /// The reader has no PIN any more.
    PinRemoved,
    /// A pet was removed.
    PetRemoved(PetId),
    /// A pet in the trash was deleted.
    PetDeleted,
    /// Statuses were to be set, and no pet was selected.
    NoPetSelected,
    /// The statuses of several pets were restored.
    StatusesRestored {
        /// Pets whose status was restored.
        restored: usize,
        /// Pets that were left as they are, because they changed since.
        changed: KeptPets,
        /// Pets that were left as they are, because the log no longer has their earlier status.
        not_in_log: KeptPets,
    },
    /// A delivery was sent to a webhook: true if the receiver accepted it, `None` if it has not answered.
    WebhookSent(Option<bool>),
    /// This many pets were imported.
    PetsImported(usize),
}

/// Pets that a command left as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptPets {
    count: usize,
    /// The first of them, at most `NAMED_PETS`.
    named: Vec<PetId>,
}

/// Numbers of sessions and tokens that an edit ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndedAccess {
    /// Sessions of browsers.
    pub sessions: usize,
    /// API tokens.
    pub tokens: usize,
}

impl Flash {
    /// Returns the header that stores the message in the browser.
    pub fn to_cookie(&self, authenticator: &Authenticator) -> HeaderValue {
        let seconds = COOKIE_AGE.as_secs();
        let cookies = authenticator.cookies();
        cookies.set(COOKIE, &self.encode(), "/", seconds)
    }

    /// Reads the message that a request carries.
    pub fn from_cookie(headers: &HeaderMap, authenticator: &Authenticator) -> Option<Self> {
        Flash::parse(authenticator.cookies().value(headers, COOKIE)?)
    }

    /// Returns the header that removes the message from the browser.
    pub fn removal(authenticator: &Authenticator) -> HeaderValue {
        authenticator.cookies().set(COOKIE, "", "/", 0)
    }

    fn encode(&self) -> String {
        match self {
            Flash::Role(name, role) => format!("role~{name}~{}", role.as_str()),
            Flash::Suspended(name, ended) => format!("suspended~{name}~{}", ended.encode()),
            Flash::Reactivated(name) => format!("reactivated~{name}"),
            Flash::Removed(name, ended) => format!("removed~{name}~{}", ended.encode()),
            Flash::SessionEnded => "session-ended".to_owned(),
            Flash::OtherSessionsEnded(count) => format!("others-ended~{count}"),
            Flash::TokenRevoked => "token-revoked".to_owned(),
            Flash::PasswordChanged(ended) => format!("password-changed~{}", ended.encode()),
            Flash::PinSet => "pin-set".to_owned(),
            Flash::PinRemoved => "pin-removed".to_owned(),
            Flash::PetRemoved(pet) => format!("pet-removed~{pet}"),
            Flash::PetDeleted => "pet-deleted".to_owned(),
            Flash::NoPetSelected => "no-pet-selected".to_owned(),
            Flash::StatusesRestored {
                restored,
                changed,
                not_in_log,
            } => {
                let (changed, not_in_log) = (changed.encode(), not_in_log.encode());
                format!("statuses-restored~{restored}~{changed}~{not_in_log}")
            }
            Flash::WebhookSent(Some(true)) => "webhook-sent~accepted".to_owned(),
            Flash::WebhookSent(Some(false)) => "webhook-sent~failed".to_owned(),
            Flash::WebhookSent(None) => "webhook-sent~waits".to_owned(),
            Flash::PetsImported(count) => format!("pets-imported~{count}"),
        }
    }

    fn parse(code: &str) -> Option<Self> {
        let parts: Vec<&str> = code.split(SEPARATOR).collect();
        let ended = |sessions: &str, tokens: &str| {
            let (sessions, tokens) = (sessions.parse().ok()?, tokens.parse().ok()?);
            Some(EndedAccess { sessions, tokens })
        };
        Some(match *parts {
            ["role", name, role] => Flash::Role(name.parse().ok()?, role.parse().ok()?),
            ["suspended", name, sessions, tokens] => {
                Flash::Suspended(name.parse().ok()?, ended(sessions, tokens)?)
            }
            ["reactivated", name] => Flash::Reactivated(name.parse().ok()?),
            ["removed", name, sessions, tokens] => {
                Flash::Removed(name.parse().ok()?, ended(sessions, tokens)?)
            }
            ["session-ended"] => Flash::SessionEnded,
            ["others-ended", count] => Flash::OtherSessionsEnded(count.parse().ok()?),
            ["token-revoked"] => Flash::TokenRevoked,
            ["password-changed", sessions, tokens] => {
                Flash::PasswordChanged(ended(sessions, tokens)?)
            }
            ["pin-set"] => Flash::PinSet,
            ["pin-removed"] => Flash::PinRemoved,
            ["pet-removed", pet] => Flash::PetRemoved(pet.parse().ok()?),
            ["pet-deleted"] => Flash::PetDeleted,
            ["no-pet-selected"] => Flash::NoPetSelected,
            ["statuses-restored", restored, changed, not_in_log] => Flash::StatusesRestored {
                restored: restored.parse().ok()?,
                changed: KeptPets::parse(changed)?,
                not_in_log: KeptPets::parse(not_in_log)?,
            },
            ["webhook-sent", "accepted"] => Flash::WebhookSent(Some(true)),
            ["webhook-sent", "failed"] => Flash::WebhookSent(Some(false)),
            ["webhook-sent", "waits"] => Flash::WebhookSent(None),
            ["pets-imported", count] => Flash::PetsImported(count.parse().ok()?),
            _ => return None,
        })
    }

    /// Returns the message for the reader, in which `name_of` names pets.
    pub fn sentence(&self, name_of: impl Fn(PetId) -> Option<String>) -> String {
        match self {
            Flash::Role(name, Role::Admin) => format!("{name} is an admin now."),
            Flash::Role(name, Role::Staff) => format!("{name} is no longer an admin."),
            Flash::Suspended(name, ended) => format!("{name} was suspended.{}", ended.sentence()),
            Flash::Reactivated(name) => format!("{name} can sign in again."),
            Flash::Removed(name, ended) => format!("{name} was removed.{}", ended.sentence()),
            Flash::SessionEnded => "Signed out there.".to_owned(),
            Flash::OtherSessionsEnded(count) => {
                let sessions = counted(*count, "session", "sessions");
                format!("You are signed out everywhere else: {sessions} ended.")
            }
            Flash::TokenRevoked => "The token was revoked.".to_owned(),
            Flash::PasswordChanged(ended) => {
                format!("Your password was changed.{}", ended.sentence())
            }
            Flash::PinSet => "Your PIN was set.".to_owned(),
            Flash::PinRemoved => "Your PIN was removed.".to_owned(),
            Flash::PetRemoved(_) => "The pet was removed.".to_owned(),
            Flash::PetDeleted => "The pet was deleted.".to_owned(),
            Flash::NoPetSelected => "Select at least one pet first.".to_owned(),
            Flash::StatusesRestored {
                restored,
                changed,
                not_in_log,
            } => {
                let done = match restored {
                    0 => "No status was restored.".to_owned(),
                    count => {
                        let statuses = counted(*count, "status was", "statuses were");
                        format!("{statuses} restored.")
                    }
                };
                let changed = changed.sentence("they changed since", &name_of);
                let reason = "their earlier status is no longer in the history";
                done + &changed + &not_in_log.sentence(reason, &name_of)
            }
            Flash::WebhookSent(Some(true)) => "The receiver accepted it.".to_owned(),
            Flash::WebhookSent(Some(false)) => {
                "It was not accepted. The delivery log says why.".to_owned()
            }
            Flash::WebhookSent(None) => {
                "There is no answer yet. Reload the page to see the result.".to_owned()
            }
            Flash::PetsImported(count) => {
                let pets = counted(*count, "pet is", "pets are");
                format!("{pets} on the board now.")
            }
        }
    }
}

impl KeptPets {
    /// Counts the pets, and names the first.
    pub fn new(pets: &[PetId]) -> Self {
        KeptPets {
            count: pets.len(),
            named: pets.iter().copied().take(NAMED_PETS).collect(),
        }
    }

    /// For example `12.7.8` for 12 pets, the first of which are 7 and 8.
    fn encode(&self) -> String {
        let ids = self.named.iter().map(|pet| format!(".{pet}"));
        self.count.to_string() + &ids.collect::<String>()
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let count = parts.next()?.parse().ok()?;
        let named = parts.take(NAMED_PETS).map(|id| id.parse().ok());
        let named = named.collect::<Option<_>>()?;
        Some(KeptPets { count, named })
    }

    /// For example " Not restored, because they changed since: Biscuit and 3 others."
    fn sentence(&self, reason: &str, name_of: impl Fn(PetId) -> Option<String>) -> String {
        if self.count == 0 {
            return String::new();
        }
        let names: Vec<String> = self.named.iter().copied().filter_map(name_of).collect();
        let others = self.count.saturating_sub(names.len());
        let kept = match (names.is_empty(), others) {
            (true, _) => counted(self.count, "pet", "pets"),
            (false, 0) => names.join(", "),
            (false, _) => {
                let others = counted(others, "other", "others");
                format!("{} and {others}", names.join(", "))
            }
        };
        format!(" Not restored, because {reason}: {kept}.")
    }
}

impl EndedAccess {
    /// Counts the sessions and tokens of an account.
    pub fn count(accounts: &Accounts, name: &AccountName) -> Self {
        EndedAccess {
            sessions: accounts.sessions().list(name).len(),
            tokens: accounts.tokens().list(name).len(),
        }
    }

    fn encode(self) -> String {
        format!("{}{SEPARATOR}{}", self.sessions, self.tokens)
    }

    /// For example " 2 sessions and 1 token ended."
    fn sentence(self) -> String {
        let sessions = counted(self.sessions, "session", "sessions");
        let tokens = counted(self.tokens, "token", "tokens");
        match (self.sessions, self.tokens) {
            (0, 0) => String::new(),
            (0, _) => format!(" {tokens} ended."),
            (_, 0) => format!(" {sessions} ended."),
            _ => format!(" {sessions} and {tokens} ended."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_read_back_and_other_text_is_not() {
        let name = || "an.na-2_x".parse::<AccountName>().unwrap();
        let ended = EndedAccess {
            sessions: 2,
            tokens: 1,
        };
        for flash in [
            Flash::Role(name(), Role::Admin),
            Flash::Suspended(name(), ended),
            Flash::Reactivated(name()),
            Flash::Removed(name(), ended),
            Flash::SessionEnded,
            Flash::OtherSessionsEnded(3),
            Flash::TokenRevoked,
            Flash::PasswordChanged(EndedAccess::default()),
            Flash::PinSet,
            Flash::PinRemoved,
            Flash::PetRemoved(PetId::new(7)),
            Flash::PetDeleted,
            Flash::NoPetSelected,
            Flash::StatusesRestored {
                restored: 298,
                changed: KeptPets::new(&[PetId::new(7)]),
                not_in_log: KeptPets::default(),
            },
            Flash::WebhookSent(Some(true)),
            Flash::WebhookSent(Some(false)),
            Flash::WebhookSent(None),
            Flash::PetsImported(500),
        ] {
            assert_eq!(Flash::parse(&flash.encode()), Some(flash));
        }
        let anna = Flash::Removed(name(), ended);
        assert_eq!(
            anna.sentence(|_| None),
            "an.na-2_x was removed. 2 sessions and 1 token ended."
        );
        let many: Vec<PetId> = (7..=18).map(PetId::new).collect();
        let restored = Flash::StatusesRestored {
            restored: 288,
            changed: KeptPets::new(&many),
            not_in_log: KeptPets::new(&many[..1]),
        };
        assert!(restored.encode().len() < 200, "{}", restored.encode());
        assert_eq!(
            restored.sentence(|pet| (pet.get() < 9).then(|| format!("Pet {pet}"))),
            "288 statuses were restored. Not restored, because they changed since: Pet 7, Pet 8 and \
             10 others. Not restored, because their earlier status is no longer in the history: \
             Pet 7."
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
            assert_eq!(Flash::parse(code), None, "{code}");
        }
    }
}
