//! The files of photos in an engine.
//!
//! A photo is stored before the change that gives it to a pet is committed, so a crash can leave files
//! that no pet has. The writer's thread removes them later, like those of a photo that was removed. A
//! file never changes under its name, so it may be read and cached at any time.

use std::collections::HashSet;

use bytes::Bytes;

use super::StoreError;
use crate::model::{Pet, Photo, PhotoFile, PhotoHash, Timestamp};

/// The files of photos, under their hash and width.
pub trait PhotoStore {
    /// Stores the files of a photo at time `now`, all of them or none. On return they survive a power
    /// cut. If they are there already, they count as stored now.
    ///
    /// # Errors
    /// `Full`, `Write` or `Unavailable`, as for `Engine::commit`.
    fn put_photo(
        &self,
        hash: PhotoHash,
        files: &[PhotoFile],
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Returns the file of a photo with this width.
    ///
    /// # Errors
    /// `Read` or `Unavailable`, as for `Engine::snapshot`.
    fn photo(&self, hash: PhotoHash, width_px: u32) -> Result<Option<Bytes>, StoreError>;

    /// Removes the photos that are not `used` and were stored before `before`. Returns their number.
    ///
    /// # Errors
    /// As for `put_photo`.
    fn remove_unused_photos(
        &self,
        used: &HashSet<PhotoHash>,
        before: Timestamp,
    ) -> Result<usize, StoreError>;
}

/// Implements `PhotoStore` for an engine of tests by the engine in its field `$inner`.
#[cfg(test)]
macro_rules! delegate_photos {
    ($engine:ty, $inner:ident) => {
        impl $crate::store::PhotoStore for $engine {
            fn put_photo(
                &self,
                hash: $crate::model::PhotoHash,
                files: &[$crate::model::PhotoFile],
                now: $crate::model::Timestamp,
            ) -> Result<(), $crate::store::StoreError> {
                self.$inner.put_photo(hash, files, now)
            }

            fn photo(
                &self,
                hash: $crate::model::PhotoHash,
                width_px: u32,
            ) -> Result<Option<bytes::Bytes>, $crate::store::StoreError> {
                self.$inner.photo(hash, width_px)
            }

            fn remove_unused_photos(
                &self,
                used: &std::collections::HashSet<$crate::model::PhotoHash>,
                before: $crate::model::Timestamp,
            ) -> Result<usize, $crate::store::StoreError> {
                self.$inner.remove_unused_photos(used, before)
            }
        }
    };
}
#[cfg(test)]
pub(crate) use delegate_photos;

/// Returns the photos of `pets`.
pub fn used_photos<'a>(pets: impl IntoIterator<Item = &'a Pet>) -> HashSet<PhotoHash> {
    let photos = pets.into_iter().flat_map(|pet| &pet.photos);
    photos.map(|photo| photo.hash).collect()
}

/// Reads all files of a photo.
///
/// # Errors
/// `Record` if a file is missing, or the files do not have the hash of the photo; the errors of `read`.
pub fn read_files(
    photo: &Photo,
    read: impl Fn(PhotoHash, u32) -> Result<Option<Bytes>, StoreError>,
) -> Result<Vec<PhotoFile>, StoreError> {
    let hash = photo.hash;
    let files = photo.widths_px().map(|width_px| {
        let missing = || StoreError::record(format!("a file of the photo {hash} is missing"));
        let jpeg = read(hash, width_px)?.ok_or_else(missing)?;
        Ok(PhotoFile { width_px, jpeg })
    });
    let files: Vec<PhotoFile> = files.collect::<Result<_, StoreError>>()?;
    if PhotoHash::new(&files) == hash {
        Ok(files)
    } else {
        Err(StoreError::record(format!("the photo {hash} is damaged")))
    }
}
