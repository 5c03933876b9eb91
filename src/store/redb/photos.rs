//! The files of photos in tables of their own. The first photo creates them.

use std::collections::HashSet;

use bytes::Bytes;
use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};

use super::errors::{read, write};
use super::tables::open_if_present;
use crate::model::{Pet, PhotoFile, PhotoHash, Timestamp};
use crate::store::StoreError;
use crate::store::photos::{read_files, used_photos};

/// Files by hash and width.
pub const PHOTOS: TableDefinition<(u128, u32), &[u8]> = TableDefinition::new("photos");

/// When each photo was stored, in microseconds since the Unix epoch.
pub const PHOTO_TIMES: TableDefinition<u128, i64> = TableDefinition::new("photo-times");

/// Writes the files of a photo, unless they are there, and when they were stored.
pub fn put(
    writing: &WriteTransaction,
    hash: PhotoHash,
    files: &[PhotoFile],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut photos = writing.open_table(PHOTOS).map_err(write)?;
    let mut times = writing.open_table(PHOTO_TIMES).map_err(write)?;
    let earlier = times.insert(hash.bits(), now.micros()).map_err(write)?;
    if earlier.is_none() {
        for file in files {
            let key = (hash.bits(), file.width_px);
            photos.insert(key, &file.jpeg[..]).map_err(write)?;
        }
    }
    Ok(())
}

/// Reads the file of a photo with this width.
pub fn photo(
    reading: &ReadTransaction,
    hash: PhotoHash,
    width_px: u32,
) -> Result<Option<Bytes>, StoreError> {
    let Some(photos) = open_if_present(reading, PHOTOS)? else {
        return Ok(None);
    };
    let file = photos.get((hash.bits(), width_px)).map_err(read)?;
    Ok(file.map(|file| Bytes::copy_from_slice(file.value())))
}

/// Returns the photos that are not `used` and were stored before `before`.
pub fn unused(
    reading: &ReadTransaction,
    used: &HashSet<PhotoHash>,
    before: Timestamp,
) -> Result<Vec<PhotoHash>, StoreError> {
    let Some(times) = open_if_present(reading, PHOTO_TIMES)? else {
        return Ok(Vec::new());
    };
    let mut unused = Vec::new();
    for row in times.iter().map_err(read)? {
        let (hash, stored) = row.map_err(read)?;
        let hash = PhotoHash::from_bits(hash.value());
        if stored.value() < before.micros() && !used.contains(&hash) {
            unused.push(hash);
        }
    }
    Ok(unused)
}

/// Removes those of `photos` that were not stored again since `before`.
pub fn remove(
    writing: &WriteTransaction,
    photos: &[PhotoHash],
    before: Timestamp,
) -> Result<usize, StoreError> {
    let mut files = writing.open_table(PHOTOS).map_err(write)?;
    let mut times = writing.open_table(PHOTO_TIMES).map_err(write)?;
    let mut removed = 0;
    for hash in photos {
        let stored = times.get(hash.bits()).map_err(write)?;
        let is_old = stored.is_some_and(|stored| stored.value() < before.micros());
        if is_old {
            let range = (hash.bits(), 0)..=(hash.bits(), u32::MAX);
            files.retain_in(range, |_, _| false).map_err(write)?;
            times.remove(hash.bits()).map_err(write)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Checks that the files of every photo of `pets` are there, and have the photo's hash.
///
/// # Errors
/// `Record` with the first one that is missing or damaged; `Read`.
pub fn check(reading: &ReadTransaction, pets: &[Pet]) -> Result<(), StoreError> {
    let mut left = used_photos(pets);
    let photos = pets.iter().flat_map(|pet| &pet.photos);
    for of_pet in photos.filter(|photo| left.remove(&photo.hash)) {
        read_files(of_pet, |hash, width_px| photo(reading, hash, width_px))?;
    }
    Ok(())
}
