//! Edits of the photos of a pet: their order, their texts, and which stay.

use super::{Photo, PhotoHash};

/// An edit of the photos of a pet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoEdit {
    /// Photos in their new order, each with its new alternative text if that changes.
    pub listed: Vec<(PhotoHash, Option<String>)>,
    /// Tells whether the other photos stay.
    pub unlisted: UnlistedPhotos,
}

/// Rule for photos that an edit does not list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnlistedPhotos {
    /// They are removed: the list is complete.
    Remove,
    /// They follow the others, except for these, which are removed. Somebody else may have added them since
    /// the author of the edit saw the photos.
    KeepExcept(Vec<PhotoHash>),
}

/// The edit lists a photo that the pet does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownPhoto;

impl PhotoEdit {
    /// Returns the photos after the edit. A listed photo that is gone is passed over, unless the list is
    /// meant to be complete.
    ///
    /// # Errors
    /// `UnknownPhoto`.
    pub fn apply(&self, photos: &[Photo]) -> Result<Vec<Photo>, UnknownPhoto> {
        let mut left = photos.to_vec();
        let mut edited = Vec::with_capacity(left.len());
        for (hash, alt) in &self.listed {
            let Some(place) = left.iter().position(|photo| photo.hash == *hash) else {
                if self.unlisted == UnlistedPhotos::Remove {
                    return Err(UnknownPhoto);
                }
                continue;
            };
            let mut photo = left.remove(place);
            if let Some(alt) = alt {
                photo.alt.clone_from(alt);
            }
            edited.push(photo);
        }
        if let UnlistedPhotos::KeepExcept(removed) = &self.unlisted {
            edited.extend(left);
            edited.retain(|photo| !removed.contains(&photo.hash));
        }
        Ok(edited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo(number: u128) -> Photo {
        Photo {
            hash: PhotoHash::from_bits(number),
            alt: String::new(),
            width_px: 400,
            height_px: 300,
            added: None,
        }
    }

    fn applied(listed: &[u128], unlisted: UnlistedPhotos) -> Result<Vec<u128>, UnknownPhoto> {
        let listed = listed
            .iter()
            .map(|number| (PhotoHash::from_bits(*number), None));
        let listed = listed.collect();
        let photos = [1, 2, 3].map(photo);
        let edited = PhotoEdit { listed, unlisted }.apply(&photos)?;
        Ok(edited.iter().map(|photo| photo.hash.bits()).collect())
    }

    #[test]
    fn a_complete_list_removes_the_others_and_must_be_known() {
        let remove = UnlistedPhotos::Remove;
        assert_eq!(applied(&[3, 1], remove.clone()), Ok(vec![3, 1]));
        assert_eq!(applied(&[3, 3], remove.clone()), Err(UnknownPhoto));
        assert_eq!(applied(&[9], remove), Err(UnknownPhoto));
    }

    #[test]
    fn an_edit_of_a_form_keeps_what_somebody_else_added() {
        let except = |removed: &[u128]| {
            let removed = removed.iter().map(|number| PhotoHash::from_bits(*number));
            UnlistedPhotos::KeepExcept(removed.collect())
        };
        assert_eq!(applied(&[2, 1], except(&[])), Ok(vec![2, 1, 3]));
        assert_eq!(applied(&[2, 1, 9], except(&[1])), Ok(vec![2, 3]));
    }
}
