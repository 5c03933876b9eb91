//! The page on which admins edit the settings of the rescue.
//!
//! A form carries the settings that it was rendered with, so that two admins can edit at the same time:
//! only what its author changed is saved.

pub mod activities;
pub mod webhooks;

use poem::http::StatusCode;
use poem::{Response, handler};

use super::form::Form;
use super::response::{PageResponder, redirect};
use crate::auth::Administrator;
use crate::model::{FieldError, Rescue, RescueField};
use crate::views::FormPage;

/// Path of the page.
pub const PATH: &str = "/settings";

/// Hidden field with the settings that the form was rendered with.
const BASE: &str = "base";

/// Shows the form.
#[handler]
pub fn show_form(_admin: Administrator, pages: PageResponder) -> poem::Result<Response> {
    let rescue = pages.site.app.rescue();
    let mut page = FormPage::settings(&rescue, |field| field.text(&rescue), &[]);
    page.hidden = hidden_fields(&rescue);
    pages.show(&page)
}

/// Saves the settings that the admin changed. A form that is sent twice succeeds twice.
#[handler]
pub async fn save(
    Administrator(admin): Administrator,
    pages: PageResponder,
    form: Form,
) -> poem::Result<Response> {
    let current = pages.site.app.rescue();
    let base = form.get(BASE);
    let base = base.and_then(|base| serde_json::from_str(base).ok());
    let base: Rescue = base.unwrap_or_else(|| Rescue::clone(&current));
    let edited = match base.with_entered(|field| own_text(&form, field)) {
        Ok(edited) => edited,
        Err(errors) => {
            let page = filled_form(&current, &form, &errors);
            return pages.show_with_status(&page, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let form_base = base.clone();
    let own = edited.clone();
    let saved =
        admin.edit(move |accounts, admin| accounts.settings().save(&form_base, &own, &admin.actor));
    match saved.await? {
        Ok(()) => Ok(redirect("/pets")),
        Err(conflicts) => {
            let current = pages.site.app.rescue();
            let page = conflict_page(&current, &current.merge(&base, &edited).0, &conflicts);
            pages.show_with_status(&page, StatusCode::CONFLICT)
        }
    }
}

/// Returns the form of an activity or a webhook with what was entered, to be sent again to `action`; `None` if
/// that is the address of another form.
pub fn filled_page(action: &str, form: &Form) -> Option<FormPage> {
    activities::filled_form(action, form).or_else(|| webhooks::filled_form(action, form))
}

/// Returns the form with what was entered.
pub fn filled_form(current: &Rescue, form: &Form, errors: &[FieldError]) -> FormPage {
    let entered = |field: &'static RescueField| {
        let text = form.get(field.name);
        text.unwrap_or_else(|| field.text(current))
    };
    let mut page = FormPage::settings(current, entered, errors);
    page.hidden = form.hidden(|name| name == BASE);
    page
}

/// Returns the form after a conflict: for the settings as they are now, with the author's own changes.
fn conflict_page(current: &Rescue, mine: &Rescue, conflicts: &[&'static RescueField]) -> FormPage {
    let theirs = conflicts.iter();
    let theirs = theirs.map(|field| (field.name, field.text(current).into()));
    let mut page = FormPage::settings(current, |field| field.text(mine), &[]).with_theirs(
        "Someone else saved the settings while you were editing.",
        theirs,
    );
    page.hidden = hidden_fields(current);
    page
}

/// Returns the hidden fields of a form for `rescue`.
fn hidden_fields(rescue: &Rescue) -> Vec<(String, String)> {
    // The logo has a page of its own.
    let texts = Rescue {
        logo: None,
        ..rescue.clone()
    };
    let base = serde_json::to_string(&texts).expect("settings are text");
    vec![(BASE.to_owned(), base)]
}

/// Returns what was entered in a field; `None` if the author chose the text of somebody else.
fn own_text<'a>(form: &'a Form, field: &RescueField) -> Option<&'a str> {
    let is_theirs = form.get(&format!("keep-{}", field.name)) == Some("theirs");
    form.get(field.name).filter(|_| !is_theirs)
}
