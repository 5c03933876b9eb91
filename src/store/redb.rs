//! The embedded engine: one redb file with the pets, their current statuses and the change log.
//!
//! A commit is one redb transaction with one fsync, which a batch of changes shares. After a power cut
//! redb takes the newest commit whose checksums are right. Each read opens a transaction of
//! its own and closes it before it returns: an open read transaction makes the file grow with every
//! write.
//!
//! Another process reads the file with the help of the one that writes it: `sharing`.
//!
//! A commit goes through two files: `append` here writes the rows, and `file` makes the transaction
//! durable.

mod accounts;
mod backup;
mod check;
mod copy_on_write;
mod errors;
mod file;
mod folder;
mod io_observer;
mod migrate;
mod open;
mod photos;
mod sharing;
mod tables;
#[cfg(test)]
mod tests;
mod transfer;
mod trim;

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use ::redb::{ReadableTable, Table, WriteTransaction};
use bytes::Bytes;

pub use self::backup::{backup, check, compact, restore};
pub use self::check::Contents;
use self::errors::{read, write};
use self::file::StoreFile;
use self::folder::StoreFolder;
use self::io_observer::NoObserver;
pub use self::io_observer::{IoEvent, IoObserver};
use self::sharing::SharingServer;
pub use self::sharing::serving_process;
use self::tables::{
    HISTORY, IS_OVER, LOG, META, NEXT_PET, NOTES, PETS, PRESENT, REV, STATUSES, TRASH, TRIMMED,
    number,
};
pub use self::transfer::{export, import, write_new};
use super::accounts::LocalAccountVersion;
use super::record::{decode_change, encode_change, encode_details, encode_status};
use super::{
    AppliedChange, Engine, Follower, Following, PhotoStore, Snapshot, StoreError, assign_revs,
    check_revs, check_tail,
};
use crate::model::{
    Change, ChangeKind, Epoch, Pet, PetId, PhotoFile, PhotoHash, Removal, Rev, Status, Timestamp,
};

/// A store in a folder. Dropping it closes the file.
pub struct RedbEngine {
    /// `None` after `close`, or if the file cannot be shared. Ends before the file is closed.
    sharing: Mutex<Option<SharingServer>>,
    file: Arc<StoreFile>,
    following: Following,
    account_version: LocalAccountVersion,
}

impl RedbEngine {
    /// Opens the store in `folder`, or creates it there if there is none.
    ///
    /// # Errors
    /// `InUse`, `NewerSchema`, `Foreign`, `Damaged` or `Open`; the files on the disk are then
    /// unchanged.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        RedbEngine::open_observed(folder, Arc::new(NoObserver))
    }

    /// Like `open`, with an observer of every change to the disk.
    ///
    /// # Errors
    /// Those of `open`, and those of the observer.
    pub fn open_observed(folder: &Path, observer: Arc<dyn IoObserver>) -> Result<Self, StoreError> {
        let folder = StoreFolder::lock(folder, observer)?;
        let socket = folder.share();
        let file = Arc::new(StoreFile::open(folder)?);
        let sharing = socket.and_then(|socket| SharingServer::start(socket, Arc::clone(&file)));
        if let Err(error) = &sharing {
            tracing::warn!(%error, "cannot share the store's file: backup, check and export work only while the server is stopped");
        }
        Ok(RedbEngine {
            sharing: Mutex::new(sharing.ok()),
            file,
            following: Following::default(),
            account_version: LocalAccountVersion::default(),
        })
    }

    /// Appends `changes`, which have their revs, to the log in one durable transaction, and applies
    /// them to the pets. The follower does not receive them.
    ///
    /// # Errors
    /// `Conflict` if there is a gap before the first change; `Full` or `Write`, as for `commit`.
    pub fn append(&self, changes: &[Change]) -> Result<(), StoreError> {
        let Some(last) = changes.last() else {
            return Ok(());
        };
        self.file.write(|writing| {
            let mut meta = writing.open_table(META).map_err(write)?;
            check_revs(Rev::new(number(&meta, REV)?), changes)?;
            let mut tables = ChangeTables::open(writing)?;
            let mut next_pet = PetId::new(number(&meta, NEXT_PET)?);
            for change in changes {
                tables.apply(change)?;
                tables.log(change)?;
                next_pet = next_pet.max(change.pet.next());
            }
            meta.insert(REV, last.rev.get()).map_err(write)?;
            meta.insert(NEXT_PET, next_pet.get()).map_err(write)?;
            Ok(())
        })
    }
}

