//! From the schema of an older program to this one's: all steps in one transaction, after a copy
//! of the file was put aside. A kill at any moment leaves the old store or the new one.

use redb::{Database, WriteTransaction};

use super::place::{FILE, Place};
use super::tables::{FIRST_SCHEMA, META, SCHEMA};
use super::write;
use crate::store::StoreError;

/// Brings the tables from one schema to the next.
pub type Step = fn(&WriteTransaction) -> Result<(), StoreError>;

/// The step at index `n` leads to schema `FIRST_SCHEMA + n + 1`. A step that was released is never
/// changed: stores of its schema exist.
pub const STEPS: &[Step] = &[];

/// The schema that `steps` lead to: what a program with these steps writes, and the newest that
/// it reads.
pub const fn known(steps: &[Step]) -> u64 {
    FIRST_SCHEMA + steps.len() as u64
}

/// The name of the copy that is kept of a store with schema `found`.
fn name_of_copy(found: u64) -> String {
    format!("pet-store-schema-{found}.redb")
}

/// Puts a copy of the file aside, if its schema is an older one. It is not open yet.
pub fn keep_copy(place: &Place, found: u64, steps: &[Step]) -> Result<(), StoreError> {
    let name = name_of_copy(found);
    // One that is there was made before a migration that was killed.
    if found < known(steps) && !place.exists(&name)? {
        place.copy(FILE, &name)?;
        let file = place.path(&name);
        tracing::info!(schema = found, file = %file.display(), "the store is brought to a newer schema; a copy was kept");
    }
    Ok(())
}

/// Brings an open store from schema `found` to the newest.
pub fn migrate(database: &Database, found: u64, steps: &[Step]) -> Result<(), StoreError> {
    if found >= known(steps) {
        return Ok(());
    }
    let done = usize::try_from(found.saturating_sub(FIRST_SCHEMA)).unwrap_or(usize::MAX);
    let writing = database.begin_write().map_err(write)?;
    for step in steps.iter().skip(done) {
        step(&writing)?;
    }
    let mut meta = writing.open_table(META).map_err(write)?;
    meta.insert(SCHEMA, known(steps)).map_err(write)?;
    drop(meta);
    writing.commit().map_err(write)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use redb::{ReadableDatabase, ReadableTable, TableDefinition};

    use super::*;
    use crate::store::redb::open::open;
    use crate::store::redb::tables::number;
    use crate::store::redb::witness::{Event, Nobody, Witness};
    use crate::store::{Engine, RedbEngine};

    const NAMES: TableDefinition<u64, &str> = TableDefinition::new("names");
    const UPPER: TableDefinition<u64, &str> = TableDefinition::new("upper");

    /// Two schemas that never were: the first adds a table, the second makes another out of it.
    const FUTURE: [Step; 2] = [
        |writing| {
            let mut names = writing.open_table(NAMES).map_err(write)?;
            for id in 0..500 {
                names.insert(id, "biscuit").map_err(write)?;
            }
            Ok(())
        },
        |writing| {
            let names = writing.open_table(NAMES).map_err(write)?;
            let mut upper = writing.open_table(UPPER).map_err(write)?;
            for row in names.iter().map_err(write)? {
                let (id, name) = row.map_err(write)?;
                let name = name.value().to_uppercase();
                upper.insert(id.value(), name.as_str()).map_err(write)?;
            }
            drop(names);
            writing.delete_table(NAMES).map_err(write)?;
            Ok(())
        },
    ];

    fn open_with(
        folder: &Path,
        steps: &[Step],
        witness: Arc<dyn Witness>,
    ) -> Result<Database, StoreError> {
        let place = Place::lock(folder, witness)?;
        Ok(open(&place, steps)?.0)
    }

    /// A power cut: everything from the `nth` operation on never happens.
    #[derive(Debug)]
    struct Cut(AtomicUsize);

    impl Witness for Cut {
        fn see(&self, _event: Event<'_>) -> io::Result<()> {
            let counted = |left: usize| left.checked_sub(1);
            let passes = self
                .0
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, counted);
            passes.map(|_| ()).map_err(|_| io::ErrorKind::Other.into())
        }
    }

    fn schema_of(database: &Database) -> u64 {
        let reading = database.begin_read().unwrap();
        number(&reading.open_table(META).unwrap(), SCHEMA).unwrap()
    }

    fn assert_new(database: &Database) {
        assert_eq!(schema_of(database), 3);
        let reading = database.begin_read().unwrap();
        let upper = reading.open_table(UPPER).unwrap();
        assert_eq!(upper.iter().unwrap().count(), 500);
        assert_eq!(upper.get(499).unwrap().unwrap().value(), "BISCUIT");
        assert!(reading.open_table(NAMES).is_err());
    }

    #[test]
    fn an_older_store_is_brought_to_the_newest_schema_and_a_private_copy_of_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        drop(RedbEngine::open(folder.path()).unwrap());
        let before = fs::read(folder.path().join(FILE)).unwrap();
        assert_new(&open_with(folder.path(), &FUTURE, Arc::new(Nobody)).unwrap());
        let copy = folder.path().join("pet-store-schema-1.redb");
        assert_eq!(fs::read(&copy).unwrap(), before);
        let mode = fs::metadata(&copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let error = RedbEngine::open(folder.path()).err().unwrap();
        assert!(
            matches!(error, StoreError::NewerSchema { found: 3, .. }),
            "{error}"
        );
        let elsewhere = tempfile::tempdir().unwrap();
        fs::copy(&copy, elsewhere.path().join(FILE)).unwrap();
        RedbEngine::open(elsewhere.path())
            .unwrap()
            .snapshot()
            .unwrap();
    }

    #[test]
    fn a_kill_at_any_write_of_a_migration_leaves_the_old_store_or_the_new_one() {
        let mut nth = 0;
        loop {
            let folder = tempfile::tempdir().unwrap();
            drop(RedbEngine::open(folder.path()).unwrap());
            let cut = Arc::new(Cut(AtomicUsize::new(nth)));
            let survived = open_with(folder.path(), &FUTURE, cut).map(drop).is_ok();
            let place = Place::lock(folder.path(), Arc::new(Nobody)).unwrap();
            let left = schema_of(&place.open(FILE).unwrap());
            assert!([1, 3].contains(&left), "cut {nth} left schema {left}");
            drop(place);
            assert_new(&open_with(folder.path(), &FUTURE, Arc::new(Nobody)).unwrap());
            if survived {
                break;
            }
            nth += 1;
        }
        assert!(nth > 10, "a migration of {nth} writes proves nothing");
    }
}
