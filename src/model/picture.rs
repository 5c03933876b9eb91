//! Turns the file that somebody sends into the files of a photo.
//!
//! The kind of a file follows from its content, not from its name. Its limits are checked against its
//! header, before a pixel is decoded (`format`, `header`). `decode` reads it at about the size that is
//! needed, so that 60 megapixels take less memory than 100 MB, and `resize` turns it upright and writes
//! JPEG files in three widths. They are made of pixels alone: no metadata of the camera, and no byte
//! behind the end of the picture, gets into them. Nothing here knows pets, HTTP or the store.

mod decode;
mod error;
mod format;
mod header;
mod resize;

pub use self::error::PhotoError;
use self::format::PhotoFormat;
use self::header::PhotoHeader;
use crate::model::{PhotoFile, PhotoHash};

/// Bytes of a file at most.
pub const MAX_FILE_BYTES: usize = 20 * 1024 * 1024;

/// Pixels of a picture at most.
pub const MAX_PIXELS: u64 = 60_000_000;

/// Pixels of the shortest and the longest side of a picture.
pub const SIDES_PX: std::ops::RangeInclusive<u32> = 16..=20_000;

/// Memory that one picture may need while it is decoded.
pub const MAX_DECODE_BYTES: u64 = 100 * 1024 * 1024;

/// A photo that is ready to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedPhoto {
    /// Name of the files.
    pub hash: PhotoHash,
    /// Width of the largest file.
    pub width_px: u32,
    /// Height of the largest file.
    pub height_px: u32,
    /// The files, smallest first.
    pub files: Vec<PhotoFile>,
}

/// A file within all limits, of which only the header was read.
#[derive(Debug)]
pub struct CheckedFile<'a> {
    bytes: &'a [u8],
    format: PhotoFormat,
    header: PhotoHeader,
}

impl<'a> CheckedFile<'a> {
    /// Reads the header of a file and checks it against the limits.
    ///
    /// # Errors
    /// The reason why this file cannot become a photo, in words for the person who sent it.
    pub fn new(bytes: &'a [u8]) -> Result<Self, PhotoError> {
        if bytes.len() > MAX_FILE_BYTES {
            return Err(PhotoError::FileTooLarge);
        }
        let format = format::detect(bytes)?;
        let header = header::read(format, bytes)?;
        header.check()?;
        Ok(CheckedFile {
            bytes,
            format,
            header,
        })
    }

    /// Returns the memory that `prepare` needs at most, in bytes.
    pub fn decode_bytes(&self) -> u64 {
        self.header.decode_bytes
    }

    /// Decodes the picture and makes the files of the photo. Takes up to a second of a core.
    ///
    /// # Errors
    /// `Damaged` if the file ends early or contradicts itself.
    pub fn prepare(&self) -> Result<PreparedPhoto, PhotoError> {
        let decoded = decode::decode(self.format, &self.header, self.bytes)?;
        resize::make_files(decoded, &self.header)
    }
}
