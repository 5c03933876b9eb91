//! Detects the format of a file from its first bytes.

use super::PhotoError;

/// A format that photos are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhotoFormat {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
}

/// First bytes of other formats, with their names.
const OTHER_FORMATS: [(&[u8], &str); 9] = [
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"%PDF", "PDF"),
    (b"8BPS", "Photoshop"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\x01\0", "ICO"),
];

/// Bytes among which the first element of an SVG file is looked for.
const SVG_BYTES: usize = 1024;

/// Returns the format of a file.
///
/// # Errors
/// Names the format of another kind of file.
pub fn detect(bytes: &[u8]) -> Result<PhotoFormat, PhotoError> {
    if bytes.is_empty() {
        return Err(PhotoError::Empty);
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return Ok(PhotoFormat::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(PhotoFormat::Png);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Ok(PhotoFormat::WebP);
    }
    Err(other_format(bytes))
}

fn other_format(bytes: &[u8]) -> PhotoError {
    if bytes.get(4..8) == Some(b"ftyp") {
        return match bytes.get(8..12).unwrap_or_default() {
            b"heic" | b"heix" | b"hevc" | b"heim" | b"heis" | b"mif1" | b"msf1" => PhotoError::Heic,
            b"avif" | b"avis" => PhotoError::OtherFormat("AVIF"),
            b"crx " => PhotoError::OtherFormat("Camera raw"),
            _ => PhotoError::Video,
        };
    }
    let mut formats = OTHER_FORMATS.iter();
    if let Some((_, name)) = formats.find(|(start, _)| bytes.starts_with(start)) {
        return PhotoError::OtherFormat(name);
    }
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(SVG_BYTES)]);
    if start.contains("<svg") {
        return PhotoError::OtherFormat("SVG");
    }
    PhotoError::NotAPicture
}
