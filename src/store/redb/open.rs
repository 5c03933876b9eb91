//! Opening the file of a store, and making it where there is none.

use std::path::Path;

use redb::{Database, ReadableDatabase, WriteTransaction};

use super::inspect::{Inspected, identity, inspect};
use super::migrate::{STEPS, Step, keep_copy, known, migrate};
use super::place::{FILE, Place};
use super::tables::{self, EPOCH, IS_OVER, META, NEXT_PET, REV, SCHEMA};
use super::{read, write};
use crate::model::{Epoch, PetId, Rev};
use crate::store::StoreError;

/// Opens the store of `place`, or makes it there when there is none; one with an older schema is
/// taken over `steps` to the newest.
pub fn open(place: &Place, steps: &[Step]) -> Result<(Database, Epoch), StoreError> {
    if !place.exists(FILE)? {
        place.make(FILE, fill)?;
    }
    let path = place.path(FILE);
    let found = admit_up_to(&path, known(steps))?.schema;
    place.keep_private(FILE)?;
    keep_copy(place, found, steps)?;
    let database = place.open(FILE)?;
    migrate(&database, found, steps)?;
    let is_over = {
        let reading = database.begin_read().map_err(read)?;
        let meta = reading.open_table(META).map_err(read)?;
        meta.get(IS_OVER).map_err(read)?.is_some()
    };
    if is_over {
        let writing = database.begin_write().map_err(write)?;
        begin_history(&writing)?;
        writing.commit().map_err(write)?;
    }
    let (_, epoch) = identity(&database.begin_read().map_err(read)?, &path)?;
    Ok((database, epoch))
}

/// Looks whether the file is whole, and this program may open it. Touches nothing.
pub fn admit(path: &Path) -> Result<Inspected, StoreError> {
    admit_up_to(path, known(STEPS))
}

fn admit_up_to(path: &Path, known: u64) -> Result<Inspected, StoreError> {
    let inspected = inspect(path)?;
    if inspected.schema > known {
        return Err(StoreError::NewerSchema {
            path: path.to_owned(),
            found: inspected.schema,
            known,
        });
    }
    Ok(inspected)
}

/// Gives a store whose history was over an epoch of its own: cursors of the history that it
/// replaces are then answered with a snapshot, and never with another history.
pub fn begin_history(writing: &WriteTransaction) -> Result<(), StoreError> {
    let mut meta = writing.open_table(META).map_err(write)?;
    meta.remove(IS_OVER).map_err(write)?;
    let left = meta.insert(EPOCH, new_epoch()).map_err(write)?;
    let left = left.map(|left| left.value());
    let mut epoch = new_epoch();
    while left == Some(epoch) {
        epoch = new_epoch();
    }
    meta.insert(EPOCH, epoch).map_err(write)?;
    Ok(())
}

fn new_epoch() -> u64 {
    u64::from(rand::random::<u32>())
}

/// The first transaction of a store: all its tables, and the numbers that describe it.
pub fn fill(writing: &WriteTransaction) -> Result<(), StoreError> {
    tables::Written::open(writing)?;
    let mut meta = writing.open_table(META).map_err(write)?;
    for (name, number) in [
        (SCHEMA, known(STEPS)),
        (EPOCH, new_epoch()),
        (REV, Rev::ZERO.get()),
        (NEXT_PET, PetId::FIRST.get()),
    ] {
        meta.insert(name, number).map_err(write)?;
    }
    Ok(())
}
