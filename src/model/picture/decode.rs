//! Decodes a picture to RGB, at its size or reduced while it is read.

mod reduce;

use std::io::Cursor;

use image::RgbImage;
use image_webp::WebPDecoder;
use jpeg_decoder::PixelFormat;
use png::{BitDepth, ColorType, Transformations};

use self::reduce::Reducer;
use super::PhotoError;
use super::format::PhotoFormat;
use super::header::PhotoHeader;

/// Memory that the PNG decoder may use beside the rows: for chunks of metadata.
const PNG_CHUNK_BYTES: usize = 32 * 1024 * 1024;

/// Decodes a picture. The result is at least as large as the target of `header`, and not upright yet.
///
/// # Errors
/// `Damaged`.
pub fn decode(
    format: PhotoFormat,
    header: &PhotoHeader,
    bytes: &[u8],
) -> Result<RgbImage, PhotoError> {
    match format {
        PhotoFormat::Jpeg => decode_jpeg(header, bytes),
        PhotoFormat::Png => decode_png(header, bytes),
        PhotoFormat::WebP => decode_webp(header, bytes),
    }
}

fn decode_jpeg(header: &PhotoHeader, bytes: &[u8]) -> Result<RgbImage, PhotoError> {
    let damaged = |_| PhotoError::Damaged;
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    let (width, height) = header.target_size();
    // Sides of a JPEG file have 16 bits.
    let (width, height) = decoder
        .scale(width as u16, height as u16)
        .map_err(damaged)?;
    let pixels = decoder.decode().map_err(damaged)?;
    let format = decoder.info().map(|info| info.pixel_format);
    let rgb = match format.ok_or(PhotoError::Damaged)? {
        PixelFormat::RGB24 => pixels,
        PixelFormat::L8 => pixels.into_iter().flat_map(|gray| [gray; 3]).collect(),
        // Lossless pictures of medicine, in the byte order of the machine.
        PixelFormat::L16 => pixels
            .chunks_exact(2)
            .flat_map(|pair| [u16::from_ne_bytes([pair[0], pair[1]]).to_be_bytes()[0]; 3])
            .collect(),
        PixelFormat::CMYK32 => pixels.chunks_exact(4).flat_map(rgb_from_cmyk).collect(),
    };
    RgbImage::from_raw(width.into(), height.into(), rgb).ok_or(PhotoError::Damaged)
}

/// Converts amounts of ink to light, without a profile of the printer.
fn rgb_from_cmyk(pixel: &[u8]) -> [u8; 3] {
    let light = |ink: u8| u16::from(255 - ink);
    let channel = |ink: u8| (light(ink) * light(pixel[3]) / 255) as u8;
    [channel(pixel[0]), channel(pixel[1]), channel(pixel[2])]
}

/// Opens a PNG file, whose rows are then read as 8-bit colours or grays, with or without alpha.
///
/// # Errors
/// `Damaged`.
pub fn png_reader(bytes: &[u8]) -> Result<png::Reader<Cursor<&[u8]>>, PhotoError> {
    let limits = png::Limits {
        bytes: PNG_CHUNK_BYTES,
    };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.read_info().map_err(|_| PhotoError::Damaged)
}

fn decode_png(header: &PhotoHeader, bytes: &[u8]) -> Result<RgbImage, PhotoError> {
    let damaged = |_| PhotoError::Damaged;
    let mut reader = png_reader(bytes)?;
    let (color, depth) = reader.output_color_type();
    if depth != BitDepth::Eight {
        return Err(PhotoError::Damaged);
    }
    let mut reducer = Reducer::new(header);
    let mut add = |row: &[u8]| match color {
        ColorType::Grayscale => reducer.add_row(row.iter().map(|gray| [*gray; 3])),
        ColorType::GrayscaleAlpha => reducer.add_row(
            row.chunks_exact(2)
                .map(|pixel| on_white([pixel[0]; 3], pixel[1])),
        ),
        ColorType::Rgba => reducer.add_row(rgba_on_white(row)),
        ColorType::Rgb | ColorType::Indexed => {
            reducer.add_row(row.chunks_exact(3).map(|rgb| [rgb[0], rgb[1], rgb[2]]));
        }
    };
    if reader.info().interlaced {
        let size = reader.output_buffer_size().ok_or(PhotoError::Damaged)?;
        let mut pixels = vec![0; size];
        let frame = reader.next_frame(&mut pixels).map_err(damaged)?;
        pixels.chunks_exact(frame.line_size).for_each(add);
    } else {
        while let Some(row) = reader.next_row().map_err(damaged)? {
            add(row.data());
        }
    }
    reducer.finish()
}

fn decode_webp(header: &PhotoHeader, bytes: &[u8]) -> Result<RgbImage, PhotoError> {
    let damaged = |_| PhotoError::Damaged;
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
    let size = decoder.output_buffer_size().ok_or(PhotoError::Damaged)?;
    let mut pixels = vec![0; size];
    decoder.read_image(&mut pixels).map_err(damaged)?;
    if decoder.has_alpha() {
        let mut reducer = Reducer::new(header);
        for row in pixels.chunks_exact(header.width_px as usize * 4) {
            reducer.add_row(rgba_on_white(row));
        }
        return reducer.finish();
    }
    RgbImage::from_raw(header.width_px, header.height_px, pixels).ok_or(PhotoError::Damaged)
}

fn rgba_on_white(row: &[u8]) -> impl Iterator<Item = [u8; 3]> {
    let pixels = row.chunks_exact(4);
    pixels.map(|pixel| on_white([pixel[0], pixel[1], pixel[2]], pixel[3]))
}

/// Lays a pixel with alpha on white paper: JPEG has no alpha.
fn on_white(rgb: [u8; 3], alpha: u8) -> [u8; 3] {
    let alpha = u16::from(alpha);
    rgb.map(|light| ((u16::from(light) * alpha + 255 * (255 - alpha)) / 255) as u8)
}
