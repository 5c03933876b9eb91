//! Photos of pets: what is known about each, apart from its files.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::{FieldError, Timestamp, check_line};

const HASH_BYTES: usize = 16;

/// Name of a photo: the first 128 bits of the SHA-256 of its files, so that the files of a name never
/// change. Written as 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhotoHash([u8; HASH_BYTES]);

impl PhotoHash {
    /// Computes the hash of files.
    pub fn new(files: &[PhotoFile]) -> Self {
        let mut hash = Sha256::new();
        for file in files {
            hash.update(&file.jpeg);
        }
        let mut first = [0; HASH_BYTES];
        first.copy_from_slice(&hash.finalize()[..HASH_BYTES]);
        PhotoHash(first)
    }

    /// Wraps the bits of a hash.
    pub const fn from_bits(bits: u128) -> Self {
        PhotoHash(bits.to_be_bytes())
    }

    /// Returns the bits.
    pub const fn bits(self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

impl fmt::Display for PhotoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for PhotoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not the hash of a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hash of a photo has 32 lower-case hex digits")]
pub struct PhotoHashError;

impl FromStr for PhotoHash {
    type Err = PhotoHashError;

    fn from_str(text: &str) -> Result<Self, PhotoHashError> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(PhotoHash).ok_or(PhotoHashError)
    }
}

impl Serialize for PhotoHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PhotoHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A photo of a pet. Records have its fields under these names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Photo {
    /// Name of the files.
    pub hash: PhotoHash,
    /// Text for those who do not see the photo. If it is empty, `Profile::title` is used.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub alt: String,
    /// Width of the largest file.
    #[serde(rename = "width")]
    pub width_px: u32,
    /// Height of the largest file.
    #[serde(rename = "height")]
    pub height_px: u32,
    /// Time of the change that added the photo; `None` if an earlier version added it. In microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "micros")]
    pub added: Option<Timestamp>,
}

/// A time of a record.
mod micros {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::model::Timestamp;

    #[expect(clippy::ref_option, reason = "serde passes the field by reference")]
    pub fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(Timestamp::micros).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let micros = Option::<i64>::deserialize(deserializer)?;
        Ok(micros.map(Timestamp::from_micros))
    }
}

impl Photo {
    /// Photos that a pet has at most.
    pub const MAX_PER_PET: usize = 8;

    /// Longest alternative text, in characters.
    pub const ALT_LIMIT: usize = 200;

    /// Widths of the files: a card, a page on a phone, and a page on a large screen.
    pub const WIDTHS_PX: [u32; 3] = [400, 800, 1600];

    /// Returns the widths of the files, smallest first. The last one is that of the largest file.
    pub fn widths_px(&self) -> impl Iterator<Item = u32> {
        widths_up_to(self.width_px)
    }

    /// Checks an alternative text.
    ///
    /// # Errors
    /// The rule that the text breaks, at the field `alt`.
    pub fn check_alt(text: &str) -> Result<String, FieldError> {
        let text = text.trim();
        check_line(text, Photo::ALT_LIMIT).map_err(|message| FieldError::new("alt", message))?;
        Ok(text.to_owned())
    }
}

/// Returns the widths of the files of a photo with this width. No file is wider than the photo.
pub fn widths_up_to(width_px: u32) -> impl Iterator<Item = u32> {
    let smaller = Photo::WIDTHS_PX.into_iter();
    let smaller = smaller.filter(move |width| *width < width_px);
    smaller.chain(std::iter::once(width_px))
}

/// A photo in one width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoFile {
    /// Width of the photo.
    pub width_px: u32,
    /// The file, without metadata.
    pub jpeg: Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_one_spelling_and_follows_the_files() {
        let file = |width_px, jpeg: &'static [u8]| PhotoFile {
            width_px,
            jpeg: Bytes::from_static(jpeg),
        };
        let hash = PhotoHash::new(&[file(400, b"a"), file(800, b"b")]);
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(PhotoHash::from_bits(hash.bits()), hash);
        assert_ne!(hash, PhotoHash::new(&[file(400, b"a")]));
        let text = hash.to_string();
        for wrong in [
            "",
            "00",
            &text[1..],
            &text.to_uppercase(),
            "z".repeat(32).as_str(),
        ] {
            assert_eq!(wrong.parse::<PhotoHash>(), Err(PhotoHashError), "{wrong:?}");
        }
    }

    #[test]
    fn the_record_of_an_earlier_version_has_no_time() {
        let before = r#"{"hash":"00000000000000000000000000000007","width":400,"height":300}"#;
        let photo: Photo = serde_json::from_str(before).unwrap();
        assert_eq!(photo.added, None);
        assert_eq!(serde_json::to_string(&photo).unwrap(), before);
        let added = Photo {
            added: Some(Timestamp::from_micros(5)),
            ..photo
        };
        let record = serde_json::to_string(&added).unwrap();
        assert!(record.ends_with(r#","added":5}"#), "{record}");
        assert_eq!(serde_json::from_str::<Photo>(&record).unwrap(), added);
    }

    #[test]
    fn no_file_is_wider_than_the_photo() {
        let widths = |width_px| widths_up_to(width_px).collect::<Vec<_>>();
        assert_eq!(widths(1600), [400, 800, 1600]);
        assert_eq!(widths(1000), [400, 800, 1000]);
        assert_eq!(widths(800), [400, 800]);
        assert_eq!(widths(64), [64]);
    }
}
