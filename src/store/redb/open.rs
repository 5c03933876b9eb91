//! Opening the file, and making it so that no kill leaves half of one behind.
//!
//! A new store is made complete under another name and then renamed: a kill in the middle of
//! redb's first writes would leave a file that never opens again. A lock file of our own, taken
//! first, keeps a second program away from all of this.

use redb::Database;

use super::inspect::inspect;
use super::place::{FILE, Place, UNFINISHED, refused};
use super::tables::{self, EPOCH, KNOWN_SCHEMA, META, NEXT_PET, REV, SCHEMA};
use super::write;
use crate::model::{Epoch, PetId, Rev};
use crate::store::StoreError;

/// Opens the store of `place`, or makes it there when there is none.
pub fn open(place: &Place) -> Result<(Database, Epoch), StoreError> {
    if !place.exists(FILE)? {
        make(place)?;
    }
    let epoch = admit(place)?;
    place.keep_private(FILE)?;
    Ok((place.open(FILE)?, epoch))
}

/// Whether this program may open the file; the epoch of what is in it. Touches nothing.
fn admit(place: &Place) -> Result<Epoch, StoreError> {
    let path = place.path(FILE);
    let inspected = inspect(&path)?;
    if inspected.schema > KNOWN_SCHEMA {
        return Err(StoreError::NewerSchema {
            path,
            found: inspected.schema,
            known: KNOWN_SCHEMA,
        });
    }
    Ok(inspected.epoch)
}

/// Makes a whole store with no pets, and only then gives it its name.
fn make(place: &Place) -> Result<(), StoreError> {
    let database = place.create(UNFINISHED)?;
    fill(&database)?;
    let closed = database.close();
    closed.map_err(|error| refused(&place.path(UNFINISHED), error))?;
    place.rename(UNFINISHED, FILE)
}

/// The first transaction of a store: all its tables, and the numbers that describe it.
fn fill(database: &Database) -> Result<(), StoreError> {
    let writing = database.begin_write().map_err(write)?;
    {
        tables::Written::open(&writing)?;
        let mut meta = writing.open_table(META).map_err(write)?;
        for (name, number) in [
            (SCHEMA, KNOWN_SCHEMA),
            (EPOCH, u64::from(rand::random::<u32>())),
            (REV, Rev::ZERO.get()),
            (NEXT_PET, PetId::FIRST.get()),
        ] {
            meta.insert(name, number).map_err(write)?;
        }
    }
    writing.commit().map_err(write)
}
