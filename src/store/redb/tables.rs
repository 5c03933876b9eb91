//! The tables of the file, and the reads that join several of them.

use std::ops::RangeBounds;

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, TableDefinition, TableError};

use super::errors::read;
use crate::model::{Change, Pet, PetId, Removal, Rev, Timestamp};
use crate::store::record::{decode_change, decode_details, decode_note, decode_status};
use crate::store::{Snapshot, StoreError};

/// Numbers that describe the store, by name.
pub const META: TableDefinition<&str, u64> = TableDefinition::new("meta");

/// Profiles and lists of photos by pet.
pub const PETS: TableDefinition<u64, &[u8]> = TableDefinition::new("pets");

/// Current status and its `since` (microseconds) by pet. Apart from the profile, because it is
/// written a thousand times as often and is a tenth of the size.
pub const STATUSES: TableDefinition<u64, (&str, i64)> = TableDefinition::new("statuses");

/// Time and author of the removal, by pet, of each pet in the trash. Earlier versions have no such table.
pub const TRASH: TableDefinition<u64, (i64, Option<&str>)> = TableDefinition::new("trash");
/// Note on the current status by pet, if there is one. Earlier versions have no such table.
pub const NOTES: TableDefinition<u64, &str> = TableDefinition::new("notes");

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

/// `META`: the present from which retention counted ages last, in microseconds since the Unix epoch.
/// Absent in stores of earlier versions.
pub const PRESENT: &str = "present";

/// `META`: present only where the history ends: in a backup, whose store may have more changes by
/// now, and in a store that lost changes that were published. Opening such a file gives it a new
/// epoch, so that no cursor means two things.
pub const IS_OVER: &str = "is-over";

/// The layout that the first release wrote. `migrate` counts the later ones.
pub const FIRST_SCHEMA: u64 = 1;

/// Reads one number of `META`.
///
/// # Errors
/// `Record` if it is missing, `Read`.
pub fn number(
    meta: &impl ReadableTable<&'static str, u64>,
    name: &'static str,
) -> Result<u64, StoreError> {
    let value = meta.get(name).map_err(read)?;
    value
        .map(|value| value.value())
        .ok_or_else(|| StoreError::Record(format!("the store has no {name:?}")))
}

/// Opens a table that a store of an earlier version may not have.
///
/// # Errors
/// `Read`.
pub fn open_if_present<K: redb::Key + 'static, V: redb::Value + 'static>(
    reading: &ReadTransaction,
    table: TableDefinition<K, V>,
) -> Result<Option<ReadOnlyTable<K, V>>, StoreError> {
    match reading.open_table(table) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(read(error)),
    }
}

/// Reads the changes of the log with these revs, oldest first.
///
/// # Errors
/// `Read`; each change can be `Record` or `Read`.
pub fn changes<'a>(
    reading: &ReadTransaction,
    revs: impl RangeBounds<u64> + 'a,
) -> Result<impl DoubleEndedIterator<Item = Result<Change, StoreError>>, StoreError> {
    let log = reading.open_table(LOG).map_err(read)?;
    let rows = log.range::<u64>(revs).map_err(read)?;
    Ok(rows.map(|row| {
        let (rev, record) = row.map_err(read)?;
        decode_change(Rev::new(rev.value()), record.value())
    }))
}

/// Reads the whole state of the pets.
///
/// # Errors
/// `Record` or `Read`.
pub fn snapshot(reading: &ReadTransaction) -> Result<Snapshot, StoreError> {
    let meta = reading.open_table(META).map_err(read)?;
    let statuses = reading.open_table(STATUSES).map_err(read)?;
    let profiles = reading.open_table(PETS).map_err(read)?;
    let history = reading.open_table(HISTORY).map_err(read)?;
    let trimmed = open_if_present(reading, TRIMMED)?;
    let trash = open_if_present(reading, TRASH)?;
    let notes = open_if_present(reading, NOTES)?;
    // The rev of a pet's last change; zero if the store has no change of the pet.
    let last_change = |pet: u64| -> Result<Rev, StoreError> {
        let mut changes = history.range((pet, 0)..=(pet, u64::MAX)).map_err(read)?;
        if let Some(last) = changes.next_back() {
            return Ok(Rev::new(last.map_err(read)?.0.value().1));
        }
        let Some(trimmed) = &trimmed else {
            return Ok(Rev::ZERO);
        };
        let trimmed = trimmed.get(pet).map_err(read)?;
        Ok(trimmed.map_or(Rev::ZERO, |rev| Rev::new(rev.value())))
    };
    let (mut pets, mut revs) = (Vec::new(), Vec::new());
    for row in profiles.iter().map_err(read)? {
        let (id, profile) = row.map_err(read)?;
        let id = id.value();
        let status = statuses.get(id).map_err(read)?;
        let status = status.ok_or_else(|| StoreError::Record(format!("pet {id} has no status")))?;
        let (status, since) = status.value();
        let removed = trash.as_ref().map(|trash| trash.get(id)).transpose();
        let removed = removed.map_err(read)?.flatten().map(|removed| {
            let (at, by) = removed.value();
            Removal {
                at: Timestamp::from_micros(at),
                by: by.map(str::to_owned),
            }
        });
        let note = notes.as_ref().map(|notes| notes.get(id)).transpose();
        let note = note.map_err(read)?.flatten();
        let note = note.map_or_else(String::new, |note| note.value().to_owned());
        revs.push(last_change(id)?);
        let (profile, photos) = decode_details(profile.value())?;
        pets.push(Pet {
            id: PetId::new(id),
            profile,
            photos,
            status: decode_status(status)?,
            since: Timestamp::from_micros(since),
            removed,
            note: decode_note(&note)?,
        });
    }
    Ok(Snapshot {
        rev: Rev::new(number(&meta, REV)?),
        next_pet: PetId::new(number(&meta, NEXT_PET)?),
        pets,
        revs,
    })
}
