//! The page behind a link that lets somebody choose a password: the first admin, or one who was
//! invited or whose password was reset.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Response, handler};

use super::form::Form;
use super::response::see_other;
use super::sign_in::keep_session;
use crate::auth::{Principal, Secret, SignInError, StaffAuth, check_password_rules};
use crate::error::{Failure, at_field};
use crate::model::{AccountName, FieldError};
use crate::views::WelcomePage;
use crate::web::Site;

/// The page's address for a secret.
pub fn invitation_path(secret: &Secret) -> String {
    format!("/welcome/{}", secret.text())
}

/// Whom a link is for.
enum Guest {
    /// Whoever opens it becomes the first admin, under a name that they choose.
    Founder,
    Invited(AccountName),
}

impl Guest {
    /// # Errors
    /// 404 for a link that nobody was given, that was used, or that has expired.
    fn of(staff: &StaffAuth, secret: &str) -> Result<(Secret, Self), Failure> {
        let no_longer = || {
            Failure::not_found(
                "This link has been used, or is too old. Ask an admin for a new one; if there is \
                 none yet, start the server again.",
            )
        };
        let secret = Secret::parse(secret).ok_or_else(no_longer)?;
        if staff.is_bootstrap_token(&secret) {
            return Ok((secret, Guest::Founder));
        }
        let name = staff.accounts().invitations().find(&secret.key());
        let name = name.ok_or_else(no_longer)?;
        Ok((secret, Guest::Invited(name)))
    }

    fn name(&self) -> Option<&AccountName> {
        match self {
            Guest::Founder => None,
            Guest::Invited(name) => Some(name),
        }
    }
}

#[handler]
pub fn show_form(
    Data(site): Data<&Arc<Site>>,
    Path(secret): Path<String>,
    caller: Principal,
) -> poem::Result<Response> {
    let staff = caller.authenticator().staff().map_err(Failure::from)?;
    let (secret, guest) = Guest::of(staff, &secret)?;
    let page = WelcomePage::new(invitation_path(&secret), guest.name());
    site.show_to_stranger(&caller, |site, caller| site.show(caller, &page))
}

#[handler]
pub async fn accept(
    Data(site): Data<&Arc<Site>>,
    Path(secret): Path<String>,
    caller: Principal,
    form: Form,
) -> poem::Result<Response> {
    let staff = caller.authenticator().staff().map_err(Failure::from)?;
    let (secret, guest) = Guest::of(staff, &secret)?;
    let password = form.text("password");
    let checked = chosen_name(&guest, &form)
        .and_then(|name| check_new_password(password, form.text("again"), &name).map(|()| name));
    let name = match checked {
        Ok(name) => name,
        Err(error) => {
            let page = WelcomePage::new(invitation_path(&secret), guest.name());
            let page = page.with_error(form.text("name"), &error);
            return site.show_again(&caller, &page, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let begun = match guest {
        Guest::Founder => {
            staff
                .create_first_admin(&name, password, caller.client())
                .await
        }
        Guest::Invited(_) => {
            staff
                .accept_invitation(&secret, &name, password, caller.client())
                .await
        }
    };
    match begun {
        Ok(session) => Ok(keep_session(see_other("/pets"), &caller, &session)),
        Err(SignInError::Failed(failure)) => Err(failure.into()),
        Err(_) => Ok(see_other("/sign-in")),
    }
}

/// What is wrong with a password that somebody wants to have, at the field to put right.
///
/// # Errors
/// That.
pub fn check_new_password(
    password: &str,
    again: &str,
    name: &AccountName,
) -> Result<(), FieldError> {
    check_password_rules(password, name).map_err(|error| at_field("password", &error))?;
    match password == again {
        true => Ok(()),
        false => Err(FieldError {
            field: "again",
            message: "The two are not the same.".to_owned(),
        }),
    }
}

fn chosen_name(guest: &Guest, form: &Form) -> Result<AccountName, FieldError> {
    match guest.name() {
        Some(name) => Ok(name.clone()),
        None => form.read("name"),
    }
}
