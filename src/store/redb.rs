//! The embedded engine: one redb file with the pets, their current statuses and the change log.
//!
//! A commit is one redb transaction with two syncs, because another process may read the file
//! meanwhile; a batch of changes costs one such wait for the disk. Reads open a transaction of
//! their own and close it before they return: one held open would make the file grow with every
//! write.

mod accounts;
mod backup;
mod check;
mod copy;
mod file;
mod inspect;
mod make;
mod migrate;
mod open;
mod overlay;
mod place;
mod refusal;
mod room;
mod tables;
#[cfg(test)]
mod tests;
mod transfer;
mod trim;
mod witness;

use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use ::redb::{ReadTransaction, ReadableTable};

pub use self::backup::{backup, check, compact, restore};
pub use self::check::Contents;
use self::file::StoreFile;
use self::tables::{
    HISTORY, IS_OVER, LOG, LastChanges, META, NEXT_PET, PETS, PRESENT, REV, STATUSES,
};
pub use self::transfer::{export, import, write_new};
use self::witness::Nobody;
pub use self::witness::{Event, Witness};
use super::accounts::LocalAccountVersion;
use super::record::{decode_change, decode_profile, decode_status, encode_change};
use super::{
    AppliedChange, Engine, Follower, Following, Snapshot, StoreError, check_revs, check_tail,
    number,
};
use crate::model::{Change, Epoch, Pet, PetId, Rev, Timestamp};

/// A store in a folder of its own. Dropping it closes the file.
pub struct RedbEngine {
    file: StoreFile,
    following: Following,
    roster_version: LocalAccountVersion,
}

impl RedbEngine {
    /// Opens the store in `folder`, or makes it there when there is none.
    ///
    /// # Errors
    /// `InUse`, `NewerSchema`, `Foreign`, `Damaged` or `Open`; whatever is on the disk is left as
    /// it was.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        RedbEngine::open_watched(folder, Arc::new(Nobody))
    }

    /// The same, with a witness to everything that is done to the disk.
    ///
    /// # Errors
    /// As for `open`, and what the witness refuses.
    pub fn open_watched(folder: &Path, witness: Arc<dyn Witness>) -> Result<Self, StoreError> {
        let file = StoreFile::open(folder, witness)?;
        Ok(RedbEngine {
            file,
            following: Following::default(),
            roster_version: LocalAccountVersion::default(),
        })
    }

    /// Makes `changes`, which have their revs already, durable at the end of the log, and shows
    /// nobody.
    ///
    /// # Errors
    /// `Conflict` when they do not follow the last change without a hole; `Full` or `Write`, as
    /// for `commit`.
    pub fn append(&self, changes: &[Change]) -> Result<(), StoreError> {
        let Some(last) = changes.last() else {
            return Ok(());
        };
        self.file.write(|writing| {
            let mut meta = writing.open_table(META).map_err(write)?;
            check_revs(Rev::new(tables::number(&meta, REV)?), changes)?;
            let mut tables = tables::Written::open(writing)?;
            let mut next_pet = PetId::new(tables::number(&meta, NEXT_PET)?);
            for change in changes {
                tables.apply(change)?;
                tables.log(change, &encode_change(change))?;
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
        self.file.read(snapshot)
    }

    fn follow(&self, _: Rev, follower: Weak<dyn Follower>) {
        self.following.begin(follower);
    }

    fn commit(&self, base: Rev, proposed: &[AppliedChange]) -> Result<Vec<Rev>, StoreError> {
        let changes = number(base, proposed);
        self.append(&changes)?;
        self.following.show(&changes);
        Ok(changes.iter().map(|change| change.rev).collect())
    }

    fn check_place(&self) -> Result<(), StoreError> {
        self.file.check_place()
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
            tables::number(&meta, REV).map(Rev::new)
        })
    }

    fn trim(
        &self,
        present: Timestamp,
        history: Duration,
        kept: u64,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let old = self
            .file
            .read(|reading| trim::find_old(reading, present, history, kept, limit))?;
        if old.is_empty() {
            return Ok(0);
        }
        self.file.write(|writing| {
            let mut tables = tables::Written::open(writing)?;
            old.iter().try_for_each(|change| tables.forget(change))?;
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
            let log = reading.open_table(LOG).map_err(read)?;
            let rows = log.range(after.next().get()..).map_err(read)?;
            let changes = rows.take(limit).map(|row| {
                let (rev, record) = row.map_err(read)?;
                decode_change(Rev::new(rev.value()), record.value())
            });
            check_tail(after, changes.collect::<Result<_, _>>()?)
        })
    }

    fn kept(&self, after: Rev, before: Rev) -> Result<Vec<Change>, StoreError> {
        let first = after.next().get();
        let end = before.get().max(first);
        self.file.read(|reading| {
            let log = reading.open_table(LOG).map_err(read)?;
            let rows = log.range(first..end);
            let changes = rows.map_err(read)?.map(|row| {
                let (rev, record) = row.map_err(read)?;
                decode_change(Rev::new(rev.value()), record.value())
            });
            changes.collect()
        })
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
            let rows = history
                .range((pet.get(), 0)..(pet.get(), end))
                .map_err(read)?;
            rows.rev()
                .take(limit)
                .map(|row| {
                    let (_, rev) = row.map_err(read)?.0.value();
                    let record = log.get(rev).map_err(read)?.ok_or_else(|| {
                        StoreError::Record(format!("change {rev} is missing from the log"))
                    })?;
                    decode_change(Rev::new(rev), record.value())
                })
                .collect()
        })
    }
}

/// Everything that is true at one moment.
fn snapshot(reading: &ReadTransaction) -> Result<Snapshot, StoreError> {
    let meta = reading.open_table(META).map_err(read)?;
    let statuses = reading.open_table(STATUSES).map_err(read)?;
    let profiles = reading.open_table(PETS).map_err(read)?;
    let last_changes = LastChanges::open(reading)?;
    let (mut pets, mut revs) = (Vec::new(), Vec::new());
    for row in profiles.iter().map_err(read)? {
        let (id, profile) = row.map_err(read)?;
        let status = statuses
            .get(id.value())
            .map_err(read)?
            .ok_or_else(|| StoreError::Record(format!("pet {} has no status", id.value())))?;
        let (status, since) = status.value();
        revs.push(last_changes.of_pet(id.value())?);
        pets.push(Pet {
            id: PetId::new(id.value()),
            profile: decode_profile(profile.value())?,
            status: decode_status(status)?,
            since: Timestamp::from_micros(since),
        });
    }
    Ok(Snapshot {
        rev: Rev::new(tables::number(&meta, REV)?),
        next_pet: PetId::new(tables::number(&meta, NEXT_PET)?),
        pets,
        revs,
    })
}

fn read(error: impl Into<::redb::Error>) -> StoreError {
    StoreError::Read(error.into().to_string())
}

fn write(error: impl Into<::redb::Error>) -> StoreError {
    match error.into() {
        ::redb::Error::Io(error) => StoreError::of_write(&error),
        error => StoreError::Write(error.to_string()),
    }
}