impl Engine for RedbEngine {
    fn epoch(&self) -> Epoch {
        self.file.epoch()
    }

    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.file.read(tables::snapshot)
    }

    fn follow(&self, _: Rev, follower: Weak<dyn Follower>) {
        self.following.begin(follower);
    }

    fn commit(&self, base: Rev, changes: &[AppliedChange]) -> Result<Vec<Rev>, StoreError> {
        let changes = assign_revs(base, changes);
        self.append(&changes)?;
        self.following.show(&changes);
        Ok(changes.iter().map(|change| change.rev).collect())
    }

    fn close(&self) {
        let mut sharing = self.sharing.lock().unwrap_or_else(PoisonError::into_inner);
        drop(sharing.take());
    }

    fn check_location(&self) -> Result<(), StoreError> {
        self.file.check_location()
    }

    fn is_healthy(&self) -> bool {
        self.file.is_healthy()
    }

    fn recover(&self) -> Result<(), StoreError> {
        self.file.recover()
    }

    fn end_history(&self) -> Result<(), StoreError> {
        self.file.write(|writing| {
            let mut meta = writing.open_table(META).map_err(write)?;
            meta.insert(IS_OVER, 1).map_err(write)?;
            Ok(())
        })
    }

    fn newest(&self) -> Result<Rev, StoreError> {
        self.file.read(|reading| {
            let meta = reading.open_table(META).map_err(read)?;
            number(&meta, REV).map(Rev::new)
        })
    }

    fn trim(
        &self,
        present: Timestamp,
        history: Duration,
        kept: u64,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let find_old = |reading: &_| trim::find_old(reading, present, history, kept, limit);
        let old = self.file.read(find_old)?;
        if old.is_empty() {
            return Ok(0);
        }
        self.file.write(|writing| {
            let mut tables = ChangeTables::open(writing)?;
            old.iter().try_for_each(|change| tables.trim(change))?;
            Ok(old.len())
        })
    }

    fn saved_present(&self) -> Result<Option<Timestamp>, StoreError> {
        self.file.read(|reading| {
            let meta = reading.open_table(META).map_err(read)?;
            let saved = meta.get(PRESENT).map_err(read)?;
            let micros = saved.and_then(|saved| i64::try_from(saved.value()).ok());
            Ok(micros.map(Timestamp::from_micros))
        })
    }

    fn save_present(&self, present: Timestamp) -> Result<(), StoreError> {
        let micros = u64::try_from(present.micros()).unwrap_or_default();
        self.file.write(|writing| {
            let mut meta = writing.open_table(META).map_err(write)?;
            meta.insert(PRESENT, micros).map_err(write)?;
            Ok(())
        })
    }

    fn tail(&self, after: Rev, limit: usize) -> Result<Vec<Change>, StoreError> {
        self.file.read(|reading| {
            let changes = tables::changes(reading, after.next().get()..)?;
            check_tail(after, changes.take(limit).collect::<Result<_, _>>()?)
        })
    }

    fn changes_between(&self, after: Rev, before: Rev) -> Result<Vec<Change>, StoreError> {
        let first = after.next().get();
        let end = before.get().max(first);
        self.file
            .read(|reading| tables::changes(reading, first..end)?.collect())
    }

    fn history(
        &self,
        pet: PetId,
        before: Option<Rev>,
        limit: usize,
    ) -> Result<Vec<Change>, StoreError> {
        let end = before.map_or(u64::MAX, Rev::get);
        self.file.read(|reading| {
            let log = reading.open_table(LOG).map_err(read)?;
            let history = reading.open_table(HISTORY).map_err(read)?;
            let revs = history.range((pet.get(), 0)..(pet.get(), end));
            let newest_first = revs.map_err(read)?.rev().take(limit);
            let changes = newest_first.map(|row| {
                let (_, rev) = row.map_err(read)?.0.value();
                let record = log.get(rev).map_err(read)?;
                let missing =
                    || StoreError::Record(format!("change {rev} is missing from the log"));
                decode_change(Rev::new(rev), record.ok_or_else(missing)?.value())
            });
            changes.collect()
        })
    }
}

impl PhotoStore for RedbEngine {
    fn put_photo(
        &self,
        hash: PhotoHash,
        files: &[PhotoFile],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.file
            .write(|writing| photos::put(writing, hash, files, now))
    }

