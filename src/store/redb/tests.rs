//! Files that were changed from outside are refused with a helpful message and left untouched; and
//! the engine recovers from a disk that fails for a while.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;

use super::folder::FILE;
use super::migrate::{STEPS, known_schema};
use super::tables::{META, SCHEMA};
use super::*;
use crate::model::{ChangeKind, ChangeSource, Profile, Status, StatusNote};
use crate::store::Snapshot;

pub fn file_of(folder: &TempDir) -> PathBuf {
    folder.path().join("pet-store.redb")
}

/// The change with `rev`: the first creates the pet, the others set its status.
pub fn change(rev: u64) -> Change {
    let at = Timestamp::from_micros(rev.cast_signed() * 1000);
    let pet = PetId::FIRST;
    let status = Status::FOUR[rev as usize % Status::FOUR.len()];
    let record = Pet {
        id: pet,
        profile: Profile {
            name: "Biscuit".to_owned(),
            about: "x".repeat(300),
            ..Profile::default()
        },
        photos: Vec::new(),
        status,
        since: at,
        removed: None,
        note: StatusNote::default(),
    };
    let kind = match rev {
        1 => ChangeKind::Pet(Arc::new(record)),
        _ => ChangeKind::Status(status),
    };
    Change {
        rev: Rev::new(rev),
        at,
        by: ChangeSource::Staff,
        author: None,
        request: None,
        visibility: crate::model::Visibility::Public,
        pet,
        kind,
    }
}

/// A closed store with `count` changes, its snapshot and its log.
pub fn closed_store(count: u64) -> (TempDir, Snapshot, Vec<Change>) {
    let folder = tempfile::tempdir().unwrap();
    let engine = RedbEngine::open(folder.path()).unwrap();
    for rev in 1..=count {
        engine.append(&[change(rev)]).unwrap();
    }
    let snapshot = engine.snapshot().unwrap();
    let log = engine.tail(Rev::ZERO, usize::MAX).unwrap();
    drop(engine);
    (folder, snapshot, log)
}

/// Opens the store, and asserts that it is refused with a one-line message and left as it was.
fn open_error(folder: &Path) -> StoreError {
    let before = contents(folder);
    let error = RedbEngine::open(folder).err().expect("it is refused");
    let sentence = error.to_string();
    assert!(!sentence.contains('\n'), "{sentence}");
    assert_eq!(contents(folder), before, "{sentence}");
    error
}

/// Path, mode and bytes of every file except the lock.
fn contents(folder: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file() && path.extension().unwrap() != "lock");
    let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode();
    let mut contents: Vec<_> = files
        .map(|path| (path.clone(), mode(&path), fs::read(&path).unwrap()))
        .collect();
    contents.sort();
    contents
}

#[test]
fn a_file_that_is_not_a_store_is_refused_and_unchanged() {
    for content in [b"".as_slice(), b"re", b"hello", &[7; 8192]] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(file_of(&folder), content).unwrap();
        let error = open_error(folder.path());
        assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
        assert!(error.to_string().contains("move it away"), "{error}");
    }
}

#[test]
fn a_redb_file_of_another_program_is_refused_and_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let other = ::redb::Database::create(file_of(&folder)).unwrap();
    let writing = other.begin_write().unwrap();
    let table = ::redb::TableDefinition::<&str, &str>::new("meta");
    writing.open_table(table).unwrap().insert("a", "b").unwrap();
    writing.commit().unwrap();
    drop(other);
    let error = open_error(folder.path());
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
}

#[test]
fn a_folder_in_place_of_the_file_is_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(file_of(&folder)).unwrap();
    let error = open_error(folder.path());
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    assert!(error.to_string().contains("may read and write"), "{error}");
}

#[test]
fn a_newer_schema_is_refused_and_unchanged() {
    let (folder, ..) = closed_store(3);
    let database = ::redb::Database::open(file_of(&folder)).unwrap();
    let writing = database.begin_write().unwrap();
    let newer = known_schema(STEPS) + 1;
    let mut meta = writing.open_table(META).unwrap();
    meta.insert(SCHEMA, newer).unwrap();
    drop(meta);
    writing.commit().unwrap();
    drop(database);
    fs::set_permissions(file_of(&folder), fs::Permissions::from_mode(0o644)).unwrap();
    let error = open_error(folder.path());
    let path = file_of(&folder);
    let known = known_schema(STEPS);
    let expected = StoreError::NewerSchema {
        path,
        found: newer,
        known,
    };
    assert_eq!(error, expected);
    assert!(error.to_string().contains("use the newer program"));
}

