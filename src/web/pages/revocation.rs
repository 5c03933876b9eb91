//! Ends sessions and API tokens of one's own account, each after a confirmation.

use poem::http::StatusCode;
use poem::{FromRequest, Request, RequestBody, Response, handler};

use super::account::{self, count_other_sessions, show_refused};
use super::flash::Flash;
use super::form::Form;
use super::response::{PageResponder, redirect};
use super::sign_in::without_session;
use crate::auth::{AccountsError, SignedIn};
use crate::error::Failure;
use crate::views::{ConfirmPage, counted};

/// The session or token to end, from the path of the request.
enum Revocation {
    /// The session with this handle.
    Session(String),
    /// Every session but the one that asks.
    OtherSessions,
    /// The token with this handle.
    Token(String),
}

impl<'a> FromRequest<'a> for Revocation {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let handle = || request.path_params::<String>();
        Ok(match request.uri().path().strip_prefix("/account/") {
            Some("sessions") => Revocation::OtherSessions,
            Some(path) if path.starts_with("sessions/") => Revocation::Session(handle()?),
            _ => Revocation::Token(handle()?),
        })
    }
}

/// Shows the question.
#[handler]
pub fn confirm(
    person: SignedIn,
    pages: PageResponder,
    revocation: Revocation,
) -> poem::Result<Response> {
    match revocation.question(&person) {
        Ok(question) => pages.show(&question),
        Err(failure) => show_refused(&pages, &person, failure),
    }
}

/// Ends it. Shows the question if the form does not contain the confirmation.
#[handler]
pub async fn revoke(
    person: SignedIn,
    pages: PageResponder,
    revocation: Revocation,
    form: Form,
) -> poem::Result<Response> {
    let question = match revocation.question(&person) {
        Ok(question) => question,
        Err(failure) => return show_refused(&pages, &person, failure),
    };
    if !form.is_confirmed() {
        return pages.show_with_status(&question, StatusCode::UNPROCESSABLE_ENTITY);
    }
    match revocation.carry_out(&person).await {
        Ok(Some(flash)) => Ok(pages.redirect_with_flash(account::PATH, &flash)),
        Ok(None) => Ok(without_session(redirect("/pets"), &pages.principal)),
        Err(failure) => show_refused(&pages, &person, failure),
    }
}

impl Revocation {
    /// Returns the question.
    ///
    /// # Errors
    /// 404 if the session or token does not exist.
    fn question(&self, person: &SignedIn) -> Result<ConfirmPage, Failure> {
        let accounts = person.staff()?.accounts();
        let name = &person.account.name;
        let page = match self {
            Revocation::Session(handle) => {
                let sessions = accounts.sessions().list(name);
                let mut sessions = sessions.iter();
                let session = sessions.find(|session| session.key.handle() == *handle);
                let client = &session.ok_or(AccountsError::Gone)?.client;
                ConfirmPage {
                    heading: format!("Sign out {client}?"),
                    consequences: vec!["Unsaved text there may be lost.".to_owned()],
                    action: format!("/account/sessions/{handle}"),
                    button: "Sign out",
                    ..ConfirmPage::default()
                }
            }
            Revocation::OtherSessions => {
                let others = count_other_sessions(person)?;
                let others = counted(others, "other session", "other sessions");
                ConfirmPage {
                    heading: "Sign out everywhere else?".to_owned(),
                    consequences: vec![
                        format!("This ends {others}. You stay signed in here."),
                        "Unsaved text there may be lost.".to_owned(),
                    ],
                    action: "/account/sessions".to_owned(),
                    button: "Sign out everywhere else",
                    ..ConfirmPage::default()
                }
            }
            Revocation::Token(handle) => {
                let tokens = accounts.tokens().list(name);
                let token = tokens.iter().find(|token| token.key.handle() == *handle);
                let token_name = &token.ok_or(AccountsError::Gone)?.name;
                ConfirmPage {
                    heading: format!("Revoke the token {token_name}?"),
                    consequences: vec![
                        "Programs that use it will stop working.".to_owned(),
                        "This can't be undone. You can create a new token.".to_owned(),
                    ],
                    action: format!("/account/tokens/{handle}"),
                    button: "Revoke token",
                    ..ConfirmPage::default()
                }
            }
        };
        Ok(ConfirmPage {
            back: account::PATH,
            ..page
        })
    }

    /// Ends it. Returns no message if that was the session that asks.
    async fn carry_out(self, person: &SignedIn) -> Result<Option<Flash>, Failure> {
        let flash = match &self {
            Revocation::Session(handle) if person.key.handle() == *handle => None,
            Revocation::Session(_) => Some(Flash::SessionEnded),
            Revocation::OtherSessions => {
                Some(Flash::OtherSessionsEnded(count_other_sessions(person)?))
            }
            Revocation::Token(_) => Some(Flash::TokenRevoked),
        };
        let edited = person.edit(move |accounts, person| {
            let (name, actor) = (&person.account.name, &person.actor);
            match self {
                Revocation::Session(handle) => {
                    accounts.sessions().end_by_handle(name, &handle, actor)
                }
                Revocation::OtherSessions => {
                    accounts.sessions().end_others(name, person.key, actor)
                }
                Revocation::Token(handle) => accounts.tokens().revoke(name, &handle, actor),
            }
        });
        edited.await?;
        Ok(flash)
    }
}
