//! Exports a store as text, and imports an export into a new store.

use std::fs::File;
use std::io::{BufRead, BufWriter, Write};
use std::path::Path;

use super::ChangeTables;
use super::accounts;
use super::backup::{lock_empty, with_store};
use super::check::Contents;
use super::errors::write;
use super::folder::{FILE, StoreFolder};
use super::open::{create_tables, identity};
use super::photos;
use super::tables::{META, NEXT_PET, REV, changes, snapshot};
use crate::model::Timestamp;
use crate::store::StoreError;
use crate::store::archive::{ExportWriter, ExportedItem, StaffData, read_export};

/// Writes a consistent export of the store of `folder` to `out`. A server may run on the store.
///
/// # Errors
/// `NoStoreInFolder`, `Read` or `Record`, and `Write` or `Full` if `out` fails.
pub fn export(folder: &Path, staff: StaffData, out: impl Write) -> Result<(), StoreError> {
    with_store(folder, |store| {
        let reading = &store.reading;
        let (_, epoch) = identity(reading, &folder.join(FILE))?;
        let now = snapshot(reading)?;
        let mut archive = ExportWriter::start(out, epoch, now.rev, now.next_pet)?;
        now.pets.iter().try_for_each(|pet| archive.pet(pet))?;
        for change in changes(reading, ..)? {
            archive.change(&change?)?;
        }
        archive.photos(&now.pets, |hash, width_px| {
            photos::photo(reading, hash, width_px)
        })?;
        let accounts = accounts::account_set(reading)?;
        archive.rescue(accounts.rescue.as_deref())?;
        if staff == StaffData::Included {
            archive.accounts(&accounts)?;
            accounts::for_each_audit_entry(reading, |entry| archive.audit_entry(&entry))?;
        }
        store.confirm()?;
        archive.end()
    })
}

/// Creates a file that `fill` writes. It is complete, or it is not there; only its owner may read it.
///
/// # Errors
/// `Exists`, and the errors of `fill` and of writing.
pub fn write_new(
    file: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (target, name) = StoreFolder::of_new_file(file)?;
    target.create(&name, fill)
}

/// Imports an export into a new store in `folder`, which must be empty, or is made. The store gets a
/// new epoch.
///
/// # Errors
/// `Import` with the first line that is wrong, `NotEmpty`, and the errors of writing; then there is
/// no store.
pub fn import(input: impl BufRead, folder: &Path) -> Result<Contents, StoreError> {
    let folder = lock_empty(folder)?;
    folder.create_store(FILE, |writing| {
        create_tables(writing)?;
        let mut meta = writing.open_table(META).map_err(write)?;
        let mut tables = ChangeTables::open(writing)?;
        read_export(input, |item| match item {
            ExportedItem::Start { rev, next_pet } => {
                meta.insert(REV, rev.get()).map_err(write)?;
                meta.insert(NEXT_PET, next_pet.get()).map_err(write)?;
                Ok(())
            }
            ExportedItem::Pet(pet) => tables.put(&pet),
            ExportedItem::Change(change) => tables.log(&change),
            ExportedItem::Photo(hash, files) => {
                photos::put(writing, hash, &files, Timestamp::now())
            }
            ExportedItem::Staff(edit) => accounts::apply(writing, &edit),
        })
    })
}
