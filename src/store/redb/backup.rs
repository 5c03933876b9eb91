//! Complete copies of a store: written while the server runs, and restored into an empty folder. Also
//! checks a store, and compacts it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use redb::{
    Key, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, TableHandle, Value,
    WriteTransaction,
};

use super::accounts::{
    ACCOUNTS, ADMIN_AUDIT_ENTRIES, AUDIT_ENTRIES, CLOCK, RESCUE, TOKENS, WEBHOOKS,
};
use super::check::{Contents, check_records};
use super::errors::{self, read, write};
use super::file::guard_writes;
use super::folder::{FILE, LOCK, StoreFolder, UNFINISHED, exists};
use super::io_observer::NoObserver;
use super::open::{begin_history, guard_reads, inspect_known};
use super::photos::{PHOTO_TIMES, PHOTOS};
use super::sharing::{SOCKET, SharedFile};
use super::tables::{
    HISTORY, IS_OVER, LOG, META, NOTES, PETS, STATUSES, TRASH, TRIMMED, open_if_present,
};
use crate::store::StoreError;

/// Tables that no copy has: the proof of a recovery, and sessions, because a session that was ended
/// after the copy must not become valid again with it.
const NOT_COPIED: [&str; 2] = ["proof", "sessions"];

/// Writes a consistent copy of the store of `folder` into a new file. A server may run on the store
/// and is not disturbed.
///
/// # Errors
/// `NoStoreInFolder`, `Exists`, and the errors of reading and writing; then there is no file.
pub fn backup(folder: &Path, file: &Path) -> Result<Contents, StoreError> {
    let (target, name) = StoreFolder::of_new_file(file)?;
    with_store(folder, |store| {
        target.create_store(&name, |writing| {
            copy(&store.reading, writing)?;
            store.confirm()?;
            let mut meta = writing.open_table(META).map_err(write)?;
            meta.insert(IS_OVER, 1).map_err(write)?;
            Ok(())
        })
    })
}

/// Restores a backup into `folder`, which must be empty, or is made.
///
/// # Errors
/// `NotEmpty`, the errors of `open::inspect_known` for the file, and the errors of writing.
pub fn restore(file: &Path, folder: &Path) -> Result<Contents, StoreError> {
    let inspection = inspect_known(file)?;
    let folder = lock_empty(folder)?;
    guard_reads(file, || {
        let reading = inspection.database.begin_read().map_err(read)?;
        folder.create_store(FILE, |writing| {
            copy(&reading, writing)?;
            begin_history(writing)
        })
    })
}

/// Checks every page and every record of a store, and changes nothing. While a server runs on the
/// store it checks only the records, and the second value is false.
///
/// # Errors
/// `NoStoreInFolder`, and what is wrong with the store.
pub fn check(folder: &Path) -> Result<(Contents, bool), StoreError> {
    with_store(folder, |store| {
        let contents = check_records(&store.reading, &folder.join(FILE))?;
        store.confirm()?;
        Ok((contents, store.server.is_none()))
    })
}

/// Gives the free space inside a store's file back to the disk. Returns the size of the file in
/// bytes before and after. No server may run on the store.
///
/// # Errors
/// `NoStoreInFolder`, `InUse`, what is wrong with the file, and the errors of writing.
pub fn compact(folder: &Path) -> Result<(u64, u64), StoreError> {
    let path = existing_file(folder)?;
    let size_bytes = || {
        let file = fs::metadata(&path);
        file.map_or_else(
            |error| Err(StoreError::from_open(&path, &error)),
            |file| Ok(file.len()),
        )
    };
    let folder = StoreFolder::lock(folder, Arc::new(NoObserver))?;
    drop(inspect_known(&path)?);
    let before = size_bytes()?;
    guard_writes(|| {
        let mut database = folder.open(FILE)?;
        while database.compact().map_err(write)? {}
        database.close().map_err(|error| errors::open(&path, error))
    })?;
    Ok((before, size_bytes()?))
}

