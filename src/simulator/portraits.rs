//! The portraits of the sample pets, drawn for this program, as their photos.

use std::collections::HashMap;

use bytes::Bytes;

use crate::model::{Photo, PhotoFile, PhotoHash, Timestamp};
use crate::store::{Engine, StoreError};
use crate::writer::Command;

/// The files of one portrait, smallest first. A demo that made them itself would start later.
macro_rules! portrait {
    ($name:literal) => {
        [
            include_bytes!(concat!("portraits/400/", $name, ".jpg")),
            include_bytes!(concat!("portraits/800/", $name, ".jpg")),
            include_bytes!(concat!("portraits/", $name, ".jpg")),
        ]
    };
}

/// Portraits by the name of the pet, in the widths in which photos are stored.
const PORTRAITS: [(&str, [&[u8]; Photo::WIDTHS_PX.len()]); 8] = [
    ("Biscuit", portrait!("biscuit")),
    ("Miso", portrait!("miso")),
    ("Pepper", portrait!("pepper")),
    ("Otto", portrait!("otto")),
    ("Clementine", portrait!("clementine")),
    ("Juniper", portrait!("juniper")),
    ("Waffles", portrait!("waffles")),
    ("Maple", portrait!("maple")),
];

/// Height of the largest file.
const HEIGHT_PX: u32 = 1200;

/// Stores the portraits of the pets that `samples` create, and gives each pet its own. Pets of the same
/// name share one.
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
        let Some((name, jpegs)) = portraits.find(|(portrait, _)| *portrait == name) else {
            continue;
        };
        if !stored.contains_key(name) {
            let files = files(jpegs);
            let hash = PhotoHash::new(&files);
            engine.put_photo(hash, &files, Timestamp::now())?;
            stored.insert(name, hash);
        }
        photos.extend(stored.get(name).map(|hash| Photo {
            hash: *hash,
            alt: String::new(),
            width_px: Photo::WIDTHS_PX[Photo::WIDTHS_PX.len() - 1],
            height_px: HEIGHT_PX,
            added: None,
        }));
    }
    Ok(())
}

fn files(jpegs: &[&'static [u8]]) -> Vec<PhotoFile> {
    let widths = Photo::WIDTHS_PX.into_iter();
    let file = |(width_px, jpeg): (u32, &&'static [u8])| PhotoFile {
        width_px,
        jpeg: Bytes::from_static(jpeg),
    };
    widths.zip(jpegs).map(file).collect()
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
