//! Whether the records of a store fit together: what no checksum of a page can tell.

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use redb::{ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata};

use super::accounts;
use super::inspect::{guard_reads, inspect};
use super::refusal::damaged;
use super::tables::{self, HISTORY, LOG, META, REV, STATUSES};
use super::{read, snapshot};
use crate::model::{Pet, Profile, Rev};
use crate::store::StoreError;
use crate::store::archive::bounded;
use crate::store::record::decode_change;
use crate::store::replay::Replay;

/// What a store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    pub schema: u64,
    pub pets: u64,
    /// Changes in the log.
    pub changes: u64,
    /// The newest of them.
    pub rev: u64,
}

/// Checks every page and every record of the file at `path`, which is not touched.
///
/// # Errors
/// `Foreign`, `Damaged` or `Open`.
pub fn check_file(path: &Path) -> Result<Contents, StoreError> {
    let inspected = inspect(path)?;
    guard_reads(path, || {
        let reading = inspected.database.begin_read().map_err(read)?;
        check(&reading, path)
    })
}

/// Checks every record.
///
/// # Errors
/// `Damaged` with the first one that does not fit.
pub fn check(reading: &ReadTransaction, path: &Path) -> Result<Contents, StoreError> {
    relate(reading).map_err(|error| match error {
        StoreError::Record(reason) => damaged(path, &reason),
        error => error,
    })
}

fn relate(reading: &ReadTransaction) -> Result<Contents, StoreError> {
    let meta = reading.open_table(META).map_err(read)?;
    let rev = tables::number(&meta, REV)?;
    let now = snapshot(reading)?;
    let statuses = reading.open_table(STATUSES).map_err(read)?;
    if statuses.len().map_err(read)? != now.pets.len() as u64 {
        return Err(misfit("a status belongs to no pet"));
    }
    if let Some(last) = now.pets.last().filter(|last| last.id >= now.next_pet) {
        return Err(misfit(&format!(
            "pet {} has an id that is yet to be given",
            last.id
        )));
    }
    bounded("rev", rev)?;
    bounded("next pet", now.next_pet.get())?;
    now.pets.iter().try_for_each(check_lengths)?;
    let (told, changes) = follow_log(reading, rev)?;
    let pets: Vec<_> = now.pets.into_iter().map(Arc::new).collect();
    told.compare(&pets, changes == rev)?;
    accounts::check(reading)?;
    Ok(Contents {
        schema: tables::number(&meta, tables::SCHEMA)?,
        pets: pets.len() as u64,
        changes,
        rev,
    })
}

/// Reads the whole log; what it tells of the pets, and how many changes it has.
fn follow_log(reading: &ReadTransaction, newest: u64) -> Result<(Replay, u64), StoreError> {
    let log = reading.open_table(LOG).map_err(read)?;
    let history = reading.open_table(HISTORY).map_err(read)?;
    let changes = log.len().map_err(read)?;
    if history.len().map_err(read)? != changes {
        return Err(misfit("the history of the pets is not that of the log"));
    }
    let first = log.first().map_err(read)?;
    let mut expected = first.map_or(1, |(rev, _)| rev.value());
    let mut told = Replay::default();
    for row in log.iter().map_err(read)? {
        let (rev, record) = row.map_err(read)?;
        let rev = rev.value();
        if rev != expected {
            return Err(misfit(&format!(
                "change {expected} is missing from the log"
            )));
        }
        expected += 1;
        let change = decode_change(Rev::new(rev), record.value())?;
        let place = (change.pet.get(), rev);
        if history.get(place).map_err(read)?.is_none() {
            return Err(misfit(&format!("change {rev} is not in its pet's history")));
        }
        told.pass(&change);
    }
    if expected != newest.saturating_add(1) {
        return Err(misfit(&format!("the log does not end at rev {newest}")));
    }
    Ok((told, changes))
}

/// Checks that no field is longer than pages, API and import allow.
fn check_lengths(pet: &Pet) -> Result<(), StoreError> {
    let mut fields = Profile::FIELDS.iter();
    let long = fields.find_map(|field| {
        let excess = field.is_too_long(field.text(&pet.profile));
        Some((field.name, field.limit().filter(|_| excess)?))
    });
    match long {
        Some((field, limit)) => Err(misfit(&format!(
            "the {field} of pet {} is longer than {limit} characters",
            pet.id
        ))),
        None => Ok(()),
    }
}

fn misfit(reason: &str) -> StoreError {
    StoreError::Record(reason.to_owned())
}
