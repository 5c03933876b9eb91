//! The trash: pets that were removed, until they are restored or deleted for good.

use std::cmp::Reverse;
use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::Path;
use poem::{Response, handler};

use super::pet_path;
use crate::auth::{MayWrite, Permit};
use crate::error::Failure;
use crate::model::{Pet, PetId};
use crate::views::{ConfirmPage, Now, TrashPage};
use crate::web::Site;
use crate::web::pages::flash::Flash;
use crate::web::pages::form::Form;
use crate::web::pages::response::{PageResponder, redirect};
use crate::writer::{Command, WriteError};

/// Path of the page.
pub const PATH: &str = "/trash";

/// Shows the pets in the trash, the last removed one first.
#[handler]
pub fn show_trash(_permit: Permit<MayWrite>, pages: PageResponder) -> poem::Result<Response> {
    let mut pets = pages.site.app.hub().trash();
    pets.sort_by_key(|pet| Reverse(pet.removed.as_ref().map(|removal| removal.at)));
    let now = Now::new(&pages.site.app.rescue());
    let mut page = TrashPage::new(pets.iter().map(|pet| &**pet), &now);
    page.flash = pages.flash();
    pages.show_with_flash(&page)
}

/// Restores a pet. A form that is sent twice succeeds twice.
#[handler]
pub async fn restore_pet(
    permit: Permit<MayWrite>,
    pages: PageResponder,
    Path(id): Path<String>,
    _form: Form,
) -> poem::Result<Response> {
    let pet: PetId = id.parse().map_err(|_| Site::no_such_pet())?;
    let hub = pages.site.app.hub();
    let restore = Command::Restore(pet);
    match pages
        .site
        .app
        .writer()
        .commit(restore, permit.signer())
        .await
    {
        Ok(_) => Ok(redirect(&pet_path(pet))),
        Err(WriteError::NotInTrash(_)) if hub.stored(pet).is_some() => Ok(redirect(&pet_path(pet))),
        Err(error) => Err(Failure::from(error).into()),
    }
}

/// Asks if a pet should be deleted for good.
#[handler]
pub fn confirm_deletion(
    _permit: Permit<MayWrite>,
    pages: PageResponder,
    Path(id): Path<String>,
) -> poem::Result<Response> {
    let pet = trashed_pet(&pages, &id)?;
    pages.show(&question(&pet))
}

/// Deletes a pet for good. Asks first if the form does not contain the confirmation.
#[handler]
pub async fn delete_pet(
    permit: Permit<MayWrite>,
    pages: PageResponder,
    Path(id): Path<String>,
    form: Form,
) -> poem::Result<Response> {
    let pet = trashed_pet(&pages, &id)?;
    if !form.is_confirmed() {
        return pages.show_with_status(&question(&pet), StatusCode::UNPROCESSABLE_ENTITY);
    }
    let delete = Command::Delete(pet.id);
    let deleted = pages.site.app.writer().commit(delete, permit.signer());
    deleted.await.map_err(Failure::from)?;
    Ok(pages.redirect_with_flash(PATH, &Flash::PetDeleted))
}

fn trashed_pet(pages: &PageResponder, id: &str) -> Result<Arc<Pet>, Failure> {
    let stored = id
        .parse()
        .ok()
        .and_then(|id| pages.site.app.hub().stored(id));
    let pet = stored.map(|(entry, _)| entry.pet);
    let in_trash = pet.filter(|pet| pet.is_in_trash());
    in_trash.ok_or_else(|| Failure::not_found("This pet is not in the trash."))
}

fn question(pet: &Pet) -> ConfirmPage {
    ConfirmPage {
        heading: format!("Delete {} for good?", pet.profile.identity()),
        consequences: vec![
            "This can't be undone.".to_owned(),
            "Its history stays, for staff.".to_owned(),
        ],
        action: format!("{PATH}/{}", pet.id),
        button: "Delete for good",
        back: PATH,
        ..ConfirmPage::default()
    }
}