/// Locks a folder that has nothing in it, or is made.
///
/// # Errors
/// `NotEmpty`, and the errors of `StoreFolder::lock`.
pub fn lock_empty(folder: &Path) -> Result<StoreFolder, StoreError> {
    let is_empty = match fs::read_dir(folder) {
        Ok(mut entries) => entries.all(|entry| entry.is_ok_and(|entry| is_leftover(&entry))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(StoreError::from_open(folder, &error)),
    };
    if !is_empty {
        return Err(StoreError::NotEmpty(folder.to_owned()));
    }
    StoreFolder::lock(folder, Arc::new(NoObserver))
}

/// Returns true if an attempt to create a store here left the file.
fn is_leftover(entry: &fs::DirEntry) -> bool {
    let name = entry.file_name();
    name == LOCK || name == SOCKET || name == format!("{FILE}{UNFINISHED}").as_str()
}

/// A store as it is at one moment.
pub struct StoreView {
    /// The transaction that reads it.
    pub reading: ReadTransaction,
    /// The file of the server that runs on the store; `None` without a server: then every page was checked.
    server: Option<SharedFile>,
}

impl StoreView {
    /// Confirms that everything read so far is of the one moment. To be called before it is used.
    ///
    /// # Errors
    /// `NotKept` or `NoAnswer`.
    pub fn confirm(&self) -> Result<(), StoreError> {
        self.server.as_ref().map_or(Ok(()), SharedFile::confirm)
    }
}

/// Reads the store of `folder` in one transaction: beside the server that runs on it, or otherwise
/// over a copy-on-write view, after a check of every page.
///
/// # Errors
/// `NoStoreInFolder`, what is wrong with the file or its server, and the errors of `work`.
pub fn with_store<T>(
    folder: &Path,
    work: impl FnOnce(&StoreView) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let path = existing_file(folder)?;
    let (store, _lock) = guard_reads(&path, || match StoreFolder::lock_to_read(folder) {
        Ok(lock) => {
            let database = inspect_known(&path)?.database;
            let reading = database.begin_read().map_err(read)?;
            Ok((
                StoreView {
                    reading,
                    server: None,
                },
                Some((lock, database)),
            ))
        }
        Err(StoreError::InUse(_)) => {
            let server = SharedFile::open(folder)?;
            let reading = server.database.begin_read().map_err(read)?;
            Ok((
                StoreView {
                    reading,
                    server: Some(server),
                },
                None,
            ))
        }
        Err(error) => Err(error),
    })?;
    // What is read of pages that were not kept can be anything.
    guard_reads(&path, || work(&store)).map_err(|error| store.confirm().err().unwrap_or(error))
}

fn existing_file(folder: &Path) -> Result<PathBuf, StoreError> {
    let path = folder.join(FILE);
    if exists(&path)? {
        Ok(path)
    } else {
        Err(StoreError::NoStoreInFolder(folder.to_owned()))
    }
}

/// Copies every table. Each table of a store is listed here.
///
/// # Errors
/// `Record` for a table that is not listed: the copy would be incomplete.
fn copy(from: &ReadTransaction, to: &WriteTransaction) -> Result<(), StoreError> {
    let copied = [
        copy_table(from, to, META)?,
        copy_table(from, to, PETS)?,
        copy_table(from, to, STATUSES)?,
        copy_table(from, to, NOTES)?,
        copy_table(from, to, LOG)?,
        copy_table(from, to, HISTORY)?,
        copy_table(from, to, TRIMMED)?,
        copy_table(from, to, TRASH)?,
        copy_table(from, to, ACCOUNTS)?,
        copy_table(from, to, TOKENS)?,
        copy_table(from, to, AUDIT_ENTRIES)?,
        copy_table(from, to, ADMIN_AUDIT_ENTRIES)?,
        copy_table(from, to, CLOCK)?,
        copy_table(from, to, RESCUE)?,
        copy_table(from, to, WEBHOOKS)?,
        copy_table(from, to, PHOTOS)?,
        copy_table(from, to, PHOTO_TIMES)?,
    ];
    let is_known =
        |name: &str| NOT_COPIED.contains(&name) || copied.iter().any(|copied| copied == name);
    let mut tables = from.list_tables().map_err(read)?;
    match tables.find(|table| !is_known(table.name())) {
        Some(table) => Err(StoreError::Record(format!("the table {:?}", table.name()))),
        None => Ok(()),
    }
}

/// Copies one table if it exists, and returns its name.
fn copy_table<K: Key + 'static, V: Value + 'static>(
    from: &ReadTransaction,
    to: &WriteTransaction,
    table: TableDefinition<'static, K, V>,
) -> Result<String, StoreError> {
    if let Some(source) = open_if_present(from, table)? {
        let mut target = to.open_table(table).map_err(write)?;
        for row in source.iter().map_err(read)? {
            let (key, value) = row.map_err(read)?;
            target.insert(key.value(), value.value()).map_err(write)?;
        }
    }
    Ok(table.name().to_owned())
}
