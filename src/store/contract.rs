//! The tests that every engine passes, and how redb starts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use super::*;
use crate::model::{By, Change, ChangeKind, Moment, Pet, Profile, Status};

/// Runs `check` against a fresh store of every engine.
fn with_every_engine(check: impl Fn(&dyn Engine)) {
    check(&MemoryEngine::new(Epoch::new(7)));
    let folder = tempfile::tempdir().unwrap();
    check(&RedbEngine::open(folder.path()).unwrap());
}

fn change(rev: u64, pet: u64, kind: ChangeKind) -> Change {
    Change {
        rev: Rev::new(rev),
        at: Moment::from_micros(rev.cast_signed() * 1000),
        by: By::Staff,
        author: None,
        pet: PetId::new(pet),
        kind,
    }
}

fn created(rev: u64, pet: u64) -> Change {
    let record = Pet {
        id: PetId::new(pet),
        profile: Profile {
            name: format!("Pet {pet} \r\u{2028}<b>"),
            species: "cat".to_owned(),
            ..Profile::default()
        },
        status: Status::Sleeping,
        since: Moment::from_micros(rev.cast_signed() * 1000),
    };
    change(rev, pet, ChangeKind::Pet(Arc::new(record)))
}

fn status(rev: u64, pet: u64, status: Status) -> Change {
    change(rev, pet, ChangeKind::Status(status))
}

/// Two pets, of which the second is removed again.
fn story() -> Vec<Change> {
    vec![
        created(1, 1),
        created(2, 2),
        status(3, 1, Status::Eating),
        status(4, 2, Status::Bathing),
        change(5, 2, ChangeKind::Gone),
        status(6, 1, Status::Playing),
    ]
}

#[test]
fn a_new_store_is_empty_and_at_rev_zero() {
    with_every_engine(|engine| {
        let snapshot = engine.snapshot().unwrap();
        assert_eq!(snapshot.rev, Rev::ZERO);
        assert_eq!(snapshot.next_pet, PetId::FIRST);
        assert_eq!(snapshot.pets, []);
        assert_eq!(engine.tail(Rev::ZERO, 10).unwrap(), []);
    });
}

#[test]
fn the_log_reads_back_as_it_was_committed() {
    with_every_engine(|engine| {
        engine.commit(&story()[..2]).unwrap();
        engine.commit(&story()[2..]).unwrap();
        assert_eq!(engine.tail(Rev::ZERO, 100).unwrap(), story());
        assert_eq!(engine.tail(Rev::new(2), 2).unwrap(), story()[2..4]);
        assert_eq!(engine.tail(Rev::new(6), 10).unwrap(), []);
        assert_eq!(engine.tail(Rev::new(u64::MAX - 1), 10).unwrap(), []);
    });
}

#[test]
fn the_snapshot_is_where_the_log_leads_and_a_removed_pets_id_is_not_given_again() {
    with_every_engine(|engine| {
        engine.commit(&story()).unwrap();
        let snapshot = engine.snapshot().unwrap();
        assert_eq!(snapshot.rev, Rev::new(6));
        assert_eq!(snapshot.next_pet, PetId::new(3));
        let [pet] = snapshot.pets.as_slice() else {
            panic!("one pet is left, not {:?}", snapshot.pets);
        };
        assert_eq!((pet.id, pet.status), (PetId::new(1), Status::Playing));
        assert_eq!(pet.since, Moment::from_micros(6000));
        assert_eq!(pet.profile.name, "Pet 1 \r\u{2028}<b>");
    });
}

#[test]
fn history_is_one_pets_changes_newest_first() {
    with_every_engine(|engine| {
        engine.commit(&story()).unwrap();
        let revs = |before, limit| {
            let changes = engine.history(PetId::new(1), before, limit).unwrap();
            changes
                .iter()
                .map(|change| change.rev.get())
                .collect::<Vec<_>>()
        };
        assert_eq!(revs(None, 10), [6, 3, 1]);
        assert_eq!(revs(None, 2), [6, 3]);
        assert_eq!(revs(Some(Rev::new(3)), 10), [1]);
        assert_eq!(engine.history(PetId::new(9), None, 10).unwrap(), []);
    });
}

#[test]
fn a_hole_in_the_revs_is_refused_and_nothing_of_it_is_kept() {
    with_every_engine(|engine| {
        engine.commit(&[created(1, 1)]).unwrap();
        let with_hole = [status(2, 1, Status::Eating), status(4, 1, Status::Bathing)];
        let error = engine.commit(&with_hole).unwrap_err();
        assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
        assert_eq!(engine.snapshot().unwrap().rev, Rev::new(1));
        assert_eq!(engine.tail(Rev::ZERO, 10).unwrap().len(), 1);
    });
}

#[test]
fn redb_keeps_everything_over_a_restart_and_its_file_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let first = RedbEngine::open(folder.path()).unwrap();
    first.commit(&story()).unwrap();
    let (epoch, snapshot) = (first.epoch(), first.snapshot().unwrap());
    drop(first);
    let second = RedbEngine::open(folder.path()).unwrap();
    assert_eq!(second.epoch(), epoch);
    assert_eq!(second.snapshot().unwrap(), snapshot);
    let file = fs::metadata(folder.path().join("pet-store.redb")).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}

#[test]
fn redb_refuses_a_second_opener_and_the_first_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let first = RedbEngine::open(folder.path()).unwrap();
    let error = RedbEngine::open(folder.path()).err().unwrap();
    assert!(matches!(error, StoreError::InUse(_)), "{error}");
    first.commit(&story()).unwrap();
}

/// A kill during the very first start left a file that never opened again.
#[test]
fn redb_starts_over_after_a_kill_during_its_first_start() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("pet-store.redb.unfinished"),
        b"half a sto",
    )
    .unwrap();
    let engine = RedbEngine::open(folder.path()).unwrap();
    assert_eq!(engine.snapshot().unwrap().rev, Rev::ZERO);
    assert!(!folder.path().join("pet-store.redb.unfinished").exists());
}
