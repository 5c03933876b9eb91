//! The pages on which admins manage the rescue's own activities.

use poem::http::StatusCode;
use poem::web::Path;
use poem::{Response, handler};

use super::super::form::Form;
use super::super::response::{PageResponder, redirect};
use crate::auth::{Administrator, SignedIn};
use crate::error::Failure;
use crate::model::ActivityInput;
use crate::views::{ActivitiesPage, FormPage, activity_form};

/// Path of the list, to which the form for a new activity is sent.
pub const PATH: &str = "/settings/activities";

/// Last part of the path of the form for a new activity.
const NEW: &str = "new";

/// Shows the list.
#[handler]
pub fn show_list(_admin: Administrator, pages: PageResponder) -> poem::Result<Response> {
    let rescue = pages.site.app.rescue();
    pages.show(&ActivitiesPage::new(&rescue.activities))
}

/// Shows the form for a new activity, or for the one with this word.
#[handler]
pub fn show_form(
    _admin: Administrator,
    pages: PageResponder,
    Path(word): Path<String>,
) -> poem::Result<Response> {
    if word == NEW {
        return pages.show(&activity_form(None, &ActivityInput::blank(), &[]));
    }
    let rescue = pages.site.app.rescue();
    let activity = rescue.activities.find(&word).ok_or_else(unknown)?;
    let input = ActivityInput::from_activity(activity);
    pages.show(&activity_form(Some(&word), &input, &[]))
}

/// Adds an activity. A form that is sent twice succeeds twice.
#[handler]
pub async fn add(
    Administrator(admin): Administrator,
    pages: PageResponder,
    form: Form,
) -> poem::Result<Response> {
    save(admin, &pages, None, &form).await
}

/// Edits an activity.
#[handler]
pub async fn edit(
    Administrator(admin): Administrator,
    pages: PageResponder,
    Path(word): Path<String>,
    form: Form,
) -> poem::Result<Response> {
    save(admin, &pages, Some(word), &form).await
}

async fn save(
    admin: SignedIn,
    pages: &PageResponder,
    edited: Option<String>,
    form: &Form,
) -> poem::Result<Response> {
    let input = read_input(form);
    let (word, own) = (edited.clone(), input.clone());
    let saved = admin.edit(move |accounts, admin| {
        let settings = accounts.settings();
        settings.save_activity(word.as_deref(), &own, &admin.actor)
    });
    match saved.await?.ok_or_else(unknown)? {
        Ok(()) => Ok(redirect(PATH)),
        Err(errors) => {
            let page = activity_form(edited.as_deref(), &input, &errors);
            pages.show_with_status(&page, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

/// Returns the form with what was entered, to be sent again to `action`; `None` if that is the address of
/// another form.
pub fn filled_form(action: &str, form: &Form) -> Option<FormPage> {
    let word = action.strip_prefix(PATH)?;
    let edited = word.strip_prefix('/');
    (word.is_empty() || edited.is_some()).then(|| activity_form(edited, &read_input(form), &[]))
}

fn read_input(form: &Form) -> ActivityInput {
    let text = |name| form.text(name).trim().to_owned();
    ActivityInput {
        name: text("name"),
        icon: text("icon"),
        colour: text("colour").to_lowercase(),
        stand_in: text("stand-in"),
        hidden: form.get("hidden") == Some("yes"),
    }
}

fn unknown() -> Failure {
    Failure::not_found("There is no such activity.")
}
