//! The properties of `fuzz/`, on its corpus and on what chance makes of it: on every machine, without
//! a fuzzer. `cargo +nightly fuzz run websocket` looks further.

#[path = "../../fuzz/properties.rs"]
mod held;

use std::fs;
use std::path::Path;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// Inputs made of each file of a corpus.
const CHANGED: usize = 2000;

/// Holds `property` against every file of a corpus, and against changes made by chance: the same
/// in every run.
fn hold(corpus: &str, property: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(corpus);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 8, "{corpus}");
    let mut chance = ChaCha8Rng::seed_from_u64(42);
    for file in files {
        let bytes = fs::read(file).unwrap();
        property(&bytes);
        for _ in 0..CHANGED {
            property(&changed(bytes.clone(), &mut chance));
        }
    }
}

fn changed(mut bytes: Vec<u8>, chance: &mut ChaCha8Rng) -> Vec<u8> {
    for _ in 0..chance.random_range(1..=4) {
        let at = chance.random_range(0..=bytes.len());
        match chance.random_range(0..4) {
            0 => bytes.insert(at, chance.random()),
            1 => bytes.truncate(at),
            2 => bytes.extend_from_within(at..),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << chance.random_range(0..8);
                }
            }
        }
    }
    bytes
}

#[test]
fn a_websockets_bytes_mean_the_same_however_they_are_cut() {
    hold("websocket", held::websocket);
}

#[test]
fn a_cursor_has_one_spelling() {
    hold("cursor", held::cursor);
}

#[test]
fn any_query_is_read_or_refused_with_a_reason() {
    hold("query", held::query);
}

#[test]
fn any_import_is_read_to_its_end_or_refused_at_a_line() {
    hold("import", held::import);
}
