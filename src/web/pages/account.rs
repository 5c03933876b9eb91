//! One's own account: the password, and the browsers that are signed in. The tokens on the same
//! page are changed in `tokens`.

use std::sync::Arc;

use poem::http::{HeaderMap, StatusCode};
use poem::web::{Data, Path};
use poem::{Request, Response, handler};

use super::confirmation::{ask_first, is_confirmed};
use super::flash::{Done, Ended};
use super::form::{self, Form};
use super::invitation::check_new_password;
use super::response::{see_done, see_other};
use super::sign_in::{address_of, forget_session, keep_session, too_many};
use crate::auth::{AccountsError, Principal, SignInError, SignedIn};
use crate::error::Failure;
use crate::model::FieldError;
use crate::views::{AccountPage, ConfirmPage, counted};
use crate::web::Site;

/// The page's address.
pub const ADDRESS: &str = "/account";

#[handler]
pub fn show_account(
    person: SignedIn,
    Data(site): Data<&Arc<Site>>,
    caller: Principal,
    headers: &HeaderMap,
) -> poem::Result<Response> {
    site.show_after(&caller, headers, |done| {
        Ok(account_page(&person)?.with_done(done))
    })
}

#[handler]
pub async fn change_password(
    person: SignedIn,
    Data(site): Data<&Arc<Site>>,
    caller: Principal,
    request: &Request,
    form: Form,
) -> poem::Result<Response> {
    let wanted = form.text("password");
    let error = match check_new_password(wanted, form.text("again"), &person.account.name) {
        Err(error) => error,
        Ok(()) => {
            let staff = person.staff().map_err(Failure::from)?;
            let ended = Ended {
                sessions: count_others(&person)?,
                ..Ended::of(staff.accounts(), &person.account.name)
            };
            let passwords = (form.text("present"), wanted);
            let who = (&person.actor.author, address_of(request));
            let changing = staff.change_password(&person.account, person.key, passwords, who);
            match changing.await {
                Ok(secret) => {
                    let response = see_done(ADDRESS, &Done::PasswordChanged(ended), &caller);
                    return Ok(keep_session(response, &caller, &secret));
                }
                Err(SignInError::Wrong) => FieldError {
                    field: "present",
                    message: "That isn't your current password.".to_owned(),
                },
                Err(SignInError::TooMany { retry_after }) => {
                    let (problem, seconds) = too_many(retry_after);
                    let failure = Failure::too_often(problem, seconds);
                    return show_refused(site, &caller, &person, failure);
                }
                Err(SignInError::Failed(failure)) => {
                    return show_refused(site, &caller, &person, failure);
                }
            }
        }
    };
    let page = account_page(&person)?.with_error(&error);
    site.show_again(&caller, &page, StatusCode::UNPROCESSABLE_ENTITY)
}

/// Asks before a session is ended.
#[handler]
pub fn confirm_end(
    person: SignedIn,
    Data(site): Data<&Arc<Site>>,
    Path(handle): Path<String>,
    caller: Principal,
) -> poem::Result<Response> {
    match question(&person, &handle) {
        Ok(question) => site.show(&caller, &question),
        Err(failure) => show_refused(site, &caller, &person, failure),
    }
}

#[handler]
pub async fn end_one(
    person: SignedIn,
    Data(site): Data<&Arc<Site>>,
    Path(handle): Path<String>,
    caller: Principal,
    form: Form,
) -> poem::Result<Response> {
    let question = match question(&person, &handle) {
        Ok(question) => question,
        Err(failure) => return show_refused(site, &caller, &person, failure),
    };
    if !is_confirmed(&form) {
        return ask_first(site, &caller, &question);
    }
    let is_own = person.key.handle() == handle;
    let ending = person.edit(move |directory, person| {
        directory
            .sessions()
            .end_by_handle(&person.account.name, &handle, &person.actor)
    });
    match ending.await {
        Ok(()) if is_own => Ok(forget_session(see_other("/pets"), &caller)),
        Ok(()) => Ok(see_done(ADDRESS, &Done::SessionEnded, &caller)),
        Err(failure) => show_refused(site, &caller, &person, failure),
    }
}

/// Asks before every other session is ended.
#[handler]
pub fn confirm_end_others(
    person: SignedIn,
    Data(site): Data<&Arc<Site>>,
    caller: Principal,
) -> poem::Result<Response> {
    site.show(&caller, &question_others(&person)?)
}

#[handler]
pub async fn end_others(
    person: SignedIn,
    Data(site): Data<&Arc<Site>>,
    caller: Principal,
    form: Form,
) -> poem::Result<Response> {
    if !is_confirmed(&form) {
        return ask_first(site, &caller, &question_others(&person)?);
    }
    let others = count_others(&person)?;
    let ending = person.edit(|directory, person| {
        directory
            .sessions()
            .end_others(&person.account.name, person.key, &person.actor)
    });
    match ending.await {
        Ok(()) => Ok(see_done(ADDRESS, &Done::OthersEnded(others), &caller)),
        Err(failure) => show_refused(site, &caller, &person, failure),
    }
}

/// # Errors
/// 404 for a session that is not there.
fn question(person: &SignedIn, handle: &str) -> Result<ConfirmPage, Failure> {
    let sessions = person
        .staff()?
        .accounts()
        .sessions()
        .list(&person.account.name);
    let session = sessions
        .iter()
        .find(|session| session.key.handle() == handle);
    let session = session.ok_or(AccountsError::Gone)?;
    Ok(ConfirmPage {
        heading: format!("Sign out {}?", session.client),
        consequences: vec!["Unsaved text there may be lost.".to_owned()],
        action: format!("{ADDRESS}/sessions/{handle}"),
        order: None,
        request_key: None,
        button: "Sign out",
        back: ADDRESS,
    })
}

fn question_others(person: &SignedIn) -> Result<ConfirmPage, Failure> {
    let others = counted(count_others(person)?, "other session", "other sessions");
    Ok(ConfirmPage {
        heading: "Sign out everywhere else?".to_owned(),
        consequences: vec![
            format!("This ends {others}. You stay signed in here."),
            "Unsaved text there may be lost.".to_owned(),
        ],
        action: format!("{ADDRESS}/sessions"),
        order: None,
        request_key: None,
        button: "Sign out everywhere else",
        back: ADDRESS,
    })
}

fn count_others(person: &SignedIn) -> Result<usize, Failure> {
    let sessions = person
        .staff()?
        .accounts()
        .sessions()
        .list(&person.account.name);
    Ok(sessions
        .iter()
        .filter(|session| session.key != person.key)
        .count())
}

/// Shows why nothing was changed, on the page that the form came from.
pub fn show_refused(
    site: &Site,
    caller: &Principal,
    person: &SignedIn,
    failure: Failure,
) -> poem::Result<Response> {
    if failure.status == StatusCode::UNAUTHORIZED {
        return Err(failure.into());
    }
    let page = account_page(person)?.with_notice(&failure.detail);
    let mut response = site.show_again(caller, &page, failure.status)?;
    failure.add_headers(response.headers_mut());
    Ok(response)
}

/// The page as it is now.
pub fn account_page(person: &SignedIn) -> Result<AccountPage, Failure> {
    let directory = person.staff()?.accounts();
    let name = &person.account.name;
    let (sessions, tokens) = (
        directory.sessions().list(name),
        directory.tokens().list(name),
    );
    let page = AccountPage::new(&person.account, person.key, &sessions, &tokens);
    Ok(page.with_request_key(form::new_key().1))
}
