//! Tests that another process reads one commit beside the server, or learns that it did not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use redb::ReadableDatabase;

use super::super::backup::with_store;
use super::super::folder::StoreFolder;
use super::super::tables::changes;
use super::super::tests::change;
use super::super::{IoEvent, IoObserver, NoObserver, RedbEngine, backup, check, write_new};
use super::*;
use crate::model::Rev;
use crate::store::{Engine, StoreError};

/// Counts fsyncs, and fails them while the flag is set.
#[derive(Debug, Default)]
struct Disk {
    syncs: AtomicUsize,
    is_failing: AtomicBool,
}

impl IoObserver for Disk {
    fn before(&self, event: IoEvent<'_>) -> io::Result<()> {
        if let IoEvent::Sync { .. } = event {
            self.syncs.fetch_add(1, Ordering::Relaxed);
            if self.is_failing.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        Ok(())
    }
}

fn append(engine: &RedbEngine, revs: std::ops::RangeInclusive<u64>) {
    for rev in revs {
        engine.append(&[change(rev)]).unwrap();
    }
}

/// The revs of the log in a shared file.
fn revs(file: &SharedFile) -> Vec<u64> {
    let reading = file.database.begin_read().unwrap();
    let log = changes(&reading, ..).unwrap();
    log.map(|change| change.unwrap().rev.get()).collect()
}

fn up_to(last: u64) -> Vec<u64> {
    (1..=last).collect()
}

/// A commit took two while other processes could open the file.
#[test]
fn a_commit_takes_one_fsync() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(Disk::default());
    let engine = RedbEngine::open_observed(folder.path(), disk.clone()).unwrap();
    let syncs = (1..=60).map(|rev| {
        let before = disk.syncs.load(Ordering::Relaxed);
        append(&engine, rev..=rev);
        disk.syncs.load(Ordering::Relaxed) - before
    });
    let syncs: Vec<_> = syncs.collect();
    // A commit that makes the file grow takes another one.
    let single = syncs.iter().filter(|syncs| **syncs == 1).count();
    assert!(single > 50 && !syncs.contains(&0), "{syncs:?}");
}

#[test]
fn a_reader_sees_one_commit_while_the_server_writes_thousands_of_pages() {
    let folder = tempfile::tempdir().unwrap();
    let engine = RedbEngine::open(folder.path()).unwrap();
    append(&engine, 1..=50);
    let early = SharedFile::open(folder.path()).unwrap();
    append(&engine, 51..=60);
    let late = SharedFile::open(folder.path()).unwrap();
    append(&engine, 61..=600);
    assert_eq!(revs(&early), up_to(50));
    assert_eq!(revs(&late), up_to(60));
    early.confirm().unwrap();
    late.confirm().unwrap();
    drop((early, late));
    append(&engine, 601..=620);
    let next = SharedFile::open(folder.path()).unwrap();
    assert_eq!(revs(&next), up_to(620));
}

#[test]
fn a_reader_learns_that_the_server_stopped_or_reopened_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(Disk::default());
    let engine = RedbEngine::open_observed(folder.path(), disk.clone()).unwrap();
    append(&engine, 1..=2);
    let lost = StoreError::NotKept(folder.path().to_owned());
    let reader = SharedFile::open(folder.path()).unwrap();
    reader.confirm().unwrap();
    disk.is_failing.store(true, Ordering::Relaxed);
    engine.append(&[change(3)]).unwrap_err();
    let refused = SharedFile::open(folder.path()).err().unwrap();
    assert!(
        refused
            .to_string()
            .contains("cannot write or share it just now")
    );
    disk.is_failing.store(false, Ordering::Relaxed);
    engine.recover().unwrap();
    assert_eq!(reader.confirm().unwrap_err(), lost);
    let reader = SharedFile::open(folder.path()).unwrap();
    reader.confirm().unwrap();
    drop(engine);
    assert_eq!(reader.confirm().unwrap_err(), lost);
    assert!(!folder.path().join(SOCKET).exists());
}

/// A backup that is not of one commit never gets its name.
#[test]
fn a_backup_that_its_server_did_not_keep_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("backup");
    let engine = RedbEngine::open(folder.path()).unwrap();
    append(&engine, 1..=10);
    let mut engine = Some(engine);
    let read = with_store(folder.path(), |store| {
        drop(engine.take());
        write_new(&file, |_| store.confirm())
    });
    let lost = StoreError::NotKept(folder.path().to_owned());
    assert_eq!(read.unwrap_err(), lost);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    backup(folder.path(), &file).unwrap();
}

#[test]
fn a_path_of_any_length_has_a_socket_and_only_its_owner_may_connect() {
    let place = tempfile::tempdir().unwrap();
    for name in ["short".to_owned(), "long".repeat(40)] {
        let folder = place.path().join(name);
        let engine = RedbEngine::open(&folder).unwrap();
        append(&engine, 1..=3);
        let socket = fs::metadata(folder.join(SOCKET)).unwrap();
        assert_eq!(socket.permissions().mode() & 0o777, 0o600);
        let (contents, are_pages_checked) = check(&folder).unwrap();
        assert_eq!((contents.changes, are_pages_checked), (3, false));
    }
}

#[test]
fn a_socket_that_a_killed_server_left_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    drop(std::os::unix::net::UnixListener::bind(folder.path().join(SOCKET)).unwrap());
    let engine = RedbEngine::open(folder.path()).unwrap();
    append(&engine, 1..=3);
    assert_eq!(revs(&SharedFile::open(folder.path()).unwrap()), [1, 2, 3]);
}

#[test]
fn a_program_that_does_not_share_the_file_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    append(&RedbEngine::open(folder.path()).unwrap(), 1..=3);
    let lock = StoreFolder::lock(folder.path(), Arc::new(NoObserver)).unwrap();
    let error = check(folder.path()).unwrap_err();
    assert_eq!(error, StoreError::NoAnswer(folder.path().to_owned()));
    drop(lock);
    assert!(check(folder.path()).unwrap().1);
}

#[test]
fn readers_above_the_limit_are_refused_until_one_ends() {
    let folder = tempfile::tempdir().unwrap();
    let engine = RedbEngine::open(folder.path()).unwrap();
    append(&engine, 1..=3);
    let mut readers: Vec<_> = (0..16)
        .map(|_| SharedFile::open(folder.path()).unwrap())
        .collect();
    assert!(SharedFile::open(folder.path()).is_err());
    readers.pop();
    // The end of a reader is noticed before the next connection is accepted.
    assert_eq!(revs(&SharedFile::open(folder.path()).unwrap()), [1, 2, 3]);
    assert_eq!(engine.newest().unwrap(), Rev::new(3));
}
