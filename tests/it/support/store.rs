//! Stores that tests create before an app starts, and read after it has ended.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use pet_store::model::{
    Change, ChangeKind, ChangeSource, Pet, PetId, Profile, Rev, Status, StatusNote, Timestamp,
};
use pet_store::store::{Engine, RedbEngine, StoreError};
use pet_store::wire::{Frame, Predecessors};
use serde_json::Value;

use super::chain::without_after;
use super::wait::LIMIT;

/// Opens a store that no app uses. Waits for its lock, which a child process of another test inherits
/// until its `exec`.
pub fn open(folder: &Path) -> RedbEngine {
    let deadline = Instant::now() + LIMIT;
    loop {
        match RedbEngine::open(folder) {
            Err(StoreError::InUse(_)) if Instant::now() < deadline => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

/// Creates a store with one pet and `count` changes. Returns its epoch.
pub fn fill(folder: &Path, count: u64) -> String {
    let engine = open(folder);
    let changes: Vec<Change> = (1..=count).map(change).collect();
    engine.append(&changes).unwrap();
    engine.epoch().to_string()
}

/// Returns the change of `rev`: the first creates the pet, the others set its status, a minute apart.
fn change(rev: u64) -> Change {
    let minutes = i64::try_from(rev).unwrap();
    let at = Timestamp::from_micros(Timestamp::EARLIEST.micros() + minutes * 60_000_000);
    let status = Status::FOUR[usize::try_from(rev).unwrap() % Status::FOUR.len()];
    let profile = Profile {
        name: "Biscuit".to_owned(),
        species: "dog".to_owned(),
        ..Profile::default()
    };
    let pet = Pet {
        id: PetId::FIRST,
        profile,
        photos: Vec::new(),
        status,
        since: at,
        removed: None,
        note: StatusNote::default(),
    };
    Change {
        rev: Rev::new(rev),
        at,
        by: ChangeSource::Api,
        author: None,
        request: None,
        visibility: pet_store::model::Visibility::Public,
        pet: PetId::FIRST,
        kind: match rev {
            1 => ChangeKind::Pet(Arc::new(pet)),
            _ => ChangeKind::Status(status),
        },
    }
}

/// Returns every change of a store that no app uses, as its message without `after`, which depends on the
/// viewer.
pub fn log_of(folder: &Path) -> Vec<Value> {
    let engine = open(folder);
    let changes = engine.tail(Rev::ZERO, usize::MAX).unwrap();
    let frames = changes
        .iter()
        .map(|change| Frame::from_change(engine.epoch(), change, Predecessors::both(Rev::ZERO)));
    frames
        .map(|frame| without_after(&serde_json::from_str(frame.json()).unwrap()))
        .collect()
}
