//! Photos on every engine.

use std::sync::Arc;

use super::with_every_engine;
use crate::model::{ChangeKind, Pet, Photo, PhotoFile, PhotoHash, Status, Timestamp};

#[test]
fn a_photo_is_stored_as_a_whole_and_removed_when_it_is_old_and_unused() {
    with_every_engine(|writer| {
        let engine = writer.engine;
        let store = |content: u8, now| {
            let files = [400, 800].map(|width_px| PhotoFile {
                width_px,
                // Longer than a chunk of an object store.
                jpeg: vec![content; width_px as usize * 400].into(),
            });
            let hash = PhotoHash::new(&files);
            engine.put_photo(hash, &files, now).unwrap();
            (hash, files)
        };
        let now = Timestamp::now();
        let hours = |hours: i64| Timestamp::from_micros(now.micros() + hours * 3_600_000_000);
        let ((used, files), (unused, _)) = (store(1, now), store(2, now));
        store(1, now);
        for file in &files {
            assert_eq!(
                engine.photo(used, file.width_px),
                Ok(Some(file.jpeg.clone()))
            );
        }
        assert_eq!(engine.photo(used, 1600), Ok(None));
        let remove = |before| engine.remove_unused_photos(&[used].into(), before);
        assert_eq!(remove(hours(-1)), Ok(0));
        assert_eq!(remove(hours(1)), Ok(1));
        assert_eq!(remove(hours(1)), Ok(0));
        for width in [400, 800] {
            assert_eq!(engine.photo(unused, width), Ok(None));
            assert!(engine.photo(used, width).unwrap().is_some());
        }
    });
}

#[test]
fn a_pet_keeps_its_photos_through_changes_of_its_status() {
    with_every_engine(|writer| {
        let photo = Photo {
            hash: PhotoHash::from_bits(7),
            alt: "Asleep".to_owned(),
            width_px: 400,
            height_px: 300,
            added: Some(Timestamp::from_micros(5)),
        };
        let pet = Pet {
            photos: vec![photo],
            ..crate::model::example::pet(1)
        };
        let changes = [
            writer.change(1, ChangeKind::Pet(Arc::new(pet.clone()))),
            writer.status(1, Status::Eating),
        ];
        writer.commit(&changes);
        let snapshot = writer.engine.snapshot().unwrap();
        assert_eq!(snapshot.pets[0].photos, pet.photos);
        let history = writer.engine.history(pet.id, None, 9).unwrap();
        assert_eq!(history.last().unwrap().kind, ChangeKind::Pet(Arc::new(pet)));
    });
}
