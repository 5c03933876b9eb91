//! Reasons to refuse a request or a command. `error` has the answers that they become.

use crate::model::Scope;

/// Reason to refuse a request or a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no credential, or it is not valid any more.
    #[error("only staff can do this; sign in, or send Authorization: Bearer with a valid token")]
    NotSignedIn,
    /// The same over a socket, which cannot send the challenge that a 401 requires.
    #[error(
        "only staff can make changes; sign in on this site, or send an API token with the first \
         command"
    )]
    SocketNotSignedIn,
    /// The credential is valid and lacks this scope.
    #[error("this token is not allowed to do that; use a token with the scope {}", .0.as_str())]
    NotInScope(Scope),
    /// The account is not an admin's.
    #[error("only an admin can do this")]
    NotAdmin,
    /// The page needs a person, and the credential is a token.
    #[error("this page needs a person who is signed in, not a token")]
    NotAPerson,
    /// The page needs a person with a browser of their own, and the browser is a station.
    #[error(
        "this is not possible on a shared device; use your own device, or sign in with your password"
    )]
    AtStation,
    /// A page of another origin sent the request.
    #[error("this request came from a page of another site; make changes on this site")]
    CrossOrigin,
    /// The page was opened at another address than this public one.
    #[error("changes work only at {0}; this page was opened at another address")]
    WrongAddress(String),
    /// The demo was opened at a name that is not of this machine.
    #[error("in the demo, changes work only at 127.0.0.1, [::1] or localhost")]
    OtherHost,
    /// The form was made for another browser or another session.
    #[error(
        "you signed in or out after this form was opened, or cookies are off; check the form and \
         send it again"
    )]
    StaleForm,
    /// The demo has no accounts.
    #[error("the demo has no accounts: everyone on this machine is staff")]
    Demo,
    /// The request was not identified before its handler ran, which is a bug.
    #[error("the request was not identified")]
    Unidentified,
}
