//! The open file of a store, and its recovery after a disk error.
//!
//! After one disk error redb refuses everything until its file is opened again. Every transaction
//! goes through `StoreFile`, which so notices each failure. `recover` closes and opens the file
//! without its users taking part.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use redb::{Database, ReadTransaction, ReadableDatabase, TableDefinition, WriteTransaction};

use super::errors::{foreign, read, write};
use super::folder::{FILE, FileId, StoreFolder};
use super::migrate::STEPS;
use super::open::{self, identity, inspect};
use super::sharing::HEADER_BYTES;
use crate::model::Epoch;
use crate::store::StoreError;

/// A table that is written and deleted again to prove that the file can be written.
const PROOF: TableDefinition<(), &[u8]> = TableDefinition::new("proof");

/// The size of the proof: some pages of the file.
const PROOF_BYTES: usize = 64 * 1024;

enum OpenedDatabase {
    Writable(Database),
    /// Over a copy-on-write view while the disk refuses every write. Writes to it would be lost.
    ReadOnly(Database),
}

/// A commit whose pages are not reused while this exists and the file is not reopened.
pub struct KeptCommit {
    /// The first bytes of the file, with which another process finds the pages.
    pub header: Vec<u8>,
    generation: u64,
    /// Keeps the pages.
    _reading: ReadTransaction,
}

/// A store's file in use.
pub struct StoreFile {
    folder: StoreFolder,
    epoch: Epoch,
    /// The identity of the opened file, which `check_location` compares.
    id: Option<FileId>,
    /// `None` while the file cannot even be read. Locked for writing while the file is reopened, so
    /// that readers wait.
    database: RwLock<Option<OpenedDatabase>>,
    /// Number of times that the file was reopened.
    generation: AtomicU64,
    /// Locked by the thread that writes or reopens the file.
    writer: Mutex<()>,
    /// False after an error, until the file is reopened.
    is_usable: AtomicBool,
    is_healthy: AtomicBool,
}

impl StoreFile {
    /// Opens the store in `folder`, or creates it there if there is none.
    ///
    /// # Errors
    /// Those of `open::open`.
    pub fn open(folder: StoreFolder) -> Result<Self, StoreError> {
        let (database, epoch) = open::open(&folder, STEPS)?;
        let id = folder.identify(FILE).unwrap_or_default();
        Ok(StoreFile {
            folder,
            epoch,
            id,
            database: RwLock::new(Some(OpenedDatabase::Writable(database))),
            generation: AtomicU64::new(0),
            writer: Mutex::new(()),
            is_usable: AtomicBool::new(true),
            is_healthy: AtomicBool::new(true),
        })
    }

    /// Returns the epoch of the store.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Checks that the opened file still has its name. Ignores other errors of the file system: the
    /// next write meets them.
    ///
    /// # Errors
    /// `Moved`.
    pub fn check_location(&self) -> Result<(), StoreError> {
        match self.folder.identify(FILE) {
            Ok(found) if found != self.id => Err(StoreError::Moved(self.folder.path(FILE))),
            _ => Ok(()),
        }
    }

    /// Returns false from the first failure until `recover` succeeds.
    pub fn is_healthy(&self) -> bool {
        self.is_healthy.load(Ordering::Acquire)
    }

    /// Keeps the newest commit for a reader in another process. Waits for a commit that is being
    /// written.
    ///
    /// # Errors
    /// `Moved`, `Read` or `Open`; `Write` after an error, until the file is reopened.
    pub fn keep_commit(&self) -> Result<KeptCommit, StoreError> {
        let _writer = self.lock_writer();
        self.check_location()?;
        if !self.is_usable.load(Ordering::Acquire) {
            return Err(StoreError::Write("the file is not usable".to_owned()));
        }
        Ok(KeptCommit {
            header: self.folder.read_start(FILE, HEADER_BYTES)?,
            generation: self.generation.load(Ordering::Acquire),
            _reading: self.begin_read()?,
        })
    }

    /// Returns true if no page of `kept` was reused yet.
    pub fn is_kept(&self, kept: &KeptCommit) -> bool {
        self.generation.load(Ordering::Acquire) == kept.generation
    }

