//! Reads the size of a picture from the header of its file, and checks it against the limits.

use std::io::Cursor;

use image::metadata::Orientation;
use image_webp::WebPDecoder;

use super::decode::png_reader;
use super::format::PhotoFormat;
use super::resize::target_size;
use super::{MAX_DECODE_BYTES, MAX_PIXELS, PhotoError, SIDES_PX};

/// Scans of a JPEG file. A progressive file of a camera or an editor has about ten. Each may go over
/// all pixels, with a few bytes: thousands of them would occupy a core for minutes.
const MAX_SCANS: usize = 100;

/// The header of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhotoHeader {
    /// Width as it is stored.
    pub width_px: u32,
    /// Height as it is stored.
    pub height_px: u32,
    /// How the camera was held.
    pub orientation: Orientation,
    /// Memory that decoding needs at most.
    pub decode_bytes: u64,
}

impl PhotoHeader {
    /// Checks the size and the memory against the limits.
    ///
    /// # Errors
    /// The limit that the picture exceeds.
    pub fn check(&self) -> Result<(), PhotoError> {
        let PhotoHeader {
            width_px,
            height_px,
            ..
        } = *self;
        let pixels = u64::from(width_px) * u64::from(height_px);
        if !SIDES_PX.contains(&width_px) || !SIDES_PX.contains(&height_px) {
            return Err(PhotoError::SideOutOfRange {
                width_px,
                height_px,
            });
        }
        if pixels > MAX_PIXELS {
            return Err(PhotoError::TooManyPixels { pixels });
        }
        if self.decode_bytes > MAX_DECODE_BYTES {
            return Err(PhotoError::TooMuchMemory);
        }
        Ok(())
    }

    /// Returns the size of the largest file, as the picture is stored.
    pub fn target_size(&self) -> (u32, u32) {
        target_size(self.width_px, self.height_px, self.orientation)
    }
}

/// Reads the header of a file.
///
/// # Errors
/// `Damaged`, `Animation`, or `OtherFormat` for a variant that is not supported.
pub fn read(format: PhotoFormat, bytes: &[u8]) -> Result<PhotoHeader, PhotoError> {
    match format {
        PhotoFormat::Jpeg => read_jpeg(bytes),
        PhotoFormat::Png => read_png(bytes),
        PhotoFormat::WebP => read_webp(bytes),
    }
}

fn orientation(exif: Option<&[u8]>) -> Orientation {
    let orientation = exif.and_then(Orientation::from_exif_chunk);
    orientation.unwrap_or(Orientation::NoTransforms)
}

fn read_jpeg(bytes: &[u8]) -> Result<PhotoHeader, PhotoError> {
    let scans = bytes.windows(2).filter(|pair| pair == b"\xff\xda").count();
    if scans > MAX_SCANS {
        return Err(PhotoError::TooMuchMemory);
    }
    let frame = JpegFrame::find(bytes).ok_or(PhotoError::Damaged)?;
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    decoder.read_info().map_err(|error| match error {
        jpeg_decoder::Error::Unsupported(_) => PhotoError::OtherFormat("This kind of JPEG"),
        _ => PhotoError::Damaged,
    })?;
    let orientation = orientation(decoder.exif_data());
    let (width, height) = target_size(frame.width_px, frame.height_px, orientation);
    // The decoder reduces by 1, 2, 4 or 8, to at least the target.
    let reduction = [8, 4, 2].into_iter().find(|reduction| {
        frame.width_px / reduction >= width && frame.height_px / reduction >= height
    });
    let reduction = u64::from(reduction.unwrap_or(1)).pow(2);
    let pixels = u64::from(frame.width_px) * u64::from(frame.height_px);
    // Planes, and the picture that is made of them.
    let planes = pixels / reduction * 2 * frame.sampling.len() as u64;
    Ok(PhotoHeader {
        width_px: frame.width_px,
        height_px: frame.height_px,
        orientation,
        decode_bytes: planes
            + if frame.is_sequential {
                0
            } else {
                frame.coefficient_bytes()
            },
    })
}

