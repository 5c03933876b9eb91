//! A store out into text, and one made out of it.

use std::fs::File;
use std::io::{BufRead, BufWriter, Write};
use std::path::Path;

use redb::ReadableTable;

use super::accounts;
use super::backup::{empty, with_store};
use super::check::Contents;
use super::inspect::identity;
use super::open::fill;
use super::place::{FILE, Place};
use super::tables::{LOG, META, NEXT_PET, REV, Written};
use super::{read, snapshot, write};
use crate::model::Rev;
use crate::store::StoreError;
use crate::store::archive::{Entry, Staff, Writer, parse};
use crate::store::record::{decode_change, encode_change, encode_profile};

/// Writes the store of `folder`, as it is at one moment, as text. A server may run on it.
///
/// # Errors
/// `NotThere`, `Read` or `Record`, and `Write` or `Full` when `out` refuses.
pub fn export(folder: &Path, staff: Staff, out: impl Write) -> Result<(), StoreError> {
    with_store(folder, |reading, _| {
        let (_, epoch) = identity(reading, &folder.join(FILE))?;
        let now = snapshot(reading)?;
        let mut archive = Writer::start(out, epoch, now.rev, now.next_pet)?;
        now.pets.iter().try_for_each(|pet| archive.pet(pet))?;
        let log = reading.open_table(LOG).map_err(read)?;
        for row in log.iter().map_err(read)? {
            let (rev, record) = row.map_err(read)?;
            let change = decode_change(Rev::new(rev.value()), record.value())?;
            archive.change(&change)?;
        }
        if staff == Staff::Included {
            archive.roster(&accounts::roster(reading)?)?;
            accounts::each_deed(reading, |audit_entry| archive.audit_entry(&audit_entry))?;
        }
        archive.end()
    })
}

/// Has `fill` write a new file, which is whole or not there, and readable by its owner alone.
///
/// # Errors
/// `Exists`, and whatever `fill` and writing can fail with.
pub fn write_new(
    file: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (target, name) = Place::of_new(file)?;
    target.write(&name, fill)
}

/// Makes a store in `folder` out of an export. The folder is made if need be, and must be empty
/// otherwise; the store gets an epoch of its own.
///
/// # Errors
/// `Import` with the first line that is wrong, `NotEmpty`, and whatever writing can fail with;
/// then there is no store.
pub fn import(input: impl BufRead, folder: &Path) -> Result<Contents, StoreError> {
    let place = empty(folder)?;
    place.make(FILE, |writing| {
        fill(writing)?;
        let mut meta = writing.open_table(META).map_err(write)?;
        let mut tables = Written::open(writing)?;
        parse(input, |entry| match entry {
            Entry::Start { rev, next_pet } => {
                meta.insert(REV, rev.get()).map_err(write)?;
                meta.insert(NEXT_PET, next_pet.get()).map_err(write)?;
                Ok(())
            }
            Entry::Pet(pet) => {
                let profile = encode_profile(&pet.profile);
                let (status, since) = (pet.status.as_str(), pet.since.micros());
                tables.put(pet.id.get(), &profile, status, since)
            }
            Entry::Change(change) => tables.log(&change, &encode_change(&change)),
            Entry::Staff(edit) => accounts::apply(writing, &edit),
        })
    })
}
