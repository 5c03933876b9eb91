//! The pipeline: the answer to each hostile file, orientation, sizes and hashes. `process` sends the same
//! files to a server.

use image::RgbImage;
use pet_store::model::picture::{CheckedFile, PhotoError, PreparedPhoto};

use super::files::{CORNERS, corners, jpeg, with_exif};
use super::hostile_files::Answer::{self, Photo, Refused};
use super::hostile_files::hostile_files;

fn prepare(file: &[u8]) -> Result<PreparedPhoto, PhotoError> {
    CheckedFile::new(file)?.prepare()
}

/// Decodes the largest file of a photo, with another decoder than the one that made it.
fn decode(photo: &PreparedPhoto) -> RgbImage {
    let file = photo.files.last().unwrap();
    image::load_from_memory(&file.jpeg).unwrap().into_rgb8()
}

fn assert_near(name: &str, found: [u8; 3], expected: [u8; 3]) {
    let is_near = found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) < 12);
    assert!(is_near, "{name}: {found:?} is not {expected:?}");
}

/// Checks that a file has nothing but what a picture needs.
fn assert_without_metadata(name: &str, jpeg: &[u8]) {
    let mut at = 2;
    while jpeg[at + 1] != 0xda {
        let marker = jpeg[at + 1];
        let is_needed = matches!(marker, 0xe0 | 0xdb | 0xc0 | 0xc4);
        assert!(is_needed, "{name}: marker {marker:x}");
        at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
    }
    assert!(
        jpeg.ends_with(b"\xff\xd9"),
        "{name}: something follows the picture"
    );
    for text in [&b"GPS"[..], b"Exif", b"script"] {
        let found = jpeg.windows(text.len()).any(|part| part == text);
        assert!(!found, "{name}: has {text:?}");
    }
}

/// Compares the answer to a file with the expected one.
fn check(name: &str, file: &[u8], expected: Answer) -> Result<(), String> {
    let answer = prepare(file);
    match (&answer, expected) {
        (Err(error), Refused(expected)) if *error == expected && error.to_string().len() < 200 => {}
        (Ok(photo), Photo(width, height, colour)) => {
            let picture = decode(photo);
            if [(photo.width_px, photo.height_px), picture.dimensions()] != [(width, height); 2] {
                return Err(format!("{name}: {:?}", picture.dimensions()));
            }
            assert_near(name, picture.get_pixel(width / 2, height / 2).0, colour);
            for file in &photo.files {
                assert_without_metadata(name, &file.jpeg);
            }
        }
        _ => {
            let answer = answer.map(|photo| (photo.width_px, photo.height_px));
            return Err(format!("{name}: {answer:?} is not {expected:?}"));
        }
    }
    Ok(())
}

#[test]
fn each_hostile_file_has_its_answer() {
    let files = hostile_files();
    assert!(files.len() >= 50, "{}", files.len());
    let checked = files
        .iter()
        .map(|(name, file, answer)| check(name, file, *answer));
    let wrong: Vec<String> = checked.filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_photo_of_each_orientation_is_turned_upright_and_loses_its_metadata() {
    let stored = corners(400, 200);
    for orientation in 1..=8 {
        let upright = prepare(&with_exif(&jpeg(&stored), orientation)).unwrap();
        let picture = decode(&upright);
        let (width, height) = picture.dimensions();
        let is_turned = orientation >= 5;
        let expected = if is_turned { (200, 400) } else { (400, 200) };
        assert_eq!((width, height), expected, "{orientation}");
        // The corner of the stored picture that belongs at the top left, and so on (EXIF 2.32, tag 274).
        let order = [
            [0, 1, 2, 3],
            [1, 0, 3, 2],
            [3, 2, 1, 0],
            [2, 3, 0, 1],
            [0, 2, 1, 3],
            [2, 0, 3, 1],
            [3, 1, 2, 0],
            [1, 3, 0, 2],
        ][orientation as usize - 1];
        for (corner, of_stored) in order.into_iter().enumerate() {
            let x = width / 4 + width / 2 * (corner as u32 % 2);
            let y = height / 4 + height / 2 * (corner as u32 / 2);
            let found = picture.get_pixel(x, y).0;
            assert_near(
                &format!("{orientation}, {corner}"),
                found,
                CORNERS[of_stored],
            );
        }
        for file in &upright.files {
            assert_without_metadata("oriented", &file.jpeg);
        }
    }
}

#[test]
fn a_large_photo_has_three_widths_and_a_small_one_is_not_enlarged() {
    let widths = |width, height| {
        let photo = prepare(&jpeg(&corners(width, height))).unwrap();
        let files = photo.files.iter();
        files.map(|file| file.width_px).collect::<Vec<_>>()
    };
    assert_eq!(widths(2000, 1500), [400, 800, 1600]);
    assert_eq!(widths(1500, 2000), [400, 800, 1500]);
    assert_eq!(widths(640, 480), [400, 640]);
    assert_eq!(widths(100, 100), [100]);
}

#[test]
fn the_same_file_has_the_same_hash_and_another_one_another() {
    let file = jpeg(&corners(300, 200));
    let hash = |file: &[u8]| prepare(file).unwrap().hash;
    assert_eq!(hash(&file), hash(&file));
    assert_eq!(
        hash(&file),
        hash(&with_exif(&file, 1)),
        "without metadata they are equal"
    );
    assert_ne!(hash(&file), hash(&with_exif(&file, 3)));
}