/// Flipped bits were served silently, and redb repaired a file before it was inspected.
#[test]
fn a_damaged_file_is_refused_and_unchanged_or_has_all_its_records() {
    let (folder, snapshot, log) = closed_store(900);
    let intact = fs::read(file_of(&folder)).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut refused = 0;
    for round in 0..120 {
        let mut damaged = intact.clone();
        match round % 3 {
            0 => damaged.truncate(random.random_range(1..intact.len())),
            1 => damaged[random.random_range(0..intact.len())] ^= 1 << random.random_range(0..8),
            _ => {
                let start = random.random_range(0..intact.len() - 512);
                damaged[start..start + 512].fill(0);
            }
        }
        let copy = tempfile::tempdir().unwrap();
        fs::write(file_of(&copy), &damaged).unwrap();
        let before = contents(copy.path());
        match RedbEngine::open(copy.path()) {
            Ok(engine) => {
                assert_eq!(engine.snapshot().unwrap(), snapshot, "round {round}");
                assert_eq!(engine.tail(Rev::ZERO, usize::MAX).unwrap(), log);
            }
            Err(error) => {
                refused += 1;
                assert_eq!(contents(copy.path()), before, "round {round}: {error}");
                let is_refusal = matches!(
                    error,
                    StoreError::Damaged { .. } | StoreError::Foreign { .. } | StoreError::Record(_)
                );
                assert!(is_refusal, "round {round}: {error}");
            }
        }
    }
    assert!(refused > 60, "only {refused} of 120 damages were detected");
}

/// A disk on which every operation fails while the flag is set.
#[derive(Debug, Default)]
struct FullDisk(AtomicBool);

impl IoObserver for FullDisk {
    fn before(&self, _event: IoEvent<'_>) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

#[test]
fn during_disk_errors_the_store_can_be_read_and_afterwards_written() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(FullDisk::default());
    let engine = RedbEngine::open_observed(folder.path(), disk.clone()).unwrap();
    engine.append(&[change(1)]).unwrap();
    disk.0.store(true, Ordering::Relaxed);
    let error = engine.append(&[change(2)]).unwrap_err();
    assert!(matches!(error, StoreError::Full(_)), "{error}");
    assert!(!engine.is_healthy());
    assert_eq!(engine.tail(Rev::ZERO, 10).unwrap(), [change(1)]);
    for _ in 0..3 {
        let error = engine.recover().unwrap_err();
        assert!(!engine.is_healthy(), "{error}");
        assert_eq!(engine.tail(Rev::ZERO, 10).unwrap(), [change(1)]);
        engine.append(&[change(2)]).unwrap_err();
    }
    disk.0.store(false, Ordering::Relaxed);
    engine.recover().unwrap();
    assert!(engine.is_healthy());
    assert_eq!(engine.newest().unwrap(), Rev::new(1));
    engine.append(&[change(2)]).unwrap();
    let left = contents(folder.path());
    assert_eq!(left.len(), 1, "no test file is left");
}

/// A disk that fails only to write the pages of the store. The header of redb, which an open writes,
/// can be written.
#[derive(Debug, Default)]
struct BadSector(AtomicBool);

impl IoObserver for BadSector {
    fn before(&self, event: IoEvent<'_>) -> io::Result<()> {
        let is_bad = self.0.load(Ordering::Relaxed);
        match event {
            IoEvent::Write { file, offset, .. } if is_bad && file == FILE && offset > 0 => {
                Err(io::ErrorKind::Other.into())
            }
            _ => Ok(()),
        }
    }
}

/// Free space, and a file that can be opened, do not prove that its pages can be written.
#[test]
fn recovery_succeeds_only_after_the_stores_own_pages_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(BadSector::default());
    let engine = RedbEngine::open_observed(folder.path(), disk.clone()).unwrap();
    engine.append(&[change(1)]).unwrap();
    disk.0.store(true, Ordering::Relaxed);
    engine.append(&[change(2)]).unwrap_err();
    for _ in 0..2 {
        engine.recover().unwrap_err();
        assert!(!engine.is_healthy());
        assert_eq!(engine.tail(Rev::ZERO, 10).unwrap(), [change(1)]);
    }
    disk.0.store(false, Ordering::Relaxed);
    engine.recover().unwrap();
    engine.append(&[change(2)]).unwrap();
}

