//! Reasons why a file cannot become a photo, in words for the person who sent it.

use super::{MAX_PIXELS, SIDES_PX};

/// The reason why a file cannot become a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    /// The file has no bytes.
    #[error("This file is empty. Choose a photo.")]
    Empty,
    /// The file has too many bytes.
    #[error("This file is larger than 20 MB. Make the photo smaller and send it again.")]
    FileTooLarge,
    /// HEIC, as iPhones write it.
    #[error(
        "Browsers can't show HEIC photos. Export this one as JPEG. To take JPEG photos on an iPhone, \
         open Settings › Camera › Formats and choose Most Compatible."
    )]
    Heic,
    /// A picture in another format.
    #[error("{0} is not supported. Save the photo as JPEG, PNG or WebP.")]
    OtherFormat(&'static str),
    /// A video.
    #[error("This is a video. Choose a photo: JPEG, PNG or WebP.")]
    Video,
    /// The content is not a picture.
    #[error("This is not a photo. Choose a JPEG, PNG or WebP file.")]
    NotAPicture,
    /// The picture moves.
    #[error("This is an animation. Choose a photo, or save one frame of it.")]
    Animation,
    /// The picture has too many pixels.
    #[error(
        "This photo has {} megapixels; up to {} are allowed. Make it smaller and send it again.",
        pixels.div_ceil(1_000_000),
        MAX_PIXELS / 1_000_000
    )]
    TooManyPixels {
        /// Pixels of the picture.
        pixels: u64,
    },
    /// A side is too short or too long.
    #[error(
        "This photo has {width_px} × {height_px} pixels; each side must have {} to {}.",
        SIDES_PX.start(),
        SIDES_PX.end()
    )]
    SideOutOfRange {
        /// Width of the picture.
        width_px: u32,
        /// Height of the picture.
        height_px: u32,
    },
    /// The format needs too much memory for this many pixels.
    #[error(
        "This photo is too large in this form. Save it as a standard JPEG, or make it smaller."
    )]
    TooMuchMemory,
    /// The file ends early or contradicts itself.
    #[error(
        "This file is damaged or incomplete. Send it again, or export the photo as JPEG again."
    )]
    Damaged,
}
