//! Engines store a pet in the trash like any other.

use std::sync::Arc;

use super::with_every_engine;
use crate::model::{ChangeKind, Pet, Removal, Timestamp};

#[test]
fn a_pet_in_the_trash_is_stored_whole_until_it_is_deleted() {
    with_every_engine(|writer| {
        for by in [Some("anna"), None] {
            let created = [writer.created(1)];
            writer.commit(&created);
            let mut pet = Pet::clone(created[0].after.as_deref().unwrap());
            pet.removed = Some(Removal {
                at: Timestamp::from_micros(7000),
                by: by.map(str::to_owned),
            });
            let trashed = ChangeKind::Pet(Arc::new(pet.clone()));
            let removal = [writer.change(1, trashed.clone())];
            let log = writer.commit(&removal);
            let engine = writer.engine;
            assert_eq!(engine.snapshot().unwrap().pets, [pet.clone()]);
            assert_eq!(engine.history(pet.id, None, 1).unwrap(), log);
            assert_eq!(log[0].kind.as_str(), "gone");
            pet.removed = None;
            let restored = ChangeKind::Pet(Arc::new(pet.clone()));
            let restored = [writer.change(1, restored)];
            writer.commit(&restored);
            assert_eq!(writer.engine.snapshot().unwrap().pets, [pet]);
            let deleted = [
                writer.change(1, trashed),
                writer.change(1, ChangeKind::Gone(None)),
            ];
            writer.commit(&deleted);
            assert_eq!(writer.engine.snapshot().unwrap().pets, []);
        }
    });
}
