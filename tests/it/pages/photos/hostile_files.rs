//! Files as nobody should send them, each with its answer.

use image::RgbImage;
use pet_store::model::picture::{MAX_FILE_BYTES, PhotoError};
use png::{BitDepth, ColorType};

use super::files::{
    CORNERS, PlainJpeg, corners, deflated_zeros, exif, jpeg, png, png_chunks, png_header, png_with,
    webp, webp_chunks, with_exif, with_segment,
};

/// The answer to a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// The file is refused.
    Refused(PhotoError),
    /// A photo of this size, with about this colour in its middle.
    Photo(u32, u32, [u8; 3]),
}

use Answer::{Photo, Refused};

const RED: [u8; 3] = [200, 30, 30];
const WHITE: [u8; 3] = [255; 3];
const BLACK: [u8; 3] = [0; 3];
const GREY: [u8; 3] = [128; 3];

/// Returns every file with its name and its answer.
pub fn hostile_files() -> Vec<(&'static str, Vec<u8>, Answer)> {
    [formats(), sizes(), broken(), bombs(), colours(), metadata()].concat()
}

type Table = Vec<(&'static str, Vec<u8>, Answer)>;

/// Files in a format that no photo is read from.
fn formats() -> Table {
    let ftyp = |brand: &str| [b"\0\0\0\x18ftyp", brand.as_bytes(), &[0; 32]].concat();
    let gif = |frames: usize| {
        let frame = b"\x2c\0\0\0\0\x40\0\x40\0\0\x02\x02\x44\x01\0";
        [
            &b"GIF89a\x40\0\x40\0\0\0\0"[..],
            &frame.repeat(frames),
            b";",
        ]
        .concat()
    };
    let other = |name| Refused(PhotoError::OtherFormat(name));
    let script = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    vec![
        ("nothing", vec![], Refused(PhotoError::Empty)),
        (
            "HTML",
            b"<!DOCTYPE html><script>1</script>".to_vec(),
            Refused(PhotoError::NotAPicture),
        ),
        ("SVG with a script", script.to_vec(), other("SVG")),
        ("GIF with 10,000 frames", gif(10_000), other("GIF")),
        (
            "GIF that is a JPEG behind",
            [gif(1), jpeg(&corners(64, 64))].concat(),
            other("GIF"),
        ),
        ("HEIC", ftyp("heic"), Refused(PhotoError::Heic)),
        (
            "HEIF of several pictures",
            ftyp("mif1"),
            Refused(PhotoError::Heic),
        ),
        ("AVIF", ftyp("avif"), other("AVIF")),
        ("video", ftyp("mp42"), Refused(PhotoError::Video)),
        ("TIFF", b"II*\0\x08\0\0\0".to_vec(), other("TIFF")),
        ("BMP", b"BM\0\0\0\0".to_vec(), other("BMP")),
        ("PDF", b"%PDF-1.7".to_vec(), other("PDF")),
        ("JPEG XL", b"\xff\x0a\0\0".to_vec(), other("JPEG XL")),
    ]
}

/// Sizes at the limits and beyond.
fn sizes() -> Table {
    let side = |width_px, height_px| {
        Refused(PhotoError::SideOutOfRange {
            width_px,
            height_px,
        })
    };
    let grey = |width, height| PlainJpeg::new((width, height), &[128, 128, 128]).write();
    let header = |width, height, interlaced| {
        let header = png_header(width, height, interlaced);
        png_chunks(&[
            (b"IHDR", &header),
            (b"IDAT", &deflated_zeros(1000)),
            (b"IEND", b""),
        ])
    };
    let pixels = |pixels| Refused(PhotoError::TooManyPixels { pixels });
    vec![
        (
            "21 MB",
            vec![0xff; MAX_FILE_BYTES + 1],
            Refused(PhotoError::FileTooLarge),
        ),
        ("1 × 65,535", grey(1, 65_535), side(1, 65_535)),
        ("65,535 × 1", grey(65_535, 1), side(65_535, 1)),
        (
            "no height",
            grey(64, 0),
            Refused(PhotoError::OtherFormat("This kind of JPEG")),
        ),
        (
            "65,535 × 65,535",
            with_size(&grey(64, 64), 65_535, 65_535),
            side(65_535, 65_535),
        ),
        (
            "a side of 2^31",
            header(1 << 31, 64, false),
            Refused(PhotoError::Damaged),
        ),
        (
            "61 megapixels",
            header(7_746, 7_747, false),
            pixels(60_008_262),
        ),
        ("the smallest", grey(16, 16), Photo(16, 16, GREY)),
        ("the tallest", grey(500, 20_000), Photo(50, 2000, GREY)),
        ("60 megapixels", grey(7_745, 7_745), Photo(1600, 1600, GREY)),
    ]
}

/// Writes another size into the frame header of a plain JPEG file.
fn with_size(jpeg: &[u8], width: u16, height: u16) -> Vec<u8> {
    let mut file = jpeg.to_vec();
    let frame = file
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    file[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    file[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    file
}

/// Files that end early or contradict themselves.
fn broken() -> Table {
    let damaged = Refused(PhotoError::Damaged);
    let whole = jpeg(&corners(256, 256));
    let red_png = png((64, 64), ColorType::Rgb, BitDepth::Eight, &RED.repeat(64));
    let red_webp = webp(64, 64, [200, 30, 30, 255]);
    let half = |file: &[u8]| file[..file.len() / 2].to_vec();
    let mut flipped = red_png.clone();
    let middle = flipped.len() - 20;
    flipped[middle] ^= 0x10;
    let zip = [&whole[..], b"PK\x03\x04<script>alert(1)</script>"].concat();
    let arithmetic = PlainJpeg {
        frame: 0xc9,
        ..PlainJpeg::new((64, 64), &[1, 2, 3])
    };
    let deep = PlainJpeg {
        frame: 0xc1,
        precision: 12,
        ..PlainJpeg::new((64, 64), &[1, 2, 3])
    };
    let unsupported = Refused(PhotoError::OtherFormat("This kind of JPEG"));
    vec![
        ("start of a JPEG", b"\xff\xd8\xff".to_vec(), damaged),
        ("half of a JPEG", half(&whole), damaged),
        ("half of a PNG", half(&red_png), damaged),
        ("half of a WebP", half(&red_webp), damaged),
        ("PNG with a flipped bit", flipped, damaged),
        (
            "JPEG with data for fewer blocks",
            with_size(&PlainJpeg::new((64, 64), &[1, 2, 3]).write(), 5000, 5000),
            damaged,
        ),
        (
            "WebP with another size inside",
            webp_chunks(0, 2000, 2000, &[(b"VP8L", &red_webp[20..])]),
            damaged,
        ),
        (
            "JPEG that is a ZIP with a script",
            zip,
            Photo(256, 256, CORNERS[3]),
        ),
        ("arithmetic coding", arithmetic.write(), unsupported),
        ("12 bits", deep.write(), unsupported),
    ]
}

/// Small files that ask for a lot of memory or time.
fn bombs() -> Table {
    let memory = Refused(PhotoError::TooMuchMemory);
    let progressive = |size, scans| PlainJpeg {
        frame: 0xc2,
        scans,
        ..PlainJpeg::new(size, &[128, 128, 128])
    };
    let zeros = deflated_zeros(7_745 * (7_745 * 3 + 1));
    let png = |header: &[u8], more: &[(&[u8; 4], &[u8])]| {
        let chunks = [
            &[(b"IHDR", header)],
            more,
            &[(b"IDAT", &zeros), (b"IEND", b"")],
        ]
        .concat();
        png_chunks(&chunks)
    };
    let bomb = [b"x\0\0", &deflated_zeros(200_000_000)[..]].concat();
    let small = png_header(64, 64, false);
    let few = deflated_zeros(64 * (64 * 3 + 1));
    let with_chunk = |chunk: (&[u8; 4], &[u8])| {
        png_chunks(&[(b"IHDR", &small), chunk, (b"IDAT", &few), (b"IEND", b"")])
    };
    let (plain, interlaced) = (
        png_header(7_745, 7_745, false),
        png_header(7_745, 7_745, true),
    );
    let animation = [&1_u32.to_le_bytes()[..], &[0; 2]].concat();
    vec![
        (
            "PNG of 180 MB in 175 kB",
            png(&plain, &[]),
            Photo(1600, 1600, BLACK),
        ),
        ("the same, interlaced", png(&interlaced, &[]), memory),
        (
            "PNG with a profile of 200 MB",
            with_chunk((b"iCCP", &bomb)),
            Photo(64, 64, BLACK),
        ),
        (
            "PNG with a text of 200 MB",
            with_chunk((b"zTXt", &bomb)),
            Photo(64, 64, BLACK),
        ),
        (
            "PNG with 10,000 frames",
            png(&plain, &[(b"acTL", &[0, 0, 0x27, 0x10, 0, 0, 0, 0])]),
            Refused(PhotoError::Animation),
        ),
        (
            "WebP with frames",
            webp_chunks(2, 64, 64, &[(b"ANIM", &animation), (b"ANMF", &[0; 64])]),
            Refused(PhotoError::Animation),
        ),
        (
            "JPEG with 10,000 scans",
            progressive((64, 64), 10_000).write(),
            memory,
        ),
        (
            "progressive JPEG of 60 megapixels",
            progressive((7_745, 7_745), 1).write(),
            memory,
        ),
        (
            "WebP of 60 megapixels",
            webp_chunks(
                0x10,
                7_745,
                7_745,
                &[(b"VP8L", &[0x2f, 0x40, 0x1e, 0x90, 0x07])],
            ),
            memory,
        ),
    ]
}

/// Colours that JPEG files for browsers do not have.
fn colours() -> Table {
    // Adobe stores the light that is left over, not the ink.
    let cmyk = PlainJpeg {
        adobe: Some(0),
        ..PlainJpeg::new((64, 64), &[200, 30, 30, 255])
    };
    let ycck = PlainJpeg {
        adobe: Some(2),
        ..PlainJpeg::new((64, 64), &[128, 128, 128, 0])
    };
    let deep: Vec<u8> = [200, 99, 30, 99, 30, 99].repeat(64);
    let palette = png_with(
        (64, 64),
        ColorType::Indexed,
        BitDepth::One,
        &[0xff; 8],
        |encoder| {
            encoder.set_palette(&[0, 0, 0, 200, 30, 30][..]);
            encoder.set_trns(&[255, 255][..]);
        },
    );
    vec![
        ("CMYK", cmyk.write(), Photo(64, 64, RED)),
        ("YCCK, all black", ycck.write(), Photo(64, 64, BLACK)),
        (
            "grey JPEG",
            PlainJpeg::new((64, 64), &[128]).write(),
            Photo(64, 64, GREY),
        ),
        (
            "16 bits per channel",
            png((64, 64), ColorType::Rgb, BitDepth::Sixteen, &deep),
            Photo(64, 64, RED),
        ),
        (
            "nothing but alpha",
            png((64, 64), ColorType::Rgba, BitDepth::Eight, &[0; 256]),
            Photo(64, 64, WHITE),
        ),
        (
            "grey of one bit",
            png((64, 64), ColorType::Grayscale, BitDepth::One, &[0xff; 8]),
            Photo(64, 64, WHITE),
        ),
        (
            "grey with alpha",
            png(
                (64, 64),
                ColorType::GrayscaleAlpha,
                BitDepth::Eight,
                &[128, 255].repeat(64),
            ),
            Photo(64, 64, GREY),
        ),
        ("palette of one bit", palette, Photo(64, 64, RED)),
        ("WebP", webp(64, 64, [200, 30, 30, 255]), Photo(64, 64, RED)),
        (
            "WebP that nobody sees",
            webp(64, 64, [200, 30, 30, 0]),
            Photo(64, 64, WHITE),
        ),
    ]
}

/// Metadata, some of it wrong.
fn metadata() -> Table {
    let red = jpeg(&RgbImage::from_pixel(300, 200, image::Rgb(RED)));
    let mut loops = exif(6);
    // The directory of GPS begins where the first directory does.
    loops[26] = 8;
    let loops = with_segment(&red, 0xe1, &[b"Exif\0\0", &loops[..]].concat());
    let mut endless = exif(6);
    endless[8..10].fill(0xff);
    let endless = with_segment(&red, 0xe1, &[b"Exif\0\0", &endless[..]].concat());
    vec![
        ("EXIF with GPS", with_exif(&red, 1), Photo(300, 200, RED)),
        (
            "EXIF with GPS, on its side",
            with_exif(&red, 6),
            Photo(200, 300, RED),
        ),
        ("EXIF that points at itself", loops, Photo(200, 300, RED)),
        ("EXIF with 65,535 entries", endless, Photo(200, 300, RED)),
        (
            "EXIF with orientation 9",
            with_exif(&red, 9),
            Photo(300, 200, RED),
        ),
        (
            "a comment with a script",
            with_segment(&red, 0xfe, b"<script>alert(1)</script>"),
            Photo(300, 200, RED),
        ),
        (
            "XMP",
            with_segment(&red, 0xe1, b"http://ns.adobe.com/xap/1.0/\0GPS-COORDINATES"),
            Photo(300, 200, RED),
        ),
    ]
}
