//! Makes the files of a photo: upright, in three widths, as JPEG.

use bytes::Bytes;
use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, RgbImage};

use super::header::PhotoHeader;
use super::{PhotoError, PreparedPhoto};
use crate::model::{Photo, PhotoFile, PhotoHash, widths_up_to};

/// Largest height of a file: a picture that is much taller than wide is made narrower.
const MAX_HEIGHT_PX: u32 = 2000;

/// Quality of the files. A file that is larger than `FILE_BYTES` is made again with the next one.
const QUALITIES: [u8; 4] = [80, 70, 55, 40];
const FILE_BYTES: usize = 1024 * 1024;

/// Returns the size of the largest file before the picture is turned upright. No picture is enlarged.
pub fn target_size(width_px: u32, height_px: u32, orientation: Orientation) -> (u32, u32) {
    let widest = Photo::WIDTHS_PX[Photo::WIDTHS_PX.len() - 1];
    let (max_width, max_height) = if is_sideways(orientation) {
        (MAX_HEIGHT_PX, widest)
    } else {
        (widest, MAX_HEIGHT_PX)
    };
    let scale = |side: u32, max: u32| f64::from(max) / f64::from(side.max(1));
    let scale = scale(width_px, max_width)
        .min(scale(height_px, max_height))
        .min(1.0);
    let side = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
    (side(width_px), side(height_px))
}

fn is_sideways(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

/// Makes the files of a decoded picture.
///
/// # Errors
/// `Damaged` if the picture has no pixels.
pub fn make_files(decoded: RgbImage, header: &PhotoHeader) -> Result<PreparedPhoto, PhotoError> {
    let (width, height) = header.target_size();
    let mut largest = DynamicImage::from(resize(decoded, width, height)?);
    largest.apply_orientation(header.orientation);
    let mut picture = largest.into_rgb8();
    let (width_px, height_px) = picture.dimensions();
    let mut files = vec![encode(&picture)?];
    // Each width is made from the one above it.
    let smaller: Vec<u32> = widths_up_to(width_px)
        .filter(|width| *width < width_px)
        .collect();
    for width in smaller.into_iter().rev() {
        let height = (f64::from(height_px) * f64::from(width) / f64::from(width_px)).round();
        picture = resize(picture, width, (height as u32).max(1))?;
        files.push(encode(&picture)?);
    }
    files.reverse();
    Ok(PreparedPhoto {
        hash: PhotoHash::new(&files),
        width_px,
        height_px,
        files,
    })
}

fn resize(picture: RgbImage, width: u32, height: u32) -> Result<RgbImage, PhotoError> {
    if picture.dimensions() == (width, height) {
        return Ok(picture);
    }
    let damaged = || PhotoError::Damaged;
    let (from_width, from_height) = picture.dimensions();
    let from = Image::from_vec_u8(from_width, from_height, picture.into_raw(), PixelType::U8x3);
    let mut to = Image::new(width, height, PixelType::U8x3);
    let filter = ResizeAlg::Convolution(FilterType::Lanczos3);
    let options = ResizeOptions::new().resize_alg(filter);
    let resized = Resizer::new().resize(&from.map_err(|_| damaged())?, &mut to, &options);
    resized.map_err(|_| damaged())?;
    RgbImage::from_raw(width, height, to.into_vec()).ok_or_else(damaged)
}

fn encode(picture: &RgbImage) -> Result<PhotoFile, PhotoError> {
    let mut jpeg = Vec::new();
    for quality in QUALITIES {
        jpeg.clear();
        let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, quality);
        let (width, height) = picture.dimensions();
        let encoded = encoder.encode(picture, width, height, ExtendedColorType::Rgb8);
        encoded.map_err(|_| PhotoError::Damaged)?;
        if jpeg.len() <= FILE_BYTES {
            break;
        }
    }
    Ok(PhotoFile {
        width_px: picture.width(),
        jpeg: Bytes::from(jpeg),
    })
}
