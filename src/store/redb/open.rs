//! Opening the file, and making it so that no kill leaves half of one behind.
//!
//! A new store is made complete under another name and then renamed: a kill in the middle of
//! redb's first writes would leave a file that never opens again. A lock file of our own, taken
//! first, keeps a second program away from all of this.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Database, DatabaseError, ReadableDatabase, StorageError, TableError};

use super::tables::{self, EPOCH, KNOWN_SCHEMA, META, NEXT_PET, REV, SCHEMA};
use super::{RedbEngine, write};
use crate::model::{Epoch, PetId, Rev};
use crate::store::StoreError;

const FILE: &str = "pet-store.redb";
/// A store that is being made. One that is found was left by a kill, and holds nothing yet.
const UNFINISHED: &str = "pet-store.redb.new";
const LOCK: &str = "pet-store.lock";

/// Pages that redb keeps in memory. A rescue's store is a few megabytes; its default of 1 GiB
/// would let the log of a year fill a small machine.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

pub fn open(folder: &Path) -> Result<RedbEngine, StoreError> {
    let lock = lock(folder)?;
    let path = folder.join(FILE);
    if !path.try_exists().map_err(|error| failed(&path, &error))? {
        make(folder, &path)?;
    }
    let database = open_existing(&path)?;
    let epoch = read_epoch(&database, &path)?;
    Ok(RedbEngine {
        epoch,
        database,
        _lock: lock,
    })
}

/// Makes the folder if need be and takes its lock, which ends with this process.
fn lock(folder: &Path) -> Result<File, StoreError> {
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let path = folder.join(LOCK);
    let file = private(OpenOptions::new().write(true).create(true).truncate(false))
        .open(&path)
        .map_err(|error| failed(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(&path, &error)),
    }
}

/// Makes a whole store with no pets, and only then gives it its name.
fn make(folder: &Path, path: &Path) -> Result<(), StoreError> {
    let unfinished = folder.join(UNFINISHED);
    let file = private(
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true),
    )
    .open(&unfinished)
    .map_err(|error| failed(&unfinished, &error))?;
    let backend = FileBackend::new(file).map_err(|error| refused(&unfinished, error))?;
    let database = Database::builder()
        .set_cache_size(CACHE_BYTES)
        .create_with_backend(backend)
        .map_err(|error| refused(&unfinished, error))?;
    fill(&database)?;
    database
        .close()
        .map_err(|error| refused(&unfinished, error))?;
    fs::rename(&unfinished, path).map_err(|error| failed(path, &error))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| failed(folder, &error))
}

/// The first transaction of a store: all its tables, and the numbers that describe it.
fn fill(database: &Database) -> Result<(), StoreError> {
    let writing = database.begin_write().map_err(write)?;
    {
        tables::Written::open(&writing)?;
        let mut meta = writing.open_table(META).map_err(write)?;
        for (name, number) in [
            (SCHEMA, KNOWN_SCHEMA),
            (EPOCH, u64::from(rand::random::<u32>())),
            (REV, Rev::ZERO.get()),
            (NEXT_PET, PetId::FIRST.get()),
        ] {
            meta.insert(name, number).map_err(write)?;
        }
    }
    writing.commit().map_err(write)
}

fn open_existing(path: &Path) -> Result<Database, StoreError> {
    let length = fs::metadata(path)
        .map_err(|error| failed(path, &error))?
        .len();
    if length == 0 {
        return Err(foreign(path, "it is empty"));
    }
    // It may come from a copy that was made with other permissions.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        .map_err(|error| failed(path, &error))?;
    Database::builder()
        .set_cache_size(CACHE_BYTES)
        .open(path)
        .map_err(|error| refused(path, error))
}

fn read_epoch(database: &Database, path: &Path) -> Result<Epoch, StoreError> {
    let reading = database.begin_read().map_err(super::read)?;
    let meta = match reading.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::Storage(error)) => return Err(super::read(error)),
        Err(error) => return Err(foreign(path, &error.to_string())),
    };
    let found = tables::number(&meta, SCHEMA)?;
    if found > KNOWN_SCHEMA {
        return Err(StoreError::NewerSchema {
            path: path.to_owned(),
            found,
            known: KNOWN_SCHEMA,
        });
    }
    let bits = tables::number(&meta, EPOCH)?;
    let bits = u32::try_from(bits).map_err(|_| foreign(path, "its epoch is too large"))?;
    Ok(Epoch::new(bits))
}

/// Readable by its owner alone: the log says who did what, and later what staff may do.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

fn foreign(path: &Path, reason: &str) -> StoreError {
    StoreError::Foreign {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

fn failed(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Open {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

fn refused(path: &Path, error: DatabaseError) -> StoreError {
    let path_buf: PathBuf = path.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse(path_buf),
        DatabaseError::Storage(StorageError::Io(error))
            if error.kind() == io::ErrorKind::InvalidData =>
        {
            foreign(path, "it has another format")
        }
        DatabaseError::Storage(StorageError::Io(error)) => failed(path, &error),
        error => foreign(path, &error.to_string()),
    }
}
