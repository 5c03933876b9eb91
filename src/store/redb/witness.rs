//! The store's file as redb sees it, with a witness to every change that is made to it.
//!
//! In production nobody watches. Tests record what a run does to the disk, refuse a write, or
//! hold one up: what a real disk does on its worst day.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{BackendError, DatabaseError, StorageBackend};

/// A change to the store's folder that is about to be made. Names are those inside the folder.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// An empty file with this name, in place of any that was there.
    Create {
        file: &'a str,
    },
    Write {
        file: &'a str,
        offset: u64,
        data: &'a [u8],
    },
    SetLength {
        file: &'a str,
        length: u64,
    },
    /// Everything written to the file before is to survive a power cut.
    Sync {
        file: &'a str,
    },
    Rename {
        from: &'a str,
        to: &'a str,
    },
    Remove {
        file: &'a str,
    },
    /// Every name of the folder is to survive a power cut.
    SyncFolder,
}

/// Is told of every change before it is made.
pub trait Witness: Debug + Send + Sync + 'static {
    /// May take its time.
    ///
    /// # Errors
    /// The change is then not made, and fails with this.
    fn see(&self, event: Event<'_>) -> io::Result<()>;
}

/// Lets everything pass.
#[derive(Debug)]
pub struct Nobody;

impl Witness for Nobody {
    fn see(&self, _event: Event<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// A file that tells its witness.
#[derive(Debug)]
pub struct WitnessedFile {
    name: String,
    file: FileBackend,
    witness: Arc<dyn Witness>,
}

impl WitnessedFile {
    pub fn new(name: &str, file: File, witness: Arc<dyn Witness>) -> Result<Self, DatabaseError> {
        let file = FileBackend::new(file)?;
        Ok(WitnessedFile {
            name: name.to_owned(),
            file,
            witness,
        })
    }
}

impl StorageBackend for WitnessedFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let file = &self.name;
        self.witness.see(Event::SetLength { file, length })?;
        self.file.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.witness.see(Event::Sync { file: &self.name })?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let file = &self.name;
        self.witness.see(Event::Write { file, offset, data })?;
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
