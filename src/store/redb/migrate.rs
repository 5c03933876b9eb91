//! Migrates a store of an older schema: all steps in one transaction, after a copy of the file was
//! made. A kill at any time leaves the old store or the new one.

use redb::{Database, WriteTransaction};

use super::errors::write;
use super::folder::{FILE, StoreFolder};
use super::tables::{FIRST_SCHEMA, META, SCHEMA};
use crate::store::StoreError;

/// Migrates the tables from one schema to the next.
pub type MigrationStep = fn(&WriteTransaction) -> Result<(), StoreError>;

/// All steps. The step at index `n` leads to schema `FIRST_SCHEMA + n + 1`. A released step is never
/// changed: stores of its schema exist.
pub const STEPS: &[MigrationStep] = &[];

/// Returns the schema that a program with these steps writes, which is the newest that it reads.
pub const fn known_schema(steps: &[MigrationStep]) -> u64 {
    FIRST_SCHEMA + steps.len() as u64
}

/// The name of the copy that is kept of a store with schema `found`.
fn name_of_copy(found: u64) -> String {
    format!("pet-store-schema-{found}.redb")
}

/// Copies the file, which is not open yet, if its schema is older than this program's.
///
/// # Errors
/// `Full`, `Write` or `Open`.
pub fn keep_copy(
    folder: &StoreFolder,
    found: u64,
    steps: &[MigrationStep],
) -> Result<(), StoreError> {
    let name = name_of_copy(found);
    // An existing copy was made before a migration that was killed.
    if found < known_schema(steps) && !folder.exists(&name)? {
        folder.copy(FILE, &name)?;
        let file = folder.path(&name);
        tracing::info!(store.schema = found, copy.path = %file.display(), "migrating the store to a newer schema; a copy was kept");
    }
    Ok(())
}

/// Migrates an open store from schema `found` to the newest.
///
/// # Errors
/// `Full`, `Write`, and the errors of the steps.
pub fn migrate(database: &Database, found: u64, steps: &[MigrationStep]) -> Result<(), StoreError> {
    if found >= known_schema(steps) {
        return Ok(());
    }
    let applied = usize::try_from(found.saturating_sub(FIRST_SCHEMA)).unwrap_or(usize::MAX);
    let writing = database.begin_write().map_err(write)?;
    for step in steps.iter().skip(applied) {
        step(&writing)?;
    }
    let mut meta = writing.open_table(META).map_err(write)?;
    meta.insert(SCHEMA, known_schema(steps)).map_err(write)?;
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
    use crate::store::redb::io_observer::{IoEvent, IoObserver, NoObserver};
    use crate::store::redb::open::open;
    use crate::store::redb::tables::number;
    use crate::store::{Engine, RedbEngine};

    const NAMES: TableDefinition<u64, &str> = TableDefinition::new("names");
    const UPPER: TableDefinition<u64, &str> = TableDefinition::new("upper");

    /// Two invented schemas: the first adds a table, the second replaces it by another.
    const FUTURE: [MigrationStep; 2] = [
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
        steps: &[MigrationStep],
        observer: Arc<dyn IoObserver>,
    ) -> Result<Database, StoreError> {
        let folder = StoreFolder::lock(folder, observer)?;
        Ok(open(&folder, steps)?.0)
    }

    /// A power cut: every operation from the `nth` on fails.
    #[derive(Debug)]
    struct PowerCut(AtomicUsize);

    impl IoObserver for PowerCut {
        fn before(&self, _event: IoEvent<'_>) -> io::Result<()> {
            let left = &self.0;
            let passes = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
            passes.map(drop).map_err(|_| io::ErrorKind::Other.into())
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
    fn an_older_store_is_migrated_and_a_private_copy_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        drop(RedbEngine::open(folder.path()).unwrap());
        let before = fs::read(folder.path().join(FILE)).unwrap();
        assert_new(&open_with(folder.path(), &FUTURE, Arc::new(NoObserver)).unwrap());
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
            let cut = Arc::new(PowerCut(AtomicUsize::new(nth)));
            let survived = open_with(folder.path(), &FUTURE, cut).map(drop).is_ok();
            let locked = StoreFolder::lock(folder.path(), Arc::new(NoObserver)).unwrap();
            let left = schema_of(&locked.open(FILE).unwrap());
            assert!([1, 3].contains(&left), "cut {nth} left schema {left}");
            drop(locked);
            assert_new(&open_with(folder.path(), &FUTURE, Arc::new(NoObserver)).unwrap());
            if survived {
                break;
            }
            nth += 1;
        }
        assert!(nth > 10, "a migration of {nth} writes proves nothing");
    }
}
