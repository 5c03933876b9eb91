//! The portraits of the sample pets, drawn for this program, as their photos.

use std::collections::HashMap;

use crate::model::picture::{CheckedFile, PhotoError, PreparedPhoto};
use crate::model::{Photo, Timestamp};
use crate::store::{Engine, StoreError};
use crate::writer::Command;

/// Portraits by the name of the pet.
const PORTRAITS: [(&str, &[u8]); 8] = [
    ("Biscuit", include_bytes!("portraits/biscuit.jpg")),
    ("Miso", include_bytes!("portraits/miso.jpg")),
    ("Pepper", include_bytes!("portraits/pepper.jpg")),
    ("Otto", include_bytes!("portraits/otto.jpg")),
    ("Clementine", include_bytes!("portraits/clementine.jpg")),
    ("Juniper", include_bytes!("portraits/juniper.jpg")),
    ("Waffles", include_bytes!("portraits/waffles.jpg")),
    ("Maple", include_bytes!("portraits/maple.jpg")),
];

/// Stores the portraits of the pets that `samples` create, and gives each pet its own. Pets of the same
/// name share one. Takes a tenth of a second per portrait.
///
/// # Errors
/// As for `PhotoStore::put_photo`.
pub fn add_portraits(samples: &mut [Command], engine: &dyn Engine) -> Result<(), StoreError> {
    let mut stored = HashMap::new();
    for sample in samples {
        let Command::Create {
            profile, photos, ..
        } = sample
        else {
            continue;
        };
        let name = profile.name.split(' ').next().unwrap_or_default();
        let mut portraits = PORTRAITS.iter();
        let Some((name, file)) = portraits.find(|(portrait, _)| *portrait == name) else {
            continue;
        };
        if !stored.contains_key(name) {
            let portrait = prepare(file).expect("the portraits are JPEG files within the limits");
            engine.put_photo(portrait.hash, &portrait.files, Timestamp::now())?;
            stored.insert(name, portrait);
        }
        photos.extend(stored.get(name).map(|portrait| Photo {
            hash: portrait.hash,
            alt: String::new(),
            width_px: portrait.width_px,
            height_px: portrait.height_px,
        }));
    }
    Ok(())
}

fn prepare(file: &[u8]) -> Result<PreparedPhoto, PhotoError> {
    CheckedFile::new(file)?.prepare()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Epoch;
    use crate::simulator::{sample_pets, seeded_random};
    use crate::store::{MemoryEngine, PhotoStore};

    #[test]
    fn every_sample_pet_has_a_portrait() {
        let engine = MemoryEngine::new(Epoch::new(7));
        let mut samples = sample_pets(9, &mut seeded_random(None));
        add_portraits(&mut samples, &engine).unwrap();
        for sample in samples {
            let Command::Create { photos, .. } = sample else {
                panic!("{sample:?}");
            };
            let [photo] = &photos[..] else {
                panic!("{photos:?}");
            };
            assert_eq!([photo.width_px, photo.height_px], [1600, 1200]);
            assert!(engine.photo(photo.hash, 400).unwrap().is_some());
        }
    }
}
