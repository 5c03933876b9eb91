//! The photos that visitors may load: those of a pet that is on the board and not private.

use std::collections::HashMap;

use crate::model::{Pet, Photo, PhotoHash};

/// Number of pets on the board that have a photo, by its hash.
#[derive(Default)]
pub struct PhotoIndex(HashMap<PhotoHash, usize>);

impl PhotoIndex {
    /// Adds the photos of a pet, unless it is private.
    pub fn add(&mut self, pet: &Pet) {
        for photo in public_photos(pet) {
            *self.0.entry(photo.hash).or_default() += 1;
        }
    }

    /// Removes the photos of a pet, which were added.
    pub fn remove(&mut self, pet: &Pet) {
        for photo in public_photos(pet) {
            if let Some(pets) = self.0.get_mut(&photo.hash) {
                *pets -= 1;
                if *pets == 0 {
                    self.0.remove(&photo.hash);
                }
            }
        }
    }

    /// Returns true if a pet on the board has the photo.
    pub fn contains(&self, hash: PhotoHash) -> bool {
        self.0.contains_key(&hash)
    }
}

/// Returns the photos of a pet that visitors may see.
fn public_photos(pet: &Pet) -> &[Photo] {
    if pet.is_public() { &pet.photos } else { &[] }
}
