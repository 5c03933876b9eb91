//! The question before an edit that cannot be undone, or that ends what somebody is using.
//!
//! GET of the form's own address asks it, with the consequence in words. A form that does not say
//! that its sender confirmed is answered with the question.

use poem::Response;
use poem::http::StatusCode;

use super::Site;
use super::form::Form;
use crate::auth::Caller;
use crate::views::ConfirmPage;

/// Returns true if the sender of the form saw the question.
pub fn is_confirmed(form: &Form) -> bool {
    form.get("confirm") == Some("yes")
}

/// Answers a form that was not confirmed: nothing was changed, and here is the question.
pub fn ask_first(site: &Site, caller: &Caller, page: &ConfirmPage) -> poem::Result<Response> {
    site.show_again(caller, page, StatusCode::UNPROCESSABLE_ENTITY)
}
