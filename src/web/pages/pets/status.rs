//! The forms that set the status of a pet: the buttons, the form with a note and an earlier start, and the undo.

use poem::http::{HeaderMap, StatusCode, header};
use poem::web::Path;
use poem::{Response, handler};

use super::super::form::Form;
use super::super::response::{PageResponder, redirect};
use super::super::undo::{self, UndoOffer};
use super::{pet_page, pet_path, referring_view};
use crate::auth::{MaySetStatus, Permit};
use crate::error::Failure;
use crate::model::{
    Audience, Cursor, FieldError, LocalTime, Pet, StatusNote, StatusStart, Timestamp,
};
use crate::views::{Now, StatusForm};
use crate::writer::{Command, StatusEdit, WriteError};

/// Sets a status. With `since` and `replaces`, undoes a change of the status.
#[handler]
pub async fn set_status(
    permit: Permit<MaySetStatus>,
    pages: PageResponder,
    Path(id): Path<String>,
    headers: &HeaderMap,
    form: Form,
) -> poem::Result<Response> {
    let app = &pages.site.app;
    let (pet, _) = pages.site.pet(&id, Audience::Staff)?;
    let now = Now::new(&app.rescue());
    let edit = match parse_edit(&form, &pet, &now)? {
        Ok(edit) => edit,
        Err(error) => return show_refused(&pages, &pet, headers, &form, &error).await,
    };
    let unknown = || Failure::from(WriteError::UnknownPet(pet.id));
    let (before, epoch) = app
        .hub()
        .entry(pet.id, Audience::Staff)
        .ok_or_else(unknown)?;
    let pet_id = pet.id;
    let set = Command::SetStatus { pet: pet_id, edit };
    let committed = match app.writer().commit(set, permit.signer()).await {
        Ok(committed) => committed,
        Err(WriteError::BeginsTooEarly {
            status,
            since,
            field,
        }) => {
            let error = too_early(field, &now.activities.text(status), &now.text(since));
            return show_refused(&pages, &pet, headers, &form, &error).await;
        }
        Err(error) => return Err(Failure::from(error).into()),
    };
    let base_path = pages.principal.authenticator().base_path();
    let back = referring_view(headers, base_path, &now.activities);
    let back = back.unwrap_or_else(|| pet_path(pet.id));
    let mut response = redirect(&back);
    if form.get("replaces").is_none() {
        let authenticator = pages.principal.authenticator();
        let rev = before.status_set;
        let set_before = Cursor { epoch, rev };
        let offer = UndoOffer::new(authenticator, headers, &before.pet, set_before, &committed);
        let cookie = offer.to_cookie(authenticator);
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Parses the fields of a form. A person corrects a `FieldError` in the form.
///
/// # Errors
/// 422 for a status that is unknown, and for invalid fields of an undo.
fn parse_edit(
    form: &Form,
    pet: &Pet,
    now: &Now,
) -> Result<Result<StatusEdit, FieldError>, Failure> {
    let word = form.text("status");
    let replaces = form.get("replaces");
    let status = undo::parse_status(&now.activities, Some(pet.status), word, replaces)?;
    let (since, expected) = undo::parse_fields(form.get("since"), form.get("replaces"))?;
    // A note that was not edited is that of the status: somebody else may have edited it since.
    let is_edited = status != pet.status || form.get("note") != form.get("note_before");
    let parse = || {
        let start = match since {
            Some(since) => StatusStart::Restored(since),
            None => parse_start(form, &now.local, now.at)?,
        };
        let has_note = is_edited && form.get("note").is_some();
        let note = has_note.then(|| form.text("note").parse::<StatusNote>());
        let note = note.transpose()?;
        Ok(StatusEdit {
            status,
            start,
            note,
            expected,
        })
    };
    Ok(parse())
}

/// Parses when the status began: some minutes ago, or at a time of day in the time zone of the rescue.
fn parse_start(form: &Form, local: &LocalTime, now: Timestamp) -> Result<StatusStart, FieldError> {
    let entered = |field| form.get(field).filter(|text| !text.is_empty());
    let Some(clock) = entered("began") else {
        return StatusStart::parse(None, entered("minutes_ago"));
    };
    let error = |message: &str| FieldError::new("began", message);
    if entered("minutes_ago").is_some() {
        return Err(error("Enter a time, or choose how long ago, not both."));
    }
    let began = local.last_time(clock, now);
    began
        .map(StatusStart::At)
        .ok_or_else(|| error("Enter a time within the last 12 hours, such as 14:05."))
}

/// Says that the status would have begun before the one that precedes it.
fn too_early(field: &'static str, preceding: &str, since: &str) -> FieldError {
    let message = format!("{preceding} began at {since}. Choose a later time.");
    FieldError::new(field, message)
}

/// Shows the form again, with what was entered and an error.
async fn show_refused(
    pages: &PageResponder,
    pet: &Pet,
    headers: &HeaderMap,
    form: &Form,
    error: &FieldError,
) -> poem::Result<Response> {
    let now = Now::new(&pages.site.app.rescue());
    let mut page = pet_page(pages, &pet.id.to_string(), headers, &now).await?;
    page.status_form =
        StatusForm::new(pet, &now).refused(pet, |field| form.text(field), error, &now);
    pages.show_with_status(&page, StatusCode::UNPROCESSABLE_ENTITY)
}
