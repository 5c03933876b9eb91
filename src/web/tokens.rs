//! API tokens, on the page of one's own account. A token is shown in the answer to the form that
//! made it and never again.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Response, handler};

use super::account::{ADDRESS, account_page};
use super::form::Form;
use super::{Site, see_other};
use crate::auth::{Caller, SignedIn};
use crate::model::{FieldError, Scope};

/// Characters of a token's name.
const LONGEST_NAME: usize = 40;

#[handler]
pub async fn create(
    person: SignedIn,
    Data(site): Data<&Arc<Site>>,
    caller: Caller,
    form: Form,
) -> poem::Result<Response> {
    let (token_name, scope) = match read(&form) {
        Ok(read) => read,
        Err(error) => {
            let page = account_page(&person)?.with_error(&error);
            return site.show_again(&caller, &page, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let made = token_name.clone();
    let making = person.edit(move |directory, person| {
        directory.create_token(&person.account.name, &made, scope, &person.actor)
    });
    let secret = making.await?;
    let page = account_page(&person)?.with_new_token(&token_name, &secret.token_text());
    site.show(&caller, &page)
}

#[handler]
pub async fn revoke(
    person: SignedIn,
    Path(handle): Path<String>,
    _form: Form,
) -> poem::Result<Response> {
    let revoking = person.edit(move |directory, person| {
        directory.revoke_token(&person.account.name, &handle, &person.actor)
    });
    revoking.await?;
    Ok(see_other(ADDRESS))
}

fn read(form: &Form) -> Result<(String, Scope), FieldError> {
    let name = form.text("token-name").trim();
    let length = name.chars().count();
    if !(1..=LONGEST_NAME).contains(&length) || name.contains(char::is_control) {
        return Err(FieldError {
            field: "token-name",
            message: format!("Say what it is for, in at most {LONGEST_NAME} characters."),
        });
    }
    Ok((name.to_owned(), form.read("scope")?))
}
