//! The open file, which comes back by itself after an error of the disk.
//!
//! redb refuses everything after one error until its file is opened anew. Every transaction goes
//! through here, so that a failure is known wherever it happens, and `recover` can close and open
//! the file below everybody else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use redb::{Database, ReadTransaction, ReadableDatabase, TableDefinition, WriteTransaction};

use super::inspect::{identity, inspect};
use super::migrate::STEPS;
use super::open;
use super::place::{FILE, FileId, Place};
use super::refusal::foreign;
use super::witness::Witness;
use super::{read, write};
use crate::model::Epoch;
use crate::store::StoreError;

/// Filled and emptied again to prove that the file can be written.
const PROOF: TableDefinition<(), &[u8]> = TableDefinition::new("proof");
/// Some pages of the file; the disk itself is tried with more.
const PROOF_BYTES: usize = 64 * 1024;

enum Opened {
    Whole(Database),
    /// Over an overlay, while the disk refuses every write: what would be written to it is lost.
    ToRead(Database),
}

/// A store's file in use.
pub struct StoreFile {
    place: Place,
    epoch: Epoch,
    /// The file that was opened. `check_place` compares it with the file of that name.
    id: Option<FileId>,
    /// Not there while it cannot even be read. Held for writing while it is opened anew, so that
    /// readers wait for that moment.
    opened: RwLock<Option<Opened>>,
    /// Counts how often it was opened anew.
    generation: AtomicU64,
    /// Held by the one who writes or opens anew.
    turn: Mutex<()>,
    /// Whether redb still trusts its file.
    is_fresh: AtomicBool,
    is_healthy: AtomicBool,
}

impl StoreFile {
    /// Opens the store in `folder`, or makes it there when there is none.
    pub fn open(folder: &Path, witness: Arc<dyn Witness>) -> Result<Self, StoreError> {
        let place = Place::lock(folder, witness)?;
        let (database, epoch) = open::open(&place, STEPS)?;
        let id = place.identify(FILE).unwrap_or_default();
        Ok(StoreFile {
            place,
            epoch,
            id,
            opened: RwLock::new(Some(Opened::Whole(database))),
            generation: AtomicU64::new(0),
            turn: Mutex::new(()),
            is_fresh: AtomicBool::new(true),
            is_healthy: AtomicBool::new(true),
        })
    }

    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Checks that the opened file still has its name. Other errors of the file system are ignored
    /// here: the next write meets them.
    ///
    /// # Errors
    /// `Moved`.
    pub fn check_place(&self) -> Result<(), StoreError> {
        match self.place.identify(FILE) {
            Ok(found) if found != self.id => Err(StoreError::Moved(self.place.path(FILE))),
            _ => Ok(()),
        }
    }

    /// False from the first failure until `recover` has worked.
    pub fn is_healthy(&self) -> bool {
        self.is_healthy.load(Ordering::Acquire)
    }

    /// Reads in one transaction, which sees one moment of the store.
    ///
    /// # Errors
    /// What `work` fails with, and `Read`.
    pub fn read<T>(
        &self,
        work: impl Fn(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut may_refresh = true;
        loop {
            let generation = self.generation.load(Ordering::Acquire);
            let begun = self.begin_read();
            let done = begun.and_then(|reading| work(&reading));
            let Err(StoreError::Read(_)) = done else {
                return done;
            };
            // Opened anew in the middle of it, which ends what was being read; or redb no longer
            // trusts the file, and then the first who reads opens it anew.
            if self.generation.load(Ordering::Acquire) == generation {
                if !may_refresh {
                    return done;
                }
                may_refresh = false;
                self.refresh(generation);
            }
        }
    }

    /// Opens the file anew for a read that failed, unless somebody else has.
    fn refresh(&self, generation: u64) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if self.generation.load(Ordering::Acquire) == generation {
            self.distrust();
            // Should it fail, there may be an overlay to read from.
            let _ = self.reopen();
        }
    }