    /// Reads in one transaction, which is a consistent view of the store.
    ///
    /// # Errors
    /// `Read`, and the errors of `work`.
    pub fn read<T>(
        &self,
        work: impl Fn(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut may_reopen = true;
        loop {
            let generation = self.generation.load(Ordering::Acquire);
            let begun = self.begin_read();
            let done = begun.and_then(|reading| work(&reading));
            let Err(StoreError::Read(_)) = done else {
                return done;
            };
            // Either the file was reopened during the read, which ends the transaction: read again.
            // Or redb refuses the file after an error: the first reader reopens it.
            if self.generation.load(Ordering::Acquire) == generation {
                if !may_reopen {
                    return done;
                }
                may_reopen = false;
                self.reopen_once(generation);
            }
        }
    }

    /// Reopens the file after a read that failed, unless another thread already has.
    fn reopen_once(&self, generation: u64) {
        let _writer = self.lock_writer();
        if self.generation.load(Ordering::Acquire) == generation {
            self.mark_failed();
            // If this fails, there may be a read-only view.
            let _ = self.reopen();
        }
    }

    /// Writes in one transaction, all or nothing, durable on return.
    ///
    /// # Errors
    /// The errors of `work`; then nothing is written. `Full` or `Write` if the disk failed: after
    /// `recover` either all of the transaction is in the store, or nothing.
    pub fn write<T>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _writer = self.lock_writer();
        self.check_location()?;
        let written = self.transact(work);
        if let Err(StoreError::Full(_) | StoreError::Write(_) | StoreError::Read(_)) = written {
            self.mark_failed();
        }
        written
    }

    /// Reopens the file if redb refuses it, and proves that it can be written.
    ///
    /// # Errors
    /// Why the file cannot be written yet. It can be read again, unless it could not even be opened.
    pub fn recover(&self) -> Result<(), StoreError> {
        let _writer = self.lock_writer();
        self.check_location()?;
        if !self.is_usable.load(Ordering::Acquire) {
            self.reopen()?;
        }
        self.folder.check_free_space()?;
        if let Err(error) = self.prove_writable() {
            // So that reads work again.
            self.reopen()?;
            return Err(error);
        }
        self.is_healthy.store(true, Ordering::Release);
        Ok(())
    }

    fn lock_writer(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn transact<T>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        guard_writes(|| {
            let writing = self.begin_write()?;
            let done = work(&writing)?;
            writing.commit().map_err(write)?;
            Ok(done)
        })
    }

    fn begin_read(&self) -> Result<ReadTransaction, StoreError> {
        use OpenedDatabase::{ReadOnly, Writable};
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        match &*database {
            Some(Writable(database) | ReadOnly(database)) => database.begin_read().map_err(read),
            None => Err(StoreError::Read("the file is not open".to_owned())),
        }
    }

    fn begin_write(&self) -> Result<WriteTransaction, StoreError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        match &*database {
            Some(OpenedDatabase::Writable(database)) => database.begin_write().map_err(write),
            _ => Err(StoreError::Write("the file is not open".to_owned())),
        }
    }

    fn mark_failed(&self) {
        self.is_usable.store(false, Ordering::Release);
        self.is_healthy.store(false, Ordering::Release);
    }

    /// Closes the file and opens it again, or at least opens it for reading.
    fn reopen(&self) -> Result<(), StoreError> {
        // If the file was moved, the open one can still be read, and the new one is another store.
        self.check_location()?;
        let mut opened = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(OpenedDatabase::Writable(failed)) =
            opened.take_if(|opened| matches!(opened, OpenedDatabase::Writable(_)))
        {
            // Reports the error that is known already.
            let _ = guard_writes(|| failed.close().map_err(write));
        }
        self.generation.fetch_add(1, Ordering::Release);
        match guard_writes(|| self.open_again()) {
            Ok(database) => {
                *opened = Some(OpenedDatabase::Writable(database));
                self.is_usable.store(true, Ordering::Release);
                Ok(())
            }
            Err(error) => {
                if opened.is_none() {
                    let inspection = inspect(&self.folder.path(FILE)).ok();
                    let same = inspection.filter(|inspection| inspection.epoch == self.epoch);
                    *opened = same.map(|inspection| OpenedDatabase::ReadOnly(inspection.database));
                }
                Err(error)
            }
        }
    }

    /// Opens the file if it still belongs to the same store.
    fn open_again(&self) -> Result<Database, StoreError> {
        let database = self.folder.open(FILE)?;
        let path = self.folder.path(FILE);
        let (_, epoch) = identity(&database.begin_read().map_err(read)?, &path)?;
        if epoch != self.epoch {
            return Err(foreign(&path, "another store has taken its place"));
        }
        Ok(database)
    }

    fn prove_writable(&self) -> Result<(), StoreError> {
        let data = vec![1; PROOF_BYTES];
        self.transact(|writing| {
            let mut proof = writing.open_table(PROOF).map_err(write)?;
            proof.insert((), data.as_slice()).map_err(write)?;
            Ok(())
        })?;
        self.transact(|writing| {
            writing.delete_table(PROOF).map_err(write)?;
            Ok(())
        })
    }
}

/// Runs `work`, and turns a panic of redb, for example over a changed page, into a disk error.
///
/// # Errors
/// `Write` after a panic, and the errors of `work`.
pub fn guard_writes<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let done = catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|_| Err(StoreError::Write("redb gave up".to_owned())))
}
