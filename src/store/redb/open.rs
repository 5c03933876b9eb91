//! Opens the file of a store, and creates it if there is none.
//!
//! redb writes to a file as soon as it opens it, and repairs what it finds. So a file is first
//! inspected over a `CopyOnWrite` view: that it is complete, and its schema, are known before one
//! byte of it is changed. A file that is refused is left untouched.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{Database, ReadTransaction, ReadableDatabase, TableError, WriteTransaction};

use super::copy_on_write::CopyOnWrite;
use super::errors::{self, damaged, foreign, read, write};
use super::folder::{FILE, StoreFolder};
use super::migrate::{MigrationStep, STEPS, keep_copy, known_schema, migrate};
use super::tables::{self, EPOCH, IS_OVER, META, NEXT_PET, REV, SCHEMA};
use crate::model::{Epoch, PetId, Rev};
use crate::store::StoreError;
use crate::store::regular::open_regular;

/// The first bytes of every redb file.
const MAGIC: &[u8] = b"redb";

/// The page cache of an inspection, which reads most pages once. With redb's default of 1 GiB, a
/// start would take as much memory as the store is large.
const INSPECTION_CACHE_BYTES: usize = 8 * 1024 * 1024;

/// Opens the store of `folder`, or creates it there if there is none. `steps` migrate a store with
/// an older schema.
///
/// # Errors
/// `NewerSchema`, `Foreign`, `Damaged`, `Open`, and the errors of writing.
pub fn open(
    folder: &StoreFolder,
    steps: &[MigrationStep],
) -> Result<(Database, Epoch), StoreError> {
    if !folder.exists(FILE)? {
        folder.create_store(FILE, create_tables)?;
    }
    let path = folder.path(FILE);
    let found = inspect_up_to(&path, known_schema(steps))?.schema;
    folder.make_private(FILE)?;
    keep_copy(folder, found, steps)?;
    let database = folder.open(FILE)?;
    migrate(&database, found, steps)?;
    let is_over = {
        let reading = database.begin_read().map_err(read)?;
        let meta = reading.open_table(META).map_err(read)?;
        meta.get(IS_OVER).map_err(read)?.is_some()
    };
    if is_over {
        let writing = database.begin_write().map_err(write)?;
        begin_history(&writing)?;
        writing.commit().map_err(write)?;
    }
    let (_, epoch) = identity(&database.begin_read().map_err(read)?, &path)?;
    Ok((database, epoch))
}

/// Gives a store whose history has ended a new epoch: cursors of the old history are then answered
/// with a snapshot, and never with changes of the new history.
///
/// # Errors
/// `Write`.
pub fn begin_history(writing: &WriteTransaction) -> Result<(), StoreError> {
    let mut meta = writing.open_table(META).map_err(write)?;
    meta.remove(IS_OVER).map_err(write)?;
    let old = meta.insert(EPOCH, new_epoch()).map_err(write)?;
    let old = old.map(|old| old.value());
    let mut epoch = new_epoch();
    while old == Some(epoch) {
        epoch = new_epoch();
    }
    meta.insert(EPOCH, epoch).map_err(write)?;
    Ok(())
}

fn new_epoch() -> u64 {
    u64::from(rand::random::<u32>())
}

/// Writes the first transaction of a store: all its tables, and the numbers that describe it.
///
/// # Errors
/// `Write`.
pub fn create_tables(writing: &WriteTransaction) -> Result<(), StoreError> {
    super::ChangeTables::open(writing)?;
    let mut meta = writing.open_table(META).map_err(write)?;
    for (name, number) in [
        (SCHEMA, known_schema(STEPS)),
        (EPOCH, new_epoch()),
        (REV, Rev::ZERO.get()),
        (NEXT_PET, PetId::FIRST.get()),
    ] {
        meta.insert(name, number).map_err(write)?;
    }
    Ok(())
}

/// A complete file of a store, open without being changed.
pub struct Inspection {
    /// The version of the tables' layout.
    pub schema: u64,
    /// The epoch of the store.
    pub epoch: Epoch,
    /// Over a copy-on-write view.
    pub database: Database,
}

/// Checks every page of the file at `path`, and that this program knows its schema.
///
/// # Errors
/// `NewerSchema`, and the errors of `inspect`.
pub fn inspect_known(path: &Path) -> Result<Inspection, StoreError> {
    inspect_up_to(path, known_schema(STEPS))
}

fn inspect_up_to(path: &Path, known: u64) -> Result<Inspection, StoreError> {
    let inspection = inspect(path)?;
    if inspection.schema > known {
        return Err(StoreError::NewerSchema {
            path: path.to_owned(),
            found: inspection.schema,
            known,
        });
    }
    Ok(inspection)
}

/// Checks every page of the file at `path`, whatever its schema.
///
/// # Errors
/// `Foreign`, `Damaged` or `Open`.
pub fn inspect(path: &Path) -> Result<Inspection, StoreError> {
    let open_error = |error| StoreError::from_open(path, &error);
    let mut file = open_regular(path).map_err(open_error)?;
    let mut start = [0; MAGIC.len()];
    match file.read_exact(&mut start) {
        Ok(()) if start == MAGIC => {}
        Ok(()) => return Err(foreign(path, "it has another format")),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(foreign(path, "it is empty, or next to empty"));
        }
        Err(error) => return Err(open_error(error)),
    }
    let view = CopyOnWrite::new(file).map_err(open_error)?;
    guard_reads(path, || {
        let database = Database::builder()
            .set_cache_size(INSPECTION_CACHE_BYTES)
            .set_check_integrity_on_open(true)
            .create_with_backend(view)
            .map_err(|error| errors::open(path, error))?;
        let (schema, epoch) = identity(&database.begin_read().map_err(read)?, path)?;
        Ok(Inspection {
            schema,
            epoch,
            database,
        })
    })
}

/// Runs `work`, which reads the file at `path`, and turns a panic of redb over a damaged page into
/// an error. Every read of a file that this process does not serve goes through this function.
///
/// # Errors
/// `Damaged` after a panic, and the errors of `work`.
pub fn guard_reads<T>(
    path: &Path,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let done = catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|_| Err(damaged(path, "redb cannot make sense of it")))
}

/// Reads the schema and the epoch of an open file.
///
/// # Errors
/// `Foreign` or `Read`.
pub fn identity(reading: &ReadTransaction, path: &Path) -> Result<(u64, Epoch), StoreError> {
    let meta = match reading.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::Storage(error)) => return Err(read(error)),
        Err(error) => return Err(foreign(path, &error.to_string())),
    };
    let schema = tables::number(&meta, SCHEMA)?;
    let bits = tables::number(&meta, EPOCH)?;
    let bits = u32::try_from(bits).map_err(|_| foreign(path, "its epoch is too large"))?;
    Ok((schema, Epoch::new(bits)))
}
