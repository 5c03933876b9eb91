//! Writes pictures and files that pretend to be pictures, down to single bits where no encoder would.

use std::io::Cursor;

use flate2::{Compress, Compression, FlushCompress};
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, Rgb, RgbImage};
use image_webp::WebPEncoder;
use png::{BitDepth, ColorType};

/// Colours of the corners of `corners`: top left, top right, bottom left, bottom right.
pub const CORNERS: [[u8; 3]; 4] = [[200, 30, 30], [30, 160, 30], [30, 30, 200], [220, 220, 40]];

/// A picture whose four quarters differ, so that its orientation can be seen.
pub fn corners(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (right, bottom) = (usize::from(x >= width / 2), usize::from(y >= height / 2));
        Rgb(CORNERS[bottom * 2 + right])
    })
}

/// A JPEG file.
pub fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut file = Vec::new();
    let (width, height) = picture.dimensions();
    JpegEncoder::new_with_quality(&mut file, 95)
        .encode(picture, width, height, ExtendedColorType::Rgb8)
        .unwrap();
    file
}

/// Inserts a segment directly after the start of a JPEG file.
pub fn with_segment(jpeg: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, content, &jpeg[2..]].concat()
}

/// A JPEG file with an EXIF orientation, and with the place where it was taken.
pub fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    with_segment(jpeg, 0xe1, &[b"Exif\0\0", &exif(orientation)[..]].concat())
}

/// EXIF data: the orientation, and GPS coordinates.
pub fn exif(orientation: u8) -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        let mut entry = tag.to_le_bytes().to_vec();
        entry.extend(kind.to_le_bytes());
        entry.extend(count.to_le_bytes());
        entry.extend(value.to_le_bytes());
        entry
    };
    let mut data = b"II*\0\x08\0\0\0\x02\0".to_vec();
    data.extend(entry(0x112, 3, 1, orientation.into()));
    data.extend(entry(0x8825, 4, 1, 38));
    data.extend([0; 4]);
    data.extend([1, 0]);
    data.extend(entry(2, 5, 3, 56));
    data.extend([0; 4]);
    for part in [52, 1, 31, 1, 12_345, 1000_u32] {
        data.extend(part.to_le_bytes());
    }
    data.extend(b"GPS-COORDINATES");
    data
}

/// A JPEG file of one colour, of any size and number of components, in a few bits per block.
pub struct PlainJpeg {
    /// Marker of the frame: 0xc0 is sequential, 0xc2 progressive.
    pub frame: u8,
    /// Bits per sample.
    pub precision: u8,
    /// Width and height.
    pub size: (u16, u16),
    /// Value of each component.
    pub values: &'static [u8],
    /// Transform of an Adobe marker.
    pub adobe: Option<u8>,
    /// How often the scan is written.
    pub scans: usize,
}

impl PlainJpeg {
    /// A sequential file.
    pub fn new(size: (u16, u16), values: &'static [u8]) -> Self {
        PlainJpeg {
            frame: 0xc0,
            precision: 8,
            size,
            values,
            adobe: None,
            scans: 1,
        }
    }

    /// Writes the file.
    pub fn write(&self) -> Vec<u8> {
        let count = u8::try_from(self.values.len()).unwrap();
        let components = 1..=count;
        let mut file = vec![0xff, 0xd8];
        if let Some(transform) = self.adobe {
            file.extend([0xff, 0xee, 0, 14]);
            file.extend(b"Adobe\0\x64\0\0\0\0");
            file.push(transform);
        }
        file.extend([0xff, 0xdb, 0, 67, 0]);
        file.extend([8; 64]);
        file.extend([0xff, self.frame, 0, 8 + 3 * count, self.precision]);
        file.extend(self.size.1.to_be_bytes());
        file.extend(self.size.0.to_be_bytes());
        file.push(count);
        components.clone().for_each(|id| file.extend([id, 0x11, 0]));
        // Differences of DC have 12 categories, with codes of 4 bits; AC has one code, the end of a block.
        file.extend([0xff, 0xc4, 0, 31, 0, 0, 0, 0, 12]);
        file.extend([0; 12]);
        file.extend(0..12);
        file.extend([0xff, 0xc4, 0, 20, 0x10, 1]);
        file.extend([0; 16]);
        let is_sequential = self.frame == 0xc0;
        for _ in 0..self.scans {
            file.extend([0xff, 0xda, 0, 6 + 2 * count, count]);
            components.clone().for_each(|id| file.extend([id, 0]));
            file.extend([0, if is_sequential { 63 } else { 0 }, 0]);
            self.write_blocks(&mut file, is_sequential);
        }
        file.extend([0xff, 0xd9]);
        file
    }

