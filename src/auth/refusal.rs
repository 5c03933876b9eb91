//! Why somebody may not, and what each is told.

use super::directory::AccountsError;
use super::password::Crowded;
use crate::error::{Failure, sentence};
use crate::model::Scope;
use crate::store::StoreError;

/// Why a request or a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing was shown, or what was shown is not valid any more.
    NotSignedIn,
    /// Valid, but for less than this.
    NotInScope(Scope),
    NotAdmin,
    /// A page that needs a person, asked for with a token.
    NotAPerson,
    FromElsewhere,
    OtherHost,
    /// The form was not made for this browser, or for who it was before.
    StaleForm,
    /// There are no accounts in the demo.
    Demo,
}

impl Refusal {
    /// The same over a socket, where nobody can be asked to show something: 401 needs a challenge.
    pub fn into_socket_failure(self) -> Failure {
        match self {
            Refusal::NotSignedIn => Failure::forbidden(
                "Only staff may change something. Sign in on this site, or give the token of a \
                 program with the first command.",
            ),
            refusal => refusal.into(),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotSignedIn => Failure::unauthorized(
                "Only staff may do this. Sign in, or let your program send \
                 Authorization: Bearer with a token that is valid.",
            ),
            Refusal::NotInScope(scope) => Failure::forbidden(format!(
                "This token may not do that: it takes one with the scope {}.",
                scope.as_str()
            )),
            Refusal::NotAdmin => Failure::forbidden("Only an admin may do this."),
            Refusal::NotAPerson => {
                Failure::forbidden("This takes a person who is signed in, not a token.")
            }
            Refusal::FromElsewhere => Failure::forbidden(
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
                Failure::not_found("In the demo everyone is staff: there is nobody to sign in as.")
            }
        }
    }
}

impl From<Crowded> for Failure {
    fn from(error: Crowded) -> Self {
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
                tracing::error!(%reason, "an edit of staff could not be written");
                Failure::unavailable("This could not be written to the disk.", 5)
            }
            AccountsError::Store(StoreError::Full(reason)) => {
                tracing::error!(%reason, "an edit of staff could not be written");
                Failure::full("The disk is full, so this could not be written.", 30)
            }
            AccountsError::Store(StoreError::Conflict) => Failure::conflict(
                "Others changed who is staff at the same moment, again and again. Try again.",
            ),
            AccountsError::Store(StoreError::Unknown(reason)) => {
                tracing::error!(%reason, "an edit of staff was not answered");
                Failure::unavailable(
                    "The data did not answer, so this may have been done, or may still be. Look \
                     before you try again.",
                    5,
                )
            }
            AccountsError::Store(error) => error.into(),
        }
    }
}
