//! Looking into a file before anything is done to it.
//!
//! redb writes to a file as soon as it opens it, and repairs what it finds. So a file is first
//! opened over an `Overlay`: whether it is whole, and of which schema, is known before one byte of
//! it is changed, and a file that is refused stays as it was.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{Database, ReadTransaction, ReadableDatabase, TableError};

use super::overlay::Overlay;
use super::refusal::{damaged, failed, foreign, refused};
use super::tables::{self, EPOCH, META, SCHEMA};
use crate::model::Epoch;
use crate::store::StoreError;
use crate::store::regular::open_regular;

/// Every redb file starts with this.
const MAGIC: &[u8] = b"redb";

/// Pages that redb keeps in memory meanwhile: it looks at most of them once. Its default of 1 GiB
/// would have a start take as much memory as the store is large.
const CACHE_BYTES: usize = 8 * 1024 * 1024;

/// A whole file of this program, open without being touched.
pub struct Inspected {
    pub schema: u64,
    pub epoch: Epoch,
    /// Over an overlay.
    pub database: Database,
}

/// Checks every page of the file at `path` and reads what it is.
///
/// # Errors
/// `Foreign`, `Damaged` or `Open`.
pub fn inspect(path: &Path) -> Result<Inspected, StoreError> {
    let mut file = open_regular(path).map_err(|error| failed(path, &error))?;
    let mut start = [0; MAGIC.len()];
    match file.read_exact(&mut start) {
        Ok(()) if start == MAGIC => {}
        Ok(()) => return Err(foreign(path, "it has another format")),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(foreign(path, "it is empty, or next to empty"));
        }
        Err(error) => return Err(failed(path, &error)),
    }
    let overlay = Overlay::new(file).map_err(|error| failed(path, &error))?;
    guard_reads(path, || look(path, overlay))
}

/// Runs `work`, which reads the file at `path`. redb panics over damaged pages; every read of a file
/// that this process does not serve from goes through here, which makes that an error.
///
/// # Errors
/// `Damaged` after a panic, and what `work` fails with.
pub fn guard_reads<T>(
    path: &Path,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let done = catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|_| Err(damaged(path, "redb cannot make sense of it")))
}

fn look(path: &Path, overlay: Overlay) -> Result<Inspected, StoreError> {
    let database = Database::builder()
        .set_cache_size(CACHE_BYTES)
        .set_check_integrity_on_open(true)
        .create_with_backend(overlay)
        .map_err(|error| refused(path, error))?;
    let reading = database.begin_read().map_err(super::read)?;
    let (schema, epoch) = identity(&reading, path)?;
    Ok(Inspected {
        schema,
        epoch,
        database,
    })
}

/// The schema and the epoch of an open file.
pub fn identity(reading: &ReadTransaction, path: &Path) -> Result<(u64, Epoch), StoreError> {
    let meta = match reading.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::Storage(error)) => return Err(super::read(error)),
        Err(error) => return Err(foreign(path, &error.to_string())),
    };
    let schema = tables::number(&meta, SCHEMA)?;
    let bits = tables::number(&meta, EPOCH)?;
    let bits = u32::try_from(bits).map_err(|_| foreign(path, "its epoch is too large"))?;
    Ok((schema, Epoch::new(bits)))
}