/// The frame header of a JPEG file (SOF; ITU-T T.81, B.2.2).
struct JpegFrame {
    is_sequential: bool,
    width_px: u32,
    height_px: u32,
    /// Horizontal times vertical sampling factor of each component.
    sampling: Vec<u64>,
}

impl JpegFrame {
    fn find(bytes: &[u8]) -> Option<Self> {
        let mut at = 2;
        loop {
            // Any number of fill bytes may precede a marker.
            while bytes.get(at)? == &0xff {
                at += 1;
            }
            let marker = bytes[at];
            let length = usize::from(u16::from_be_bytes(*bytes.get(at + 1..)?.first_chunk()?));
            let segment = bytes.get(at + 3..at + 1 + length)?;
            // DHT, JPG and DAC have numbers among those of the frames.
            let is_frame = matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
            if is_frame {
                return JpegFrame::parse(marker, segment);
            }
            if marker == 0xda {
                return None;
            }
            at += 1 + length;
            if bytes.get(at)? != &0xff {
                return None;
            }
        }
    }

    fn parse(marker: u8, segment: &[u8]) -> Option<Self> {
        let number = |at: usize| {
            Some(u32::from(u16::from_be_bytes(
                *segment.get(at..)?.first_chunk()?,
            )))
        };
        let components = segment.get(6..)?.chunks_exact(3);
        Some(JpegFrame {
            is_sequential: matches!(marker, 0xc0 | 0xc1),
            height_px: number(1)?,
            width_px: number(3)?,
            sampling: components
                .map(|component| u64::from(component[1] >> 4) * u64::from(component[1] & 15))
                .collect(),
        })
    }

    /// Memory of all coefficients, which a decoder keeps until the last scan.
    fn coefficient_bytes(&self) -> u64 {
        const BYTES: u64 = 2;
        let largest = self.sampling.iter().copied().max().unwrap_or(1).max(1);
        let samples = self.sampling.iter().sum::<u64>();
        u64::from(self.width_px) * u64::from(self.height_px) * BYTES * samples / largest
    }
}

fn read_png(bytes: &[u8]) -> Result<PhotoHeader, PhotoError> {
    let reader = png_reader(bytes)?;
    let info = reader.info();
    if info.animation_control.is_some() {
        return Err(PhotoError::Animation);
    }
    let pixels = u64::from(info.width) * u64::from(info.height);
    // Rows of an interlaced picture come in no order, so all of them are kept.
    let kept = if info.interlaced { pixels * 4 } else { 0 };
    let orientation = orientation(info.exif_metadata.as_deref());
    let (width, height) = target_size(info.width, info.height, orientation);
    Ok(PhotoHeader {
        width_px: info.width,
        height_px: info.height,
        orientation,
        // The picture is reduced to less than twice the target while it is read.
        decode_bytes: kept + 4 * 3 * u64::from(width) * u64::from(height),
    })
}

fn read_webp(bytes: &[u8]) -> Result<PhotoHeader, PhotoError> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|_| PhotoError::Damaged)?;
    if decoder.is_animated() {
        return Err(PhotoError::Animation);
    }
    let (width_px, height_px) = decoder.dimensions();
    let exif = decoder.exif_metadata().map_err(|_| PhotoError::Damaged)?;
    // Bytes per pixel: planes or a picture with alpha, the picture, and a separate plane of alpha.
    let per_pixel = match (decoder.has_alpha(), decoder.is_lossy()) {
        (true, _) => 11,
        (false, true) => 5,
        (false, false) => 7,
    };
    Ok(PhotoHeader {
        width_px,
        height_px,
        orientation: orientation(exif.as_deref()),
        decode_bytes: u64::from(width_px) * u64::from(height_px) * per_pixel,
    })
}
