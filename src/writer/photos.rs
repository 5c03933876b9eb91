//! Decisions about the photos of a pet.

use std::sync::Arc;

use super::command::WriteError;
use crate::model::{ChangeKind, Pet, Photo, PhotoEdit, Timestamp, UnknownPhoto};

/// Returns the change that adds a photo to `pet` at the time `at`.
///
/// # Errors
/// `PhotoExists`, `TooManyPhotos`.
pub fn add_photo(pet: &Pet, photo: &Photo, at: Timestamp) -> Result<ChangeKind, WriteError> {
    if pet.photos.iter().any(|other| other.hash == photo.hash) {
        return Err(WriteError::PhotoExists);
    }
    if pet.photos.len() >= Photo::MAX_PER_PET {
        return Err(WriteError::TooManyPhotos);
    }
    let mut edited = pet.clone();
    edited.photos.push(added_at(photo, at));
    Ok(ChangeKind::Pet(Arc::new(edited)))
}

/// Returns `photo` as one that was added at the time `at`.
pub fn added_at(photo: &Photo, at: Timestamp) -> Photo {
    Photo {
        added: Some(at),
        ..photo.clone()
    }
}

/// Returns the change that arranges, describes and removes photos of `pet`.
///
/// # Errors
/// `UnknownPhoto`.
pub fn edit_photos(pet: &Pet, edit: &PhotoEdit) -> Result<ChangeKind, WriteError> {
    let photos = edit.apply(&pet.photos);
    let photos = photos.map_err(|UnknownPhoto| WriteError::UnknownPhoto)?;
    Ok(ChangeKind::Pet(Arc::new(Pet {
        photos,
        ..pet.clone()
    })))
}