    fn photo(&self, hash: PhotoHash, width_px: u32) -> Result<Option<Bytes>, StoreError> {
        self.file
            .read(|reading| photos::photo(reading, hash, width_px))
    }

    fn remove_unused_photos(
        &self,
        used: &HashSet<PhotoHash>,
        before: Timestamp,
    ) -> Result<usize, StoreError> {
        let unused = self
            .file
            .read(|reading| photos::unused(reading, used, before))?;
        if unused.is_empty() {
            return Ok(0);
        }
        self.file
            .write(|writing| photos::remove(writing, &unused, before))
    }
}

/// The tables that a change is written to, open in one transaction.
struct ChangeTables<'txn> {
    pets: Table<'txn, u64, &'static [u8]>,
    statuses: Table<'txn, u64, (&'static str, i64)>,
    notes: Table<'txn, u64, &'static str>,
    log: Table<'txn, u64, &'static [u8]>,
    history: Table<'txn, (u64, u64), ()>,
    trimmed: Table<'txn, u64, u64>,
    trash: Table<'txn, u64, (i64, Option<&'static str>)>,
}

impl<'txn> ChangeTables<'txn> {
    /// Opens the tables, and creates those that are missing.
    fn open(writing: &'txn WriteTransaction) -> Result<Self, StoreError> {
        Ok(ChangeTables {
            pets: writing.open_table(PETS).map_err(write)?,
            statuses: writing.open_table(STATUSES).map_err(write)?,
            notes: writing.open_table(NOTES).map_err(write)?,
            log: writing.open_table(LOG).map_err(write)?,
            history: writing.open_table(HISTORY).map_err(write)?,
            trimmed: writing.open_table(TRIMMED).map_err(write)?,
            trash: writing.open_table(TRASH).map_err(write)?,
        })
    }

    /// Applies `change` to its pet.
    fn apply(&mut self, change: &Change) -> Result<(), StoreError> {
        let id = change.pet.get();
        match &change.kind {
            ChangeKind::Status(status) => self.put_status(id, *status, change.at, None)?,
            ChangeKind::StatusSince(status, since, note) => {
                self.put_status(id, *status, *since, note.text())?;
            }
            ChangeKind::Pet(pet) => self.put(pet)?,
            ChangeKind::Gone(_) => {
                self.pets.remove(id).map_err(write)?;
                self.statuses.remove(id).map_err(write)?;
                self.notes.remove(id).map_err(write)?;
                self.trimmed.remove(id).map_err(write)?;
                self.trash.remove(id).map_err(write)?;
            }
        }
        Ok(())
    }

    /// Writes the whole pet.
    fn put(&mut self, pet: &Pet) -> Result<(), StoreError> {
        let (id, details) = (pet.id.get(), encode_details(pet));
        self.pets.insert(id, details.as_slice()).map_err(write)?;
        match &pet.removed {
            Some(Removal { at, by }) => {
                let row = (at.micros(), by.as_deref());
                self.trash.insert(id, row).map_err(write)?
            }
            None => self.trash.remove(id).map_err(write)?,
        };
        self.put_status(id, pet.status, pet.since, pet.note.text())
    }

    fn put_status(
        &mut self,
        pet: u64,
        status: Status,
        since: Timestamp,
        note: Option<&str>,
    ) -> Result<(), StoreError> {
        let row = (&*encode_status(&status), since.micros());
        self.statuses.insert(pet, row).map_err(write)?;
        match note {
            Some(note) => self.notes.insert(pet, note).map_err(write)?,
            None => self.notes.remove(pet).map_err(write)?,
        };
        Ok(())
    }

    /// Appends `change` to the log.
    fn log(&mut self, change: &Change) -> Result<(), StoreError> {
        let (rev, record) = (change.rev.get(), encode_change(change));
        self.log.insert(rev, record.as_slice()).map_err(write)?;
        let index = (change.pet.get(), rev);
        self.history.insert(index, ()).map_err(write)?;
        Ok(())
    }

    /// Removes `change` from the log.
    fn trim(&mut self, change: &Change) -> Result<(), StoreError> {
        let (pet, rev) = (change.pet.get(), change.rev.get());
        self.log.remove(rev).map_err(write)?;
        self.history.remove((pet, rev)).map_err(write)?;
        if self.pets.get(pet).map_err(write)?.is_some() {
            self.trimmed.insert(pet, rev).map_err(write)?;
        }
        Ok(())
    }
}
