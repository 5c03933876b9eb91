//! The tables of the file, and how one change is written into them.

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use super::{read, write};
use crate::model::{Change, ChangeKind};
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

/// `META`: the version of the tables' layout.
pub const SCHEMA: &str = "schema";
/// `META`: the bits of the epoch.
pub const EPOCH: &str = "epoch";
/// `META`: the rev of the last change.
pub const REV: &str = "rev";
/// `META`: the id of the pet that is created next.
pub const NEXT_PET: &str = "next-pet";
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

/// The tables that a change is written into, open in one transaction.
pub struct Written<'txn> {
    pets: Table<'txn, u64, &'static [u8]>,
    statuses: Table<'txn, u64, (&'static str, i64)>,
    log: Table<'txn, u64, &'static [u8]>,
    history: Table<'txn, (u64, u64), ()>,
}

impl<'txn> Written<'txn> {
    pub fn open(writing: &'txn WriteTransaction) -> Result<Self, StoreError> {
        Ok(Written {
            pets: writing.open_table(PETS).map_err(write)?,
            statuses: writing.open_table(STATUSES).map_err(write)?,
            log: writing.open_table(LOG).map_err(write)?,
            history: writing.open_table(HISTORY).map_err(write)?,
        })
    }

    /// Brings the pet to what it is after `change`.
    pub fn apply(&mut self, change: &Change) -> Result<(), StoreError> {
        let pet = change.pet.get();
        match &change.kind {
            ChangeKind::Status(status) => self.set_status(pet, status.as_str(), change.at.micros()),
            ChangeKind::Pet(record) => {
                let profile = encode_profile(&record.profile);
                self.put(pet, &profile, record.status.as_str(), record.since.micros())
            }
            ChangeKind::Gone => {
                self.pets.remove(pet).map_err(write)?;
                self.statuses.remove(pet).map_err(write)?;
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
        self.history
            .remove((change.pet.get(), rev))
            .map_err(write)?;
        Ok(())
    }

    fn set_status(&mut self, pet: u64, status: &str, since: i64) -> Result<(), StoreError> {
        self.statuses.insert(pet, (status, since)).map_err(write)?;
        Ok(())
    }
}
