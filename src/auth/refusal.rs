//! Reasons to refuse a request or a command, and the answers that they become.

use super::accounts::AccountsError;
use super::password::HashingBusy;
use crate::error::{Failure, sentence};
use crate::model::Scope;
use crate::store::StoreError;

/// Why a request or a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no credential, or it is not valid any more.
    NotSignedIn,
    /// The credential is valid and lacks this scope.
    NotInScope(Scope),
    /// The account is not an admin's.
    NotAdmin,
    /// The page needs a person, and the credential is a token.
    NotAPerson,
    /// A page of another origin sent the request.
    CrossOrigin,
    /// The demo was opened at a name that is not of this machine.
    OtherHost,
    /// The form was made for another browser or another session.
    StaleForm,
    /// The demo has no accounts.
    Demo,
}

impl Refusal {
    /// Returns the answer over a socket, which cannot send the challenge that a 401 requires.
    pub fn into_socket_failure(self) -> Failure {
        match self {
            Refusal::NotSignedIn => Failure::forbidden(
                "Only staff can make changes. Sign in on this site, or send an API token with the \
                 first command.",
            ),
            refusal => refusal.into(),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotSignedIn => Failure::unauthorized(
                "Only staff can do this. Sign in, or send Authorization: Bearer with a valid token.",
            ),
            Refusal::NotInScope(scope) => Failure::forbidden(format!(
                "This token is not allowed to do that. Use a token with the scope {}.",
                scope.as_str()
            )),
            Refusal::NotAdmin => Failure::forbidden("Only an admin can do this."),
            Refusal::NotAPerson => {
                Failure::forbidden("This page needs a person who is signed in, not a token.")
            }
            Refusal::CrossOrigin => Failure::forbidden(
                "This request came from a page of another site. Make changes on this site.",
            ),
            Refusal::OtherHost => Failure::forbidden(
                "In the demo, changes work only at 127.0.0.1, [::1] or localhost.",
            ),
            Refusal::StaleForm => Failure::forbidden(
                "You signed in or out after this form was opened, or cookies are off. Check the \
                 form and send it again.",
            ),
            Refusal::Demo => {
                Failure::not_found("The demo has no accounts: everyone on this machine is staff.")
            }
        }
    }
}

impl From<HashingBusy> for Failure {
    fn from(error: HashingBusy) -> Self {
        Failure::unavailable(sentence(&error), 2)
    }
}

impl From<AccountsError> for Failure {
    fn from(error: AccountsError) -> Self {
        let detail = sentence(&error);
        match error {
            AccountsError::SignedOut => Refusal::NotSignedIn.into(),
            AccountsError::NotAdmin => Refusal::NotAdmin.into(),
            AccountsError::UnknownAccount(_)
            | AccountsError::BadInvitation
            | AccountsError::Gone => Failure::not_found(detail),
            AccountsError::NameTaken(_) | AccountsError::LastAdmin(_) | AccountsError::Full(_) => {
                Failure::conflict(detail)
            }
            AccountsError::Store(StoreError::Write(reason)) => {
                tracing::error!(%reason, "could not write an edit of accounts");
                Failure::unavailable("The change could not be saved to disk.", 5)
            }
            AccountsError::Store(StoreError::Full(reason)) => {
                tracing::error!(%reason, "could not write an edit of accounts: the disk is full");
                Failure::full("The disk is full, so the change was not saved.", 30)
            }
            AccountsError::Store(StoreError::Conflict) => {
                Failure::conflict("Someone else is editing staff accounts. Please try again.")
            }
            AccountsError::Store(StoreError::Unknown(reason)) => {
                tracing::error!(%reason, "no confirmation for an edit of accounts");
                Failure::unavailable(
                    "The database did not confirm the change in time. It may still be applied; \
                     check before retrying.",
                    5,
                )
            }
            AccountsError::Store(error) => error.into(),
        }
    }
}
