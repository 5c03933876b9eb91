//! The page on which staff add, describe, arrange and remove the photos of a pet.

use bytes::Bytes;
use poem::http::StatusCode;
use poem::web::Path;
use poem::{Response, handler};

use super::form::Form;
use super::multipart::{SentFile, UploadForm};
use super::response::{PageResponder, redirect};
use crate::auth::{MayWrite, Permit};
use crate::error::Failure;
use crate::model::{Audience, FieldError, Pet, PetId, Photo, PhotoEdit, PhotoHash, UnlistedPhotos};
use crate::views::PhotosPage;
use crate::web::photos::store_photo;
use crate::writer::{Command, Expected, Signer, WriteError};

/// Shows the page.
#[handler]
pub fn show_photos(
    _permit: Permit<MayWrite>,
    pages: PageResponder,
    Path(id): Path<String>,
) -> poem::Result<Response> {
    let (pet, _) = pages.site.pet(&id, Audience::Staff)?;
    pages.show(&PhotosPage::new(&pet))
}

/// Adds the files of a form. Shows the page again with the reason for each file that was refused.
#[handler]
pub async fn add_photos(
    _permit: Permit<MayWrite>,
    pages: PageResponder,
    Path(id): Path<String>,
    form: UploadForm,
) -> poem::Result<Response> {
    let (pet, _) = pages.site.pet(&id, Audience::Staff)?;
    let mut refused = Vec::new();
    if form.files.is_empty() {
        refused.push((String::new(), "Choose at least one photo.".to_owned()));
    }
    for SentFile { name, content } in form.files {
        let added = add_photo(&pages, pet.id, content).await;
        match added {
            Ok(()) => {}
            // Later files would fail for the same reason.
            Err(failure) if failure.status.is_server_error() => return Err(failure.into()),
            Err(failure) => refused.push((name, failure.detail)),
        }
    }
    if refused.is_empty() {
        return Ok(redirect(&photos_path(pet.id)));
    }
    let (pet, _) = pages.site.pet(&id, Audience::Staff)?;
    let mut page = PhotosPage::new(&pet);
    page.refused = refused;
    pages.show_with_status(&page, StatusCode::UNPROCESSABLE_ENTITY)
}

async fn add_photo(pages: &PageResponder, pet: PetId, file: Bytes) -> Result<(), Failure> {
    let photo = store_photo(&pages.site, file, String::new()).await?;
    let add = Command::AddPhoto { pet, photo };
    let signer = Permit::<MayWrite>::new(&pages.principal)?.signer();
    let added = pages.site.app.writer().commit(add, signer).await;
    added.map(drop).map_err(Failure::from)
}

/// Saves the texts of the photos, and moves or removes the photo whose button was pressed.
#[handler]
pub async fn arrange_photos(
    permit: Permit<MayWrite>,
    pages: PageResponder,
    Path(id): Path<String>,
    form: Form,
) -> poem::Result<Response> {
    let (pet, _) = pages.site.pet(&id, Audience::Staff)?;
    let edit = match read_edit(&form) {
        Ok(edit) => edit,
        Err((hash, error)) => {
            let mut page = PhotosPage::new(&pet);
            let alts: Vec<&str> = form.values("alt").collect();
            page.set_error(form.values("photo").zip(alts), hash, error.message);
            return pages.show_with_status(&page, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    if edit.apply(&pet.photos).as_ref() != Ok(&pet.photos) {
        let saved = save(&pages, &pet, edit, permit.signer()).await;
        saved.map_err(Failure::from)?;
    }
    Ok(redirect(&photos_path(pet.id)))
}

async fn save(
    pages: &PageResponder,
    pet: &Pet,
    edit: PhotoEdit,
    signer: Signer,
) -> Result<(), WriteError> {
    let command = Command::EditPhotos {
        pet: pet.id,
        edit,
        expected: Expected::Anything,
    };
    let saved = pages.site.app.writer().commit(command, signer).await;
    saved.map(drop)
}

/// Reads the photos in their order with their texts, and the button that was pressed.
///
/// # Errors
/// The photo whose text breaks a rule.
fn read_edit(form: &Form) -> Result<PhotoEdit, (PhotoHash, FieldError)> {
    let mut listed = Vec::new();
    for (hash, alt) in form.values("photo").zip(form.values("alt")) {
        let Ok(hash) = hash.parse() else { continue };
        let alt = Photo::check_alt(alt).map_err(|error| (hash, error))?;
        listed.push((hash, Some(alt)));
    }
    let place = |button: &str| {
        let hash: PhotoHash = form.get(button)?.parse().ok()?;
        listed.iter().position(|(listed, _)| *listed == hash)
    };
    let (cover, earlier, later) = (place("cover"), place("earlier"), place("later"));
    if let Some(place) = cover {
        listed[..=place].rotate_right(1);
    }
    if let Some(place) = earlier.filter(|place| *place > 0) {
        listed.swap(place - 1, place);
    }
    if let Some(place) = later.filter(|place| place + 1 < listed.len()) {
        listed.swap(place, place + 1);
    }
    let removed = form.values("remove").filter_map(|hash| hash.parse().ok());
    Ok(PhotoEdit {
        listed,
        unlisted: UnlistedPhotos::KeepExcept(removed.collect()),
    })
}

fn photos_path(pet: PetId) -> String {
    format!("/pets/{pet}/photos")
}
