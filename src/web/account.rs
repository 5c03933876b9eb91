//! One's own account: the password, and the browsers that are signed in. The tokens on the same
//! page are changed in `tokens`.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Request, Response, handler};

use super::form::Form;
use super::sign_in::{address_of, keep_session, too_many};
use super::welcome::check_new_password;
use super::{Site, see_other};
use crate::auth::{Caller, SignInError, SignedIn};
use crate::error::Failure;
use crate::model::FieldError;
use crate::views::AccountPage;

/// The page's address.
pub const ADDRESS: &str = "/account";

#[handler]
pub fn show_account(
    person: SignedIn,
    Data(site): Data<&Arc<Site>>,
    caller: Caller,
) -> poem::Result<Response> {
    site.show(&caller, &account_page(&person)?)
}

#[handler]
pub async fn change_password(
    person: SignedIn,
    Data(site): Data<&Arc<Site>>,
    caller: Caller,
    request: &Request,
    form: Form,
) -> poem::Result<Response> {
    let wanted = form.text("password");
    let error = match check_new_password(wanted, form.text("again"), &person.account.name) {
        Err(error) => error,
        Ok(()) => {
            let staff = person.staff().map_err(Failure::from)?;
            let passwords = (form.text("present"), wanted);
            let who = (&person.actor.author, address_of(request));
            let changing = staff.change_password(&person.account, person.key, passwords, who);
            match changing.await {
                Ok(secret) => return Ok(keep_session(see_other(ADDRESS), &caller, &secret)),
                Err(SignInError::Wrong) => FieldError {
                    field: "present",
                    message: "This is not your present password.".to_owned(),
                },
                Err(SignInError::TooMany { retry_after }) => {
                    let (problem, seconds) = too_many(retry_after);
                    return Err(Failure::too_often(problem, seconds).into());
                }
                Err(SignInError::Failed(failure)) => return Err(failure.into()),
            }
        }
    };
    let page = account_page(&person)?.with_error(&error);
    site.show_again(&caller, &page, StatusCode::UNPROCESSABLE_ENTITY)
}

#[handler]
pub async fn end_one(
    person: SignedIn,
    Path(handle): Path<String>,
    _form: Form,
) -> poem::Result<Response> {
    let ending = person.edit(move |directory, person| {
        directory.end_session_of(&person.account.name, &handle, &person.actor)
    });
    ending.await?;
    Ok(see_other(ADDRESS))
}

#[handler]
pub async fn end_others(person: SignedIn, _form: Form) -> poem::Result<Response> {
    let ending = person.edit(|directory, person| {
        directory.end_other_sessions(&person.account.name, person.key, &person.actor)
    });
    ending.await?;
    Ok(see_other(ADDRESS))
}

/// The page as it is now.
pub fn account_page(person: &SignedIn) -> Result<AccountPage, Failure> {
    let directory = person.staff()?.directory();
    let name = &person.account.name;
    let (sessions, tokens) = (directory.sessions_of(name), directory.tokens_of(name));
    Ok(AccountPage::new(
        &person.account,
        person.key,
        &sessions,
        &tokens,
    ))
}
