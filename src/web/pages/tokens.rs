//! API tokens, on the page of one's own account. A token is shown in the answer to the form that
//! made it and never again.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Response, handler};

use super::account::{ADDRESS, account_page, show_refused};
use super::confirmation::{ask_first, is_confirmed};
use super::flash::Done;
use super::form::Form;
use super::response::see_done;
use crate::auth::{AccountsError, Principal, SignedIn};
use crate::error::Failure;
use crate::model::{FieldError, Scope, check_token_name};
use crate::views::ConfirmPage;
use crate::web::Site;

#[handler]
pub async fn create(
    person: SignedIn,
    Data(site): Data<&Arc<Site>>,
    caller: Principal,
    form: Form,
) -> poem::Result<Response> {
    let (token_name, scope) = match read(&form) {
        Ok(read) => read,
        Err(error) => {
            let page = account_page(&person)?.with_error(&error);
            let page = page.with_entered(form.text("token-name"));
            return site.show_again(&caller, &page, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let made = token_name.clone();
    let person = person.with_request(form.one_time_key());
    let making = person.edit(move |directory, person| {
        directory
            .tokens()
            .create(&person.account.name, &made, scope, &person.actor)
    });
    let secret = making.await?;
    let page = account_page(&person)?.with_new_token(&token_name, &secret.token_text());
    site.show(&caller, &page)
}

/// Asks before a token is revoked.
#[handler]
pub fn confirm(
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
pub async fn revoke(
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
    let revoking = person.edit(move |directory, person| {
        directory
            .tokens()
            .revoke(&person.account.name, &handle, &person.actor)
    });
    match revoking.await {
        Ok(()) => Ok(see_done(ADDRESS, &Done::TokenRevoked, &caller)),
        Err(failure) => show_refused(site, &caller, &person, failure),
    }
}

/// # Errors
/// 404 for a token that is not there.
fn question(person: &SignedIn, handle: &str) -> Result<ConfirmPage, Failure> {
    let tokens = person
        .staff()?
        .accounts()
        .tokens()
        .list(&person.account.name);
    let token = tokens.iter().find(|token| token.key.handle() == handle);
    let token = token.ok_or(AccountsError::Gone)?;
    Ok(ConfirmPage {
        heading: format!("Revoke the token {}?", token.name),
        consequences: vec![
            "Programs that use it will stop working.".to_owned(),
            "This can't be undone. You can create a new token.".to_owned(),
        ],
        action: format!("{ADDRESS}/tokens/{handle}"),
        order: None,
        request_key: None,
        button: "Revoke token",
        back: ADDRESS,
    })
}

fn read(form: &Form) -> Result<(String, Scope), FieldError> {
    let name = form.text("token-name").trim();
    check_token_name(name)?;
    Ok((name.to_owned(), form.read("scope")?))
}