    /// Writes in one transaction, all or nothing, durable on return.
    ///
    /// # Errors
    /// What `work` fails with; then nothing is written. `Full` or `Write` when the disk refused:
    /// then all of it may be there after `recover`, or nothing.
    pub fn write<T>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_place()?;
        let written = self.transact(work);
        if let Err(StoreError::Full(_) | StoreError::Write(_) | StoreError::Read(_)) = written {
            self.distrust();
        }
        written
    }

    /// Opens the file anew if redb no longer trusts it, and proves that it can be written.
    ///
    /// # Errors
    /// Why it cannot be written yet. It can be read again unless it could not even be opened.
    pub fn recover(&self) -> Result<(), StoreError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_place()?;
        if !self.is_fresh.load(Ordering::Acquire) {
            self.reopen()?;
        }
        self.place.has_room()?;
        if let Err(error) = self.prove() {
            // Once more, for those who read.
            self.reopen()?;
            return Err(error);
        }
        self.is_healthy.store(true, Ordering::Release);
        Ok(())
    }

    fn transact<T>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        guarded(|| {
            let writing = self.begin_write()?;
            let done = work(&writing)?;
            writing.commit().map_err(write)?;
            Ok(done)
        })
    }

    fn begin_read(&self) -> Result<ReadTransaction, StoreError> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        match &*opened {
            Some(Opened::Whole(database) | Opened::ToRead(database)) => {
                database.begin_read().map_err(read)
            }
            None => Err(StoreError::Read("the file is not open".to_owned())),
        }
    }

    fn begin_write(&self) -> Result<WriteTransaction, StoreError> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        match &*opened {
            Some(Opened::Whole(database)) => database.begin_write().map_err(write),
            _ => Err(StoreError::Write("the file is not open".to_owned())),
        }
    }

    fn distrust(&self) {
        self.is_fresh.store(false, Ordering::Release);
        self.is_healthy.store(false, Ordering::Release);
    }

    /// Closes the file and opens it again, or opens it for reading at least.
    fn reopen(&self) -> Result<(), StoreError> {
        // If the file was moved, the open one can still be read, and the other is another store.
        self.check_place()?;
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(Opened::Whole(distrusted)) =
            opened.take_if(|opened| matches!(opened, Opened::Whole(_)))
        {
            // It says again what is known already.
            let _ = guarded(|| distrusted.close().map_err(write));
        }
        self.generation.fetch_add(1, Ordering::Release);
        match guarded(|| self.open_again()) {
            Ok(database) => {
                *opened = Some(Opened::Whole(database));
                self.is_fresh.store(true, Ordering::Release);
                Ok(())
            }
            Err(error) => {
                if opened.is_none() {
                    let inspected = inspect(&self.place.path(FILE)).ok();
                    let same = inspected.filter(|inspected| inspected.epoch == self.epoch);
                    *opened = same.map(|inspected| Opened::ToRead(inspected.database));
                }
                Err(error)
            }
        }
    }

    /// Opens the file if it is still that of the same store.
    fn open_again(&self) -> Result<Database, StoreError> {
        let database = self.place.open(FILE)?;
        let path = self.place.path(FILE);
        let (_, epoch) = identity(&database.begin_read().map_err(read)?, &path)?;
        if epoch != self.epoch {
            return Err(foreign(&path, "another store has taken its place"));
        }
        Ok(database)
    }

    fn prove(&self) -> Result<(), StoreError> {
        let filled = vec![1; PROOF_BYTES];
        self.transact(|writing| {
            let mut proof = writing.open_table(PROOF).map_err(write)?;
            proof.insert((), filled.as_slice()).map_err(write)?;
            Ok(())
        })?;
        self.transact(|writing| {
            writing.delete_table(PROOF).map_err(write)?;
            Ok(())
        })
    }
}

/// A panic inside redb, such as over a page that is not what it was, is an error of the disk.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let done = catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|_| Err(StoreError::Write("redb gave up".to_owned())))
}
