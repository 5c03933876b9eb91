//! The logo of the rescue.
//!
//! It is one small JPEG file, part of the settings: whatever stores, backs up, exports or sends them to
//! other nodes has the logo too.

use std::fmt;

use bytes::Bytes;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::model::{PhotoFile, PhotoHash};

/// A logo. Records have its file in Base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "LogoRecord", try_from = "LogoRecord")]
pub struct Logo {
    hash: PhotoHash,
    jpeg: Bytes,
    width_px: u32,
    height_px: u32,
}

/// The fields of a logo in records.
#[derive(Serialize, Deserialize)]
struct LogoRecord {
    jpeg: String,
    width: u32,
    height: u32,
}

/// The file cannot be a logo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoError {
    /// The file is too large even at the width of a logo.
    #[error("This picture has too much detail for a logo. Choose a simpler one.")]
    TooLarge,
    /// One side is many times longer than the other.
    #[error(
        "This picture is too narrow for a logo. Choose one whose longer side is at most {} times the shorter one.",
        Logo::MAX_RATIO
    )]
    TooNarrow,
    /// A record has something else than a JPEG file.
    #[error("the logo is not a JPEG file in Base64")]
    NotAFile,
}

impl Logo {
    /// Bytes of the file at most: each node keeps it in memory, and each edit of a setting stores it.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// The longer side is at most this many times the shorter one, so that it can be recognised.
    const MAX_RATIO: u32 = 8;

    /// A logo of a JPEG file, which the pipeline of photos has made.
    ///
    /// # Errors
    /// The reason why this file cannot be a logo.
    pub fn new(jpeg: Bytes, width_px: u32, height_px: u32) -> Result<Self, LogoError> {
        if jpeg.len() > Logo::MAX_BYTES {
            return Err(LogoError::TooLarge);
        }
        let (short, long) = (width_px.min(height_px), width_px.max(height_px));
        if short.saturating_mul(Logo::MAX_RATIO) < long {
            return Err(LogoError::TooNarrow);
        }
        if short == 0 || !jpeg.starts_with(b"\xff\xd8") {
            return Err(LogoError::NotAFile);
        }
        let file = PhotoFile { width_px, jpeg };
        Ok(Logo {
            hash: PhotoHash::new(std::slice::from_ref(&file)),
            jpeg: file.jpeg,
            width_px,
            height_px,
        })
    }

    /// Returns the hash of the file, which names it.
    pub fn hash(&self) -> PhotoHash {
        self.hash
    }

    /// Returns the file.
    pub fn jpeg(&self) -> &Bytes {
        &self.jpeg
    }

    /// Returns the largest width and height that fit into these.
    pub fn fitted(&self, width_px: u32, height_px: u32) -> (u32, u32) {
        let scaled = |a: u32, b: u32, c: u32| (a * b / c).max(1);
        let width_at_height = scaled(self.width_px, height_px, self.height_px);
        if width_at_height <= width_px {
            (width_at_height, height_px)
        } else {
            (width_px, scaled(self.height_px, width_px, self.width_px))
        }
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({})", self.hash)
    }
}

impl From<Logo> for LogoRecord {
    fn from(logo: Logo) -> Self {
        LogoRecord {
            jpeg: BASE64.encode(&logo.jpeg),
            width: logo.width_px,
            height: logo.height_px,
        }
    }
}

impl TryFrom<LogoRecord> for Logo {
    type Error = LogoError;

    fn try_from(record: LogoRecord) -> Result<Self, LogoError> {
        let jpeg = BASE64.decode(record.jpeg.as_bytes());
        let jpeg = jpeg.map_err(|_| LogoError::NotAFile)?;
        Logo::new(jpeg.into(), record.width, record.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jpeg(bytes: usize) -> Bytes {
        let mut file = b"\xff\xd8\xff".to_vec();
        file.resize(bytes, 0);
        file.into()
    }

    #[test]
    fn a_record_has_the_file_and_nothing_else_becomes_a_logo() {
        let logo = Logo::new(jpeg(9), 400, 100).unwrap();
        let record = serde_json::to_string(&logo).unwrap();
        assert_eq!(
            record,
            r#"{"jpeg":"/9j/AAAAAAAA","width":400,"height":100}"#
        );
        assert_eq!(serde_json::from_str::<Logo>(&record).unwrap(), logo);
        for wrong in ["", "AAAA", "/9j", "/9j?"] {
            let record = record.replace("/9j/AAAAAAAA", wrong);
            assert!(serde_json::from_str::<Logo>(&record).is_err(), "{wrong}");
        }
        let flat = record.replace("100", "0");
        assert!(serde_json::from_str::<Logo>(&flat).is_err());
        for (bytes, width, height, error) in [
            (Logo::MAX_BYTES + 1, 400, 400, LogoError::TooLarge),
            (9, 400, 49, LogoError::TooNarrow),
            (9, 49, 400, LogoError::TooNarrow),
        ] {
            assert_eq!(Logo::new(jpeg(bytes), width, height), Err(error));
        }
        let narrow = LogoError::TooNarrow.to_string();
        assert!(
            narrow.ends_with("at most 8 times the shorter one."),
            "{narrow}"
        );
    }

    #[test]
    fn a_logo_keeps_its_shape_in_any_place() {
        let fitted = |width, height| Logo::new(jpeg(9), width, height).unwrap().fitted(144, 36);
        assert_eq!(fitted(400, 400), (36, 36));
        assert_eq!(fitted(400, 200), (72, 36));
        assert_eq!(fitted(400, 50), (144, 18));
        assert_eq!(fitted(16, 100), (5, 36));
    }
}