#[test]
fn a_store_that_was_replaced_while_the_server_runs_is_not_written() {
    let (other, ..) = closed_store(1);
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(FullDisk::default());
    let engine = RedbEngine::open_observed(folder.path(), disk.clone()).unwrap();
    disk.0.store(true, Ordering::Relaxed);
    engine.append(&[change(1)]).unwrap_err();
    disk.0.store(false, Ordering::Relaxed);
    fs::rename(file_of(&other), file_of(&folder)).unwrap();
    let error = engine.recover().unwrap_err();
    assert_eq!(error, StoreError::Moved(file_of(&folder)));
    fs::remove_file(file_of(&folder)).unwrap();
    let error = engine.append(&[change(1)]).unwrap_err();
    assert_eq!(error, StoreError::Moved(file_of(&folder)));
    assert!(!file_of(&folder).exists(), "no new file was created");
}

/// The change log of the fixture.
const SCHEMA_1_LOG: [(u64, u64, &str); 8] = [
    (1, 1, "pet"),
    (2, 2, "pet"),
    (3, 3, "pet"),
    (4, 1, "status"),
    (5, 2, "status"),
    (6, 2, "pet"),
    (7, 3, "gone"),
    (8, 1, "status"),
];

/// Breaks when a change of the code makes stores of an older release unreadable.
#[test]
fn a_store_that_release_0_1_0_wrote_with_schema_1_opens_with_everything() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schema-1.redb");
    fs::copy(fixture, file_of(&folder)).unwrap();
    let engine = RedbEngine::open(folder.path()).unwrap();
    assert_eq!(engine.epoch().to_string(), "2033d762");
    let snapshot = engine.snapshot().unwrap();
    assert_eq!(
        (snapshot.rev, snapshot.next_pet),
        (Rev::new(8), PetId::new(4))
    );
    let pets = snapshot.pets.iter();
    let pets: Vec<_> = pets.map(|pet| (&*pet.profile.name, pet.status)).collect();
    let expected = [
        ("Biscuit", Status::Playing),
        ("M\u{f6}\u{df}li", Status::Bathing),
    ];
    assert_eq!(pets, expected);
    let about = "Likes rain.\nAnd <b>tea</b>.";
    assert_eq!(snapshot.pets[0].profile.about, about);
    assert_eq!(snapshot.pets[1].profile.age, "2 years");
    let since = "2026-11-22T18:53:06.675695Z";
    assert_eq!(snapshot.pets[1].since.to_string(), since);
    let log = engine.tail(Rev::ZERO, usize::MAX).unwrap();
    let summary = |change: &Change| (change.rev.get(), change.pet.get(), change.kind.as_str());
    assert_eq!(log.iter().map(summary).collect::<Vec<_>>(), SCHEMA_1_LOG);
    let next = Rev::new(9);
    engine
        .append(&[Change {
            rev: next,
            ..change(2)
        }])
        .unwrap();
}

#[test]
fn a_restart_keeps_everything_and_the_file_is_private() {
    let (folder, snapshot, log) = closed_store(6);
    let engine = RedbEngine::open(folder.path()).unwrap();
    assert_eq!(engine.snapshot().unwrap(), snapshot);
    let epoch = engine.epoch();
    drop(engine);
    let engine = RedbEngine::open(folder.path()).unwrap();
    assert_eq!(engine.epoch(), epoch);
    assert_eq!(engine.tail(Rev::ZERO, 10).unwrap(), log);
    let file = fs::metadata(file_of(&folder)).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_second_process_is_refused_and_the_first_continues() {
    let folder = tempfile::tempdir().unwrap();
    let first = RedbEngine::open(folder.path()).unwrap();
    let error = RedbEngine::open(folder.path()).err().unwrap();
    assert!(matches!(error, StoreError::InUse(_)), "{error}");
    first.append(&[change(1)]).unwrap();
}

/// A kill during the very first start left a file that never opened again.
#[test]
fn after_a_kill_during_the_first_start_the_store_is_created_again() {
    let folder = tempfile::tempdir().unwrap();
    let unfinished = folder.path().join("pet-store.redb.unfinished");
    fs::write(&unfinished, b"half a sto").unwrap();
    let engine = RedbEngine::open(folder.path()).unwrap();
    assert_eq!(engine.snapshot().unwrap().rev, Rev::ZERO);
    assert!(!unfinished.exists());
}
