//! The artwork: drawings refer to nothing but themselves, and stay small.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{files, root};

/// Bytes of an icon or a silhouette: style sheets embed them.
const MAX_DRAWING_BYTES: usize = 1536;

/// Bytes of a portrait: the demo stores it as an uploaded photo.
const MAX_PORTRAIT_BYTES: usize = 150_000;

const PORTRAITS: &str = "src/simulator/portraits";

fn drawings() -> Vec<(std::path::PathBuf, String)> {
    let found: Vec<_> = ["public", PORTRAITS]
        .iter()
        .flat_map(|folder| files(folder, &["svg"]))
        .collect();
    assert!(found.len() > 50, "the drawings were not found");
    found
}

/// The names of the files in the folder of the portraits that end in `kind`, without that ending.
fn portraits(kind: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join(PORTRAITS)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter_map(|name| name.strip_suffix(kind).map(str::to_owned))
        .collect()
}

/// Width and height in the frame header of a JPEG (ITU-T T.81, B.2.2).
fn jpeg_size(bytes: &[u8]) -> (u16, u16) {
    assert!(bytes.starts_with(&[0xff, 0xd8]), "no JPEG");
    let number = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let mut at = 2;
    // The frame is baseline (0xc0), extended (0xc1) or progressive (0xc2).
    while !(0xc0..=0xc2).contains(&bytes[at + 1]) {
        at += 2 + usize::from(number(at + 2));
    }
    (number(at + 7), number(at + 5))
}

/// What a drawing refers to: the values of `href`, and what stands in `url(…)`.
fn references(text: &str) -> impl Iterator<Item = &str> {
    let links = text.split("href=\"").skip(1);
    let paints = text.split("url(").skip(1);
    links.chain(paints)
}

#[test]
fn a_drawing_runs_no_script_and_refers_only_to_itself() {
    let forbidden = [
        "<script",
        "<image",
        "<foreignObject",
        "<style",
        "<!DOCTYPE",
        "<!ENTITY",
        "@import",
        "javascript:",
    ];
    for (path, text) in drawings() {
        for part in forbidden {
            assert!(!text.contains(part), "{part} in {}", path.display());
        }
        let handler = text
            .split_whitespace()
            .find(|word| word.starts_with("on") && word.contains("=\""));
        assert_eq!(handler, None, "{}", path.display());
        for reference in references(&text) {
            assert!(reference.starts_with('#'), "{}", path.display());
        }
    }
}

#[test]
fn icons_and_silhouettes_are_small_and_take_the_colour_of_the_text() {
    for folder in ["tags", "states", "activities", "actions"].map(|name| format!("icons/{name}")) {
        check_drawings(&format!("public/{folder}"));
    }
    check_drawings("public/silhouettes");
}

fn check_drawings(folder: &str) {
    let found = files(folder, &["svg"]);
    assert!(found.len() >= 5, "{folder} has {} drawings", found.len());
    for (path, text) in found {
        let bytes = text.len();
        assert!(
            bytes <= MAX_DRAWING_BYTES,
            "{} has {bytes} bytes",
            path.display()
        );
        assert!(text.contains("=\"currentColor\""), "{}", path.display());
    }
}

#[test]
fn a_portrait_has_its_drawing_and_belongs_to_a_sample_pet() {
    let pictures = portraits(".jpg");
    assert!(pictures.len() >= 6, "only {pictures:?}");
    assert_eq!(pictures, portraits(".svg"));
    let samples = fs::read_to_string(root().join("src/simulator/samples.json")).unwrap();
    for name in pictures {
        let titled = format!("\"{}{}\"", name[..1].to_uppercase(), &name[1..]);
        assert!(samples.contains(&titled), "no sample is called {titled}");
        let path = Path::new(PORTRAITS).join(format!("{name}.jpg"));
        let bytes = fs::read(root().join(&path)).unwrap();
        assert!(
            bytes.len() <= MAX_PORTRAIT_BYTES,
            "{} has {} bytes",
            path.display(),
            bytes.len()
        );
        assert_eq!(jpeg_size(&bytes), (1600, 1200), "{}", path.display());
        for width in [400, 800] {
            let path = Path::new(PORTRAITS).join(format!("{width}/{name}.jpg"));
            let bytes = fs::read(root().join(&path)).unwrap();
            assert_eq!(
                jpeg_size(&bytes),
                (width, width * 3 / 4),
                "{}",
                path.display()
            );
        }
    }
}
