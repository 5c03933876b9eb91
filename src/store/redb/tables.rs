//! The tables of the file, and how one change is written into them.

use redb::{
    ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableDefinition, TableError,
    WriteTransaction,
};

use super::{read, write};
use crate::model::{Change, ChangeKind, Rev};
use crate::store::StoreError;
use crate::store::record::encode_profile;

/// Numbers that describe the store, by name.
pub const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
/// Profiles by pet.
pub const PETS: TableDefinition<u64, &[u8]> = TableDefinition::new("pets");
/// Current status and its `since` (microseconds) by pet. Apart from the profile, because it is
/// written a thousand times as often and is a tenth of the size.
pub const STATUSES: TableDefinition<u64, (&str, i64)> = TableDefinition::new("statuses");
/// Every change by rev.
pub const LOG: TableDefinition<u64, &[u8]> = TableDefinition::new("log");
/// The revs of each pet's changes: an index into `LOG`.
pub const HISTORY: TableDefinition<(u64, u64), ()> = TableDefinition::new("history");

/// The last change of each pet that was trimmed from the log. Together with `HISTORY` it holds the rev
/// of every pet's last change, however old that is.
pub const TRIMMED: TableDefinition<u64, u64> = TableDefinition::new("trimmed");

/// `META`: the version of the tables' layout.
pub const SCHEMA: &str = "schema";
/// `META`: the bits of the epoch.
pub const EPOCH: &str = "epoch";
/// `META`: the rev of the last change.
pub const REV: &str = "rev";
/// `META`: the id of the pet that is created next.
pub const NEXT_PET: &str = "next-pet";
/// `META`: the present by which retention counted ages last, in microseconds since the Unix epoch.
/// Absent in stores of earlier versions.
pub const PRESENT: &str = "present";
/// `META`: there only where the history ends: in a backup, whose store may have gone on, and in a
/// store that has forgotten what was shown. Whoever opens it as a store gives it an epoch of its
/// own, so that no rev means two things.
pub const IS_OVER: &str = "is-over";

/// The layout that the first release wrote. Those after it are counted by `migrate`.
pub const FIRST_SCHEMA: u64 = 1;

/// Reads one number of `META`.
pub fn number(
    meta: &impl ReadableTable<&'static str, u64>,
    name: &'static str,
) -> Result<u64, StoreError> {
    let value = meta.get(name).map_err(read)?;
    value
        .map(|value| value.value())
        .ok_or_else(|| StoreError::Record(format!("the store has no {name:?}")))
}

/// Looks up the last change of each pet.
pub struct LastChanges {
    history: ReadOnlyTable<(u64, u64), ()>,
    /// Absent until something was trimmed.
    trimmed: Option<ReadOnlyTable<u64, u64>>,
}

impl LastChanges {
    pub fn open(reading: &ReadTransaction) -> Result<Self, StoreError> {
        let trimmed = match reading.open_table(TRIMMED) {
            Ok(trimmed) => Some(trimmed),
            Err(TableError::TableDoesNotExist(_)) => None,
            Err(error) => return Err(read(error)),
        };
        Ok(LastChanges {
            history: reading.open_table(HISTORY).map_err(read)?,
            trimmed,
        })
    }

    /// The rev of the pet's last change; `Rev::ZERO` if the store has no trace of one.
    pub fn of_pet(&self, pet: u64) -> Result<Rev, StoreError> {
        let mut changes = self
            .history
            .range((pet, 0)..=(pet, u64::MAX))
            .map_err(read)?;
        if let Some(last) = changes.next_back() {
            return Ok(Rev::new(last.map_err(read)?.0.value().1));
        }
        let Some(trimmed) = &self.trimmed else {
            return Ok(Rev::ZERO);
        };
        let trimmed = trimmed.get(pet).map_err(read)?;
        Ok(trimmed.map_or(Rev::ZERO, |rev| Rev::new(rev.value())))
    }
}

/// The tables that a change is written into, open in one transaction.
pub struct Written<'txn> {
    pets: Table<'txn, u64, &'static [u8]>,
    statuses: Table<'txn, u64, (&'static str, i64)>,
    log: Table<'txn, u64, &'static [u8]>,
    history: Table<'txn, (u64, u64), ()>,
    trimmed: Table<'txn, u64, u64>,
}

impl<'txn> Written<'txn> {
    pub fn open(writing: &'txn WriteTransaction) -> Result<Self, StoreError> {
        Ok(Written {
            pets: writing.open_table(PETS).map_err(write)?,
            statuses: writing.open_table(STATUSES).map_err(write)?,
            log: writing.open_table(LOG).map_err(write)?,
            history: writing.open_table(HISTORY).map_err(write)?,
            trimmed: writing.open_table(TRIMMED).map_err(write)?,
        })
    }

    /// Brings the pet to what it is after `change`.
    pub fn apply(&mut self, change: &Change) -> Result<(), StoreError> {
        let pet = change.pet.get();
        if let Some((status, since)) = change.status() {
            return self.set_status(pet, status.as_str(), since.micros());
        }
        match &change.kind {
            ChangeKind::Pet(record) => {
                let profile = encode_profile(&record.profile);
                self.put(pet, &profile, record.status.as_str(), record.since.micros())
            }
            _ => {
                self.pets.remove(pet).map_err(write)?;
                self.statuses.remove(pet).map_err(write)?;
                self.trimmed.remove(pet).map_err(write)?;
                Ok(())
            }
        }
    }

    /// Appends `change`, already encoded as `record`, to the log.
    pub fn log(&mut self, change: &Change, record: &[u8]) -> Result<(), StoreError> {
        let rev = change.rev.get();
        self.log.insert(rev, record).map_err(write)?;
        self.history
            .insert((change.pet.get(), rev), ())
            .map_err(write)?;
        Ok(())
    }

    /// Puts a pet as it is, with its profile encoded.
    pub fn put(
        &mut self,
        pet: u64,
        profile: &[u8],
        status: &str,
        since: i64,
    ) -> Result<(), StoreError> {
        self.pets.insert(pet, profile).map_err(write)?;
        self.set_status(pet, status, since)
    }

    /// Takes `change` out of the log.
    pub fn forget(&mut self, change: &Change) -> Result<(), StoreError> {
        let rev = change.rev.get();
        self.log.remove(rev).map_err(write)?;
        let pet = change.pet.get();
        self.history.remove((pet, rev)).map_err(write)?;
        if self.pets.get(pet).map_err(write)?.is_some() {
            self.trimmed.insert(pet, rev).map_err(write)?;
        }
        Ok(())
    }

    fn set_status(&mut self, pet: u64, status: &str, since: i64) -> Result<(), StoreError> {
        self.statuses.insert(pet, (status, since)).map_err(write)?;
        Ok(())
    }
}
