//! The page behind a link with which somebody chooses a password: the first admin, or whoever was
//! invited or had their password reset.

use poem::http::StatusCode;
use poem::web::Path;
use poem::{Response, handler};

use super::form::Form;
use super::response::{PageResponder, redirect};
use super::settings;
use super::sign_in::with_session;
use crate::auth::{Principal, Secret, SignInError, StaffAuth, check_password_rules};
use crate::error::{Failure, at_field};
use crate::model::{AccountName, FieldError};
use crate::views::{FieldMessages, InvitationPage};

/// Returns the path of the page for a secret.
pub fn invitation_path(secret: &Secret) -> String {
    format!("/welcome/{}", secret.text())
}

/// A link that is valid.
struct InvitationLink {
    secret: Secret,
    /// The account that it is for. `None` for the link that creates the first admin.
    account: Option<AccountName>,
}

impl InvitationLink {
    /// Finds the invitation behind a link.
    ///
    /// # Errors
    /// 404 for a link that is unknown, used or expired, and where there are no accounts at all.
    fn find<'a>(principal: &'a Principal, secret: &str) -> Result<(&'a StaffAuth, Self), Failure> {
        let staff = principal.authenticator().staff()?;
        let invalid = || {
            Failure::not_found(
                "This link has expired or was already used. Ask an admin for a new one.",
            )
        };
        let secret = Secret::parse(secret).ok_or_else(invalid)?;
        let account = if staff.is_bootstrap_token(&secret) {
            None
        } else {
            let name = staff.accounts().invitations().find(&secret.key());
            Some(name.ok_or_else(invalid)?)
        };
        Ok((staff, InvitationLink { secret, account }))
    }

    fn page(&self) -> InvitationPage {
        InvitationPage::new(invitation_path(&self.secret), self.account.as_ref())
    }

    /// Returns the name of the account; the first admin enters one.
    fn name(&self, form: &Form) -> Result<AccountName, FieldError> {
        match &self.account {
            Some(name) => Ok(name.clone()),
            None => form.parse_field("name"),
        }
    }
}

/// Shows the form to choose a password.
#[handler]
pub fn show_form(pages: PageResponder, Path(secret): Path<String>) -> poem::Result<Response> {
    let page = InvitationLink::find(&pages.principal, &secret)?.1.page();
    pages.show_to_anonymous(|pages| pages.show(&page))
}

/// Sets the password and signs in.
#[handler]
pub async fn accept(
    pages: PageResponder,
    Path(secret): Path<String>,
    form: Form,
) -> poem::Result<Response> {
    let (staff, invitation) = InvitationLink::find(&pages.principal, &secret)?;
    let password = form.text("password");
    let checked = invitation.name(&form).and_then(|name| {
        check_new_password(password, form.text("again"), &name)?;
        Ok(name)
    });
    let name = match checked {
        Ok(name) => name,
        Err(error) => {
            let mut page = invitation.page();
            page.entered = form.text("name").to_owned();
            page.errors = FieldMessages::new([&error]);
            return pages.show_with_status(&page, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let client = pages.principal.client();
    let signed_in = if invitation.account.is_none() {
        staff.create_first_admin(&name, password, client).await
    } else {
        let secret = &invitation.secret;
        staff
            .accept_invitation(secret, &name, password, client)
            .await
    };
    match signed_in {
        Ok(session) => {
            let next = match invitation.account {
                Some(_) => "/pets",
                None => settings::PATH,
            };
            Ok(with_session(redirect(next), &pages.principal, &session))
        }
        Err(SignInError::Failed(failure)) => Err(failure.into()),
        Err(_) => Ok(redirect("/sign-in")),
    }
}

/// Checks a new password and its repetition.
///
/// # Errors
/// A failure at the field to correct.
pub fn check_new_password(
    password: &str,
    repeated: &str,
    name: &AccountName,
) -> Result<(), FieldError> {
    check_password_rules(password, name).map_err(|error| at_field("password", &error))?;
    if password == repeated {
        Ok(())
    } else {
        Err(FieldError::new("again", "The passwords don't match."))
    }
}
