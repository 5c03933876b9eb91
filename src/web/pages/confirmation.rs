//! The confirmation of an edit that cannot be undone, or that ends a session or token in use.
//!
//! GET of the form's own address shows the question and the consequences. A form without the field of
//! the confirmation is answered with the question.

use poem::Response;
use poem::http::StatusCode;

use super::form::Form;
use crate::auth::Principal;
use crate::views::ConfirmPage;
use crate::web::Site;

/// Returns true if the form contains the confirmation.
pub fn is_confirmed(form: &Form) -> bool {
    form.get("confirm") == Some("yes")
}

/// Answers a form without a confirmation with the question. Nothing was changed.
pub fn ask_first(site: &Site, caller: &Principal, page: &ConfirmPage) -> poem::Result<Response> {
    site.show_again(caller, page, StatusCode::UNPROCESSABLE_ENTITY)
}
