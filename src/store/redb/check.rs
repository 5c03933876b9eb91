//! Checks that the records of a store are consistent, which no checksum of a page shows.

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use redb::{ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata};

use super::accounts;
use super::errors::{damaged, read};
use super::open::{guard_reads, inspect};
use super::photos;
use super::tables::{
    HISTORY, LOG, META, REV, SCHEMA, STATUSES, TRASH, number, open_if_present, snapshot,
};
use crate::model::{Pet, Profile, Rev};
use crate::store::StoreError;
use crate::store::archive::validate_number;
use crate::store::record::decode_change;
use crate::store::replay::LogReplay;

/// A summary of a store's contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The version of the tables' layout.
    pub schema: u64,
    /// Number of pets, with those in the trash.
    pub pets: u64,
    /// Number of pets in the trash.
    pub trash: u64,
    /// Number of changes in the log.
    pub changes: u64,
    /// The rev of the newest change.
    pub rev: u64,
}

/// Checks every page and every record of the file at `path`, and changes nothing.
///
/// # Errors
/// `Foreign`, `Damaged` or `Open`.
pub fn check_file(path: &Path) -> Result<Contents, StoreError> {
    let inspection = inspect(path)?;
    guard_reads(path, || {
        let reading = inspection.database.begin_read().map_err(read)?;
        check_records(&reading, path)
    })
}

/// Checks every record.
///
/// # Errors
/// `Damaged` with the first record that is inconsistent.
pub fn check_records(reading: &ReadTransaction, path: &Path) -> Result<Contents, StoreError> {
    summarize(reading).map_err(|error| match error {
        StoreError::Record(reason) => damaged(path, &reason),
        error => error,
    })
}

fn summarize(reading: &ReadTransaction) -> Result<Contents, StoreError> {
    let meta = reading.open_table(META).map_err(read)?;
    let rev = number(&meta, REV)?;
    let now = snapshot(reading)?;
    let statuses = reading.open_table(STATUSES).map_err(read)?;
    if statuses.len().map_err(read)? != now.pets.len() as u64 {
        return Err(StoreError::record("a status belongs to no pet"));
    }
    let in_trash = now.pets.iter().filter(|pet| pet.is_in_trash()).count() as u64;
    if let Some(trash) = open_if_present(reading, TRASH)?
        && trash.len().map_err(read)? != in_trash
    {
        return Err(StoreError::record(
            "the trash has a pet that does not exist",
        ));
    }
    if let Some(last) = now.pets.last().filter(|last| last.id >= now.next_pet) {
        return Err(StoreError::record(format!(
            "pet {} has an id that is yet to be given",
            last.id
        )));
    }
    validate_number("rev", rev)?;
    validate_number("next pet", now.next_pet.get())?;
    now.pets.iter().try_for_each(check_lengths)?;
    photos::check(reading, &now.pets)?;
    let (replay, changes) = replay_log(reading, rev)?;
    let pets: Vec<_> = now.pets.into_iter().map(Arc::new).collect();
    replay.compare(&pets, changes == rev)?;
    accounts::check(reading)?;
    Ok(Contents {
        schema: number(&meta, SCHEMA)?,
        pets: pets.len() as u64,
        trash: in_trash,
        changes,
        rev,
    })
}

/// Replays the whole log, and returns the result with the number of changes.
fn replay_log(reading: &ReadTransaction, newest: u64) -> Result<(LogReplay, u64), StoreError> {
    let log = reading.open_table(LOG).map_err(read)?;
    let history = reading.open_table(HISTORY).map_err(read)?;
    let changes = log.len().map_err(read)?;
    if history.len().map_err(read)? != changes {
        return Err(StoreError::record(
            "the history of the pets is not that of the log",
        ));
    }
    let first = log.first().map_err(read)?;
    let mut expected = first.map_or(1, |(rev, _)| rev.value());
    let mut replay = LogReplay::default();
    for row in log.iter().map_err(read)? {
        let (rev, record) = row.map_err(read)?;
        let rev = rev.value();
        if rev != expected {
            return Err(StoreError::record(format!(
                "change {expected} is missing from the log"
            )));
        }
        expected += 1;
        let change = decode_change(Rev::new(rev), record.value())?;
        let index = (change.pet.get(), rev);
        if history.get(index).map_err(read)?.is_none() {
            return Err(StoreError::record(format!(
                "change {rev} is not in its pet's history"
            )));
        }
        replay.apply(&change);
    }
    if expected != newest.saturating_add(1) {
        return Err(StoreError::record(format!(
            "the log does not end at rev {newest}"
        )));
    }
    Ok((replay, changes))
}

/// Checks that no field is longer than pages, API and import allow.
fn check_lengths(pet: &Pet) -> Result<(), StoreError> {
    let mut fields = Profile::FIELDS.iter();
    let long = fields.find_map(|field| {
        let excess = field.is_too_long(field.text(&pet.profile));
        Some((field.name, field.limit().filter(|_| excess)?))
    });
    match long {
        Some((field, limit)) => Err(StoreError::record(format!(
            "the {field} of pet {} is longer than {limit} characters",
            pet.id
        ))),
        None => Ok(()),
    }
}
