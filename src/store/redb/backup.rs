//! Copies of a store that are whole: made while the server runs, put back into an empty folder,
//! checked and made small.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{DatabaseError, ReadOnlyDatabase, ReadTransaction, ReadableDatabase};

use super::check::{Contents, check as check_records};
use super::copy::copy;
use super::file::guarded;
use super::inspect::guard_reads;
use super::open::{admit, begin_history};
use super::place::{FILE, LOCK, Place, UNFINISHED, builder, exists};
use super::refusal::{failed, refused};
use super::tables::{IS_OVER, META};
use super::witness::Nobody;
use super::{read, write};
use crate::store::StoreError;
use crate::store::regular::open_regular;

/// Writes everything in the store of `folder`, as it is at one moment, into a new file. A server
/// may run on the store, and goes on undisturbed.
///
/// # Errors
/// `NotThere`, `Exists`, and whatever reading and writing can fail with; then there is no file.
pub fn backup(folder: &Path, file: &Path) -> Result<Contents, StoreError> {
    let (target, name) = Place::of_new(file)?;
    with_store(folder, |reading, _| {
        target.make(&name, |writing| {
            copy(reading, writing)?;
            let mut meta = writing.open_table(META).map_err(write)?;
            meta.insert(IS_OVER, 1).map_err(write)?;
            Ok(())
        })
    })
}

/// Puts a backup into `folder`, which is made if need be and must be empty otherwise.
///
/// # Errors
/// `NotEmpty`, what is wrong with the file, and whatever writing can fail with.
pub fn restore(file: &Path, folder: &Path) -> Result<Contents, StoreError> {
    let inspected = admit(file)?;
    let place = empty(folder)?;
    guard_reads(file, || {
        let reading = inspected.database.begin_read().map_err(read)?;
        place.make(FILE, |writing| {
            copy(&reading, writing)?;
            begin_history(writing)
        })
    })
}

/// Checks every page and every record of a store; only the records while a server runs on it,
/// and then the second value is false. Nothing is touched.
///
/// # Errors
/// `NotThere`, and what is wrong.
pub fn check(folder: &Path) -> Result<(Contents, bool), StoreError> {
    with_store(folder, |reading, whole| {
        let contents = check_records(reading, &folder.join(FILE))?;
        Ok((contents, whole))
    })
}

/// Gives the room that a store no longer needs back to the disk; its size in bytes before and
/// after. No server may run on it.
///
/// # Errors
/// `NotThere`, `InUse`, what is wrong with the file, and whatever writing can fail with.
pub fn compact(folder: &Path) -> Result<(u64, u64), StoreError> {
    let path = existing(folder)?;
    let size = || fs::metadata(&path).map(|file| file.len());
    let size = || size().map_err(|error| failed(&path, &error));
    let place = Place::lock(folder, Arc::new(Nobody))?;
    drop(admit(&path)?);
    let before = size()?;
    guarded(|| {
        let mut database = place.open(FILE)?;
        while database.compact().map_err(write)? {}
        database.close().map_err(|error| refused(&path, error))
    })?;
    Ok((before, size()?))
}

/// A folder that has nothing in it, and is this process's own from now on.
pub fn empty(folder: &Path) -> Result<Place, StoreError> {
    let is_empty = match fs::read_dir(folder) {
        Ok(mut entries) => entries.all(|entry| entry.is_ok_and(|entry| is_left(&entry))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(failed(folder, &error)),
    };
    if !is_empty {
        return Err(StoreError::NotEmpty(folder.to_owned()));
    }
    Place::lock(folder, Arc::new(Nobody))
}

/// Whether a file was left by one who tried to make a store here before.
fn is_left(entry: &fs::DirEntry) -> bool {
    let name = entry.file_name();
    name == LOCK || name == format!("{FILE}{UNFINISHED}").as_str()
}

/// Reads the store of `folder` at one moment: beside the server that runs on it, or else over an
/// overlay, after every page was checked. `work` is told whether that was so.
pub fn with_store<T>(
    folder: &Path,
    work: impl FnOnce(&ReadTransaction, bool) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let path = existing(folder)?;
    guard_reads(&path, || match Place::lock_to_read(folder) {
        Ok(_place) => {
            let database = admit(&path)?.database;
            work(&database.begin_read().map_err(read)?, true)
        }
        Err(StoreError::InUse(_)) => {
            let database = open_beside_server(&path)?;
            work(&database.begin_read().map_err(read)?, false)
        }
        Err(error) => Err(error),
    })
}

fn open_beside_server(path: &Path) -> Result<ReadOnlyDatabase, StoreError> {
    let file = open_regular(path).map_err(|error| failed(path, &error))?;
    let file = FileBackend::new(file).map_err(|error| refused(path, error))?;
    let opened = builder().open_read_only_with_backend(file);
    opened.map_err(|error| match error {
        // It was left by a crash or by an error of the disk, and is not repaired yet.
        DatabaseError::RepairAborted => failed(
            path,
            &io::Error::other("its server cannot write it just now"),
        ),
        error => refused(path, error),
    })
}

fn existing(folder: &Path) -> Result<std::path::PathBuf, StoreError> {
    let path = folder.join(FILE);
    if exists(&path)? {
        Ok(path)
    } else {
        Err(StoreError::NotThere(folder.to_owned()))
    }
}
