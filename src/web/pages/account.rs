//! The page of one's own account: sessions, password, PIN, API tokens. `revocation` ends sessions and
//! tokens.

pub mod station;

use poem::http::StatusCode;
use poem::{Request, Response, handler};

use super::flash::{EndedAccess, Flash};
use super::form::{self, Form};
use super::invitation::check_new_password;
use super::response::PageResponder;
use super::sign_in::{peer_address, too_many_attempts, with_session};
use crate::auth::{SignInError, SignedIn};
use crate::error::Failure;
use crate::model::{FieldError, Scope, check_token_name};
use crate::views::{AccountPage, FieldMessages, Now};

/// Path of the page.
pub const PATH: &str = "/account";

/// Shows the account.
#[handler]
pub fn show_account(person: SignedIn, pages: PageResponder) -> poem::Result<Response> {
    let mut page = account_page(&person)?;
    page.flash = pages.flash();
    pages.show_with_flash(&page)
}

/// Changes the password. Ends all other sessions and all tokens of the account.
#[handler]
pub async fn change_password(
    person: SignedIn,
    pages: PageResponder,
    request: &Request,
    form: Form,
) -> poem::Result<Response> {
    let account = &person.account;
    let new = form.text("password");
    let show_error = |error: &FieldError| {
        let mut page = account_page(&person)?;
        page.errors = FieldMessages::new([error]);
        pages.show_with_status(&page, StatusCode::UNPROCESSABLE_ENTITY)
    };
    if let Err(error) = check_new_password(new, form.text("again"), &account.name) {
        return show_error(&error);
    }
    let staff = person.staff().map_err(Failure::from)?;
    let ended = EndedAccess {
        sessions: count_other_sessions(&person)?,
        ..EndedAccess::count(staff.accounts(), &account.name)
    };
    let passwords = (form.text("present"), new);
    let who = (&person.actor.author, peer_address(request));
    match staff
        .change_password(account, person.key, passwords, who)
        .await
    {
        Ok(secret) => {
            let response = pages.redirect_with_flash(PATH, &Flash::PasswordChanged(ended));
            Ok(with_session(response, &pages.principal, &secret))
        }
        Err(SignInError::Wrong) => {
            let message = "That isn't your current password.";
            show_error(&FieldError::new("present", message))
        }
        Err(SignInError::TooMany { retry_after }) => {
            show_refused(&pages, &person, too_many_attempts(retry_after))
        }
        Err(SignInError::Failed(error)) => show_refused(&pages, &person, error.into()),
    }
}

/// Creates an API token. The answer shows the token, which is never shown again.
#[handler]
pub async fn create_token(
    person: SignedIn,
    pages: PageResponder,
    form: Form,
) -> poem::Result<Response> {
    let entered = form.text("token-name").trim();
    let checked: Result<Scope, FieldError> =
        check_token_name(entered).and_then(|()| form.parse_field("scope"));
    let scope = match checked {
        Ok(scope) => scope,
        Err(error) => {
            let mut page = account_page(&person)?;
            page.errors = FieldMessages::new([&error]);
            page.entered = form.text("token-name").to_owned();
            return pages.show_with_status(&page, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let token_name = entered.to_owned();
    let person = person.with_request(form.one_time_key());
    let secret = person.edit(move |accounts, person| {
        accounts
            .tokens()
            .create(&person.account.name, &token_name, scope, &person.actor)
    });
    let token = secret.await?.token_text();
    let mut page = account_page(&person)?;
    page.new_token = Some((entered.to_owned(), token));
    pages.show(&page)
}

/// Returns the number of sessions of the account beside this one.
pub fn count_other_sessions(person: &SignedIn) -> Result<usize, Failure> {
    let sessions = person
        .staff()?
        .accounts()
        .sessions()
        .list(&person.account.name);
    let others = sessions.iter().filter(|session| session.key != person.key);
    Ok(others.count())
}

/// Shows on the account's page why an edit was refused.
///
/// # Errors
/// The failure itself, if the session has ended.
pub fn show_refused(
    pages: &PageResponder,
    person: &SignedIn,
    failure: Failure,
) -> poem::Result<Response> {
    if failure.status == StatusCode::UNAUTHORIZED {
        return Err(failure.into());
    }
    let mut page = account_page(person)?;
    page.notice = Some(("Nothing was changed", failure.detail.clone()));
    pages.show_refused(&page, &failure)
}

fn account_page(person: &SignedIn) -> Result<AccountPage, Failure> {
    let accounts = person.staff()?.accounts();
    let name = &person.account.name;
    let (sessions, tokens) = (accounts.sessions().list(name), accounts.tokens().list(name));
    let now = Now::new(&accounts.rescue());
    let mut page = AccountPage::new(&person.account, person.key, &sessions, &tokens, &now);
    page.request_key = form::new_key().1;
    Ok(page)
}
