//! Contexts of photos: on the board, on the page of a pet, and on the page where staff arrange them; and of
//! the rescue's logo, with the page on which admins choose it.

use serde::Serialize;

use crate::model::{Logo, Pet, Photo, PhotoHash};
use crate::wire::photo_path;

/// A photo as an image of a page.
#[derive(Serialize)]
pub struct PhotoView {
    hash: String,
    /// Files that a browser can choose from, the first for those that choose none.
    files: Vec<PhotoSource>,
    width: u32,
    height: u32,
    alt: String,
    /// The text that was entered; empty for the default.
    own_alt: String,
    /// The rule that the entered text breaks.
    error: Option<String>,
}

/// A file of a photo.
#[derive(Serialize)]
struct PhotoSource {
    path: String,
    width: u32,
}

/// The photos of a pet, for staff.
#[derive(Serialize)]
pub struct PhotosPage {
    id: u64,
    pet_name: String,
    photos: Vec<PhotoView>,
    /// Photos that can still be added.
    room: usize,
    alt_limit: usize,
    /// Files that were refused: name and reason.
    pub refused: Vec<(String, String)>,
}

impl PhotoView {
    /// Returns the photos of a pet in their order.
    pub fn list(pet: &Pet) -> Vec<Self> {
        let photos = pet.photos.iter();
        photos.map(|photo| PhotoView::new(pet, photo)).collect()
    }

    /// The image of one of the photos of `pet`.
    pub fn new(pet: &Pet, photo: &Photo) -> Self {
        let file = |width| PhotoSource {
            path: photo_path(photo.hash, width),
            width,
        };
        PhotoView {
            hash: photo.hash.to_string(),
            files: photo.widths_px().map(file).collect(),
            width: photo.width_px,
            height: photo.height_px,
            alt: pet.photo_alt(photo).into_owned(),
            own_alt: photo.alt.clone(),
            error: None,
        }
    }
}

impl PhotosPage {
    /// The page of `pet`.
    pub fn new(pet: &Pet) -> Self {
        PhotosPage {
            id: pet.id.get(),
            pet_name: pet.profile.name.clone(),
            photos: PhotoView::list(pet),
            room: Photo::MAX_PER_PET.saturating_sub(pet.photos.len()),
            alt_limit: Photo::ALT_LIMIT,
            refused: Vec::new(),
        }
    }

    /// Shows the texts as they were entered, and the message at the one that breaks a rule.
    pub fn set_error<'a>(
        &mut self,
        entered: impl Iterator<Item = (&'a str, &'a str)>,
        wrong: PhotoHash,
        message: String,
    ) {
        for (hash, alt) in entered {
            let mut photos = self.photos.iter_mut();
            if let Some(photo) = photos.find(|photo| photo.hash == hash) {
                photo.own_alt = alt.to_owned();
            }
        }
        let wrong = wrong.to_string();
        let mut photos = self.photos.iter_mut();
        if let Some(photo) = photos.find(|photo| photo.hash == wrong) {
            photo.error = Some(message);
        }
    }
}

/// Places of the logo: the head of pages, and the screen in the lobby or a sheet.
const HEAD_PX: (u32, u32) = (144, 36);
const LARGE_PX: (u32, u32) = (288, 72);

/// A logo as an image. The name of the rescue is beside it, so that its alternative text is empty.
#[derive(Serialize)]
pub(super) struct LogoView {
    path: String,
    width: u32,
    height: u32,
    large_width: u32,
    large_height: u32,
}

/// The page on which admins choose the logo.
#[derive(Default, Serialize)]
pub struct LogoPage {
    /// The reason why a file was refused.
    pub error: Option<String>,
}

impl LogoView {
    /// The image of `logo`.
    pub fn new(logo: &Logo) -> Self {
        let (width, height) = logo.fitted(HEAD_PX.0, HEAD_PX.1);
        let (large_width, large_height) = logo.fitted(LARGE_PX.0, LARGE_PX.1);
        LogoView {
            path: logo_path(logo.hash()),
            width,
            height,
            large_width,
            large_height,
        }
    }
}

/// Returns the path of the logo with this hash.
pub fn logo_path(hash: PhotoHash) -> String {
    format!("/assets/logo/{hash}.jpg")
}