    fn write_blocks(&self, file: &mut Vec<u8>, with_ac: bool) {
        let mut bits = Bits::default();
        let blocks = usize::from(self.size.0.div_ceil(8)) * usize::from(self.size.1.div_ceil(8));
        for block in 0..blocks {
            for value in self.values {
                let difference = if block == 0 {
                    i32::from(*value) - 128
                } else {
                    0
                };
                bits.push_difference(file, difference);
                if with_ac {
                    bits.push(file, 0, 1);
                }
            }
        }
        bits.push(file, 0x7f, 7);
    }
}

/// Bits that are not a whole byte yet.
#[derive(Default)]
struct Bits {
    value: u32,
    count: u32,
}

impl Bits {
    fn push_difference(&mut self, file: &mut Vec<u8>, difference: i32) {
        let category = 32 - difference.unsigned_abs().leading_zeros();
        self.push(file, category, 4);
        let low = if difference < 0 {
            difference - 1
        } else {
            difference
        };
        let mask = (1 << category) - 1;
        self.push(file, low.cast_unsigned() & mask, category);
    }

    fn push(&mut self, file: &mut Vec<u8>, bits: u32, count: u32) {
        self.value = self.value << count | bits;
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.value >> self.count) as u8;
            file.push(byte);
            if byte == 0xff {
                file.push(0);
            }
            self.value &= (1 << self.count) - 1;
        }
    }
}

/// A PNG file of rows that all are `row`.
pub fn png(size: (u32, u32), color: ColorType, depth: BitDepth, row: &[u8]) -> Vec<u8> {
    png_with(size, color, depth, row, |_| {})
}

/// As `png`, with changed settings.
pub fn png_with(
    (width, height): (u32, u32),
    color: ColorType,
    depth: BitDepth,
    row: &[u8],
    set: impl FnOnce(&mut png::Encoder<'_, &mut Vec<u8>>),
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.set_compression(png::Compression::Fast);
    set(&mut encoder);
    let mut writer = encoder.write_header().unwrap();
    let mut stream = writer.stream_writer().unwrap();
    for _ in 0..height {
        std::io::Write::write_all(&mut stream, row).unwrap();
    }
    stream.finish().unwrap();
    drop(writer);
    file
}

/// A PNG file of any chunks.
pub fn png_chunks(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, content) in chunks {
        file.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
        file.extend(*name);
        file.extend(*content);
        let mut crc = flate2::Crc::new();
        crc.update(&[&name[..], content].concat());
        file.extend(crc.sum().to_be_bytes());
    }
    file
}

/// The header chunk of a PNG file in 8-bit RGB.
pub fn png_header(width: u32, height: u32, interlaced: bool) -> Vec<u8> {
    let (width, height) = (width.to_be_bytes(), height.to_be_bytes());
    [&width[..], &height, &[8, 2, 0, 0, u8::from(interlaced)]].concat()
}

/// Zero bytes in the zlib format: one compressed block as often as needed, because a debug build
/// compresses slowly.
pub fn deflated_zeros(count: usize) -> Vec<u8> {
    const BLOCK: usize = 1024 * 1024;
    let deflate = |count: usize, flush| {
        let mut deflated = Vec::with_capacity(8 * 1024);
        let mut encoder = Compress::new(Compression::best(), false);
        let zeros = vec![0; count];
        encoder.compress_vec(&zeros, &mut deflated, flush).unwrap();
        assert_eq!(encoder.total_in(), count as u64);
        deflated
    };
    let blocks = deflate(BLOCK, FlushCompress::Sync).repeat(count / BLOCK);
    let end = deflate(count % BLOCK, FlushCompress::Finish);
    let adler32 = (u32::try_from(count % 65_521).unwrap() << 16 | 1).to_be_bytes();
    [&[0x78, 0xda], &blocks[..], &end, &adler32].concat()
}

/// A lossless WebP file of one colour.
pub fn webp(width: u32, height: u32, rgba: [u8; 4]) -> Vec<u8> {
    let mut file = Vec::new();
    let pixels = rgba.repeat((width * height) as usize);
    WebPEncoder::new(Cursor::new(&mut file))
        .encode(&pixels, width, height, image_webp::ColorType::Rgba8)
        .unwrap();
    file
}

/// A WebP file of any chunks, of which the first is its extended header.
pub fn webp_chunks(flags: u8, width: u32, height: u32, chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut header = vec![flags, 0, 0, 0];
    header.extend(&(width - 1).to_le_bytes()[..3]);
    header.extend(&(height - 1).to_le_bytes()[..3]);
    let mut content = b"WEBP".to_vec();
    for (name, chunk) in [(b"VP8X", &header[..])].iter().chain(chunks) {
        content.extend(*name);
        content.extend(u32::try_from(chunk.len()).unwrap().to_le_bytes());
        content.extend(*chunk);
        content.extend(&[0][..chunk.len() % 2]);
    }
    let length = u32::try_from(content.len()).unwrap().to_le_bytes();
    [b"RIFF", &length[..], &content].concat()
}
