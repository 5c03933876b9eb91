//! The embedded engine: one redb file with the pets, their current statuses and the change log.
//!
//! A commit is one redb transaction with a sync, so a batch of changes costs one wait for the
//! disk. Reads open a transaction of their own and close it before they return: one held open
//! would make the file grow with every write.

mod accounts;
mod open;
mod tables;

use std::fs::File;
use std::path::Path;

use ::redb::{Database, ReadableDatabase, ReadableTable};

use self::tables::{HISTORY, LOG, META, NEXT_PET, PETS, REV, STATUSES};
use super::record::{decode_change, decode_profile, decode_status, encode_change};
use super::{Engine, Snapshot, StoreError, check_revs};
use crate::model::{Change, Epoch, Moment, Pet, PetId, Rev};

/// A store in a folder of its own. Dropping it closes the file.
pub struct RedbEngine {
    epoch: Epoch,
    database: Database,
    /// Held as long as the store is open: what keeps a second program out.
    _lock: File,
}

impl RedbEngine {
    /// Opens the store in `folder`, or makes it there when there is none.
    ///
    /// # Errors
    /// `InUse`, `NewerSchema`, `Foreign` or `Open`; whatever is on the disk is left as it was.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        open::open(folder)
    }
}

impl Engine for RedbEngine {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let reading = self.database.begin_read().map_err(read)?;
        let meta = reading.open_table(META).map_err(read)?;
        let statuses = reading.open_table(STATUSES).map_err(read)?;
        let mut pets = Vec::new();
        for row in reading
            .open_table(PETS)
            .map_err(read)?
            .iter()
            .map_err(read)?
        {
            let (id, profile) = row.map_err(read)?;
            let status = statuses
                .get(id.value())
                .map_err(read)?
                .ok_or_else(|| StoreError::Read(format!("pet {} has no status", id.value())))?;
            let (status, since) = status.value();
            pets.push(Pet {
                id: PetId::new(id.value()),
                profile: decode_profile(profile.value())?,
                status: decode_status(status)?,
                since: Moment::from_micros(since),
            });
        }
        Ok(Snapshot {
            rev: Rev::new(tables::number(&meta, REV)?),
            next_pet: PetId::new(tables::number(&meta, NEXT_PET)?),
            pets,
        })
    }

    fn commit(&self, changes: &[Change]) -> Result<(), StoreError> {
        let Some(last) = changes.last() else {
            return Ok(());
        };
        let writing = self.database.begin_write().map_err(write)?;
        {
            let mut meta = writing.open_table(META).map_err(write)?;
            check_revs(Rev::new(tables::number(&meta, REV)?), changes)?;
            let mut tables = tables::Written::open(&writing)?;
            let mut next_pet = PetId::new(tables::number(&meta, NEXT_PET)?);
            for change in changes {
                tables.apply(change)?;
                tables.log(change, &encode_change(change))?;
                next_pet = next_pet.max(change.pet.next());
            }
            meta.insert(REV, last.rev.get()).map_err(write)?;
            meta.insert(NEXT_PET, next_pet.get()).map_err(write)?;
        }
        writing.commit().map_err(write)
    }

    fn tail(&self, after: Rev, limit: usize) -> Result<Vec<Change>, StoreError> {
        let reading = self.database.begin_read().map_err(read)?;
        let log = reading.open_table(LOG).map_err(read)?;
        let rows = log.range(after.next().get()..).map_err(read)?;
        rows.take(limit)
            .map(|row| {
                let (rev, record) = row.map_err(read)?;
                decode_change(Rev::new(rev.value()), record.value())
            })
            .collect()
    }

    fn history(
        &self,
        pet: PetId,
        before: Option<Rev>,
        limit: usize,
    ) -> Result<Vec<Change>, StoreError> {
        let reading = self.database.begin_read().map_err(read)?;
        let log = reading.open_table(LOG).map_err(read)?;
        let end = before.map_or(u64::MAX, Rev::get);
        let history = reading.open_table(HISTORY).map_err(read)?;
        let rows = history
            .range((pet.get(), 0)..(pet.get(), end))
            .map_err(read)?;
        rows.rev()
            .take(limit)
            .map(|row| {
                let (_, rev) = row.map_err(read)?.0.value();
                let record = log.get(rev).map_err(read)?.ok_or_else(|| {
                    StoreError::Read(format!("change {rev} is missing from the log"))
                })?;
                decode_change(Rev::new(rev), record.value())
            })
            .collect()
    }
}

fn read(error: impl Into<::redb::Error>) -> StoreError {
    StoreError::Read(error.into().to_string())
}

fn write(error: impl Into<::redb::Error>) -> StoreError {
    StoreError::Write(error.into().to_string())
}
