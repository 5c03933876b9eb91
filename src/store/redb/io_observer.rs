//! The I/O observer: sees every change to the store's folder before it is made, and can fail or
//! delay it.
//!
//! In production nothing observes. Tests use an observer as a failpoint: they record what a run
//! writes, fail a write, or hold one up.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{BackendError, DatabaseError, StorageBackend};

/// A change to the store's folder that is about to be made. Names are those inside the folder.
#[derive(Clone, Copy, Debug)]
pub enum IoEvent<'a> {
    /// Creates an empty file of this name, and replaces one that is there.
    Create {
        /// The name.
        file: &'a str,
    },
    /// Writes to a file.
    Write {
        /// Name of the file.
        file: &'a str,
        /// Where the first byte goes.
        offset: u64,
        /// The bytes.
        data: &'a [u8],
    },
    /// Truncates or extends a file.
    SetLength {
        /// Name of the file.
        file: &'a str,
        /// New length of the file in bytes.
        length: u64,
    },
    /// Calls fsync on a file.
    Sync {
        /// Name of the file.
        file: &'a str,
    },
    /// Renames a file.
    Rename {
        /// The old name.
        from: &'a str,
        /// The new name.
        to: &'a str,
    },
    /// Removes a file.
    Remove {
        /// Name of the file.
        file: &'a str,
    },
    /// Calls fsync on the folder, which makes new and changed names durable.
    SyncFolder,
}

/// Observes every change before it is made.
pub trait IoObserver: Debug + Send + Sync + 'static {
    /// Called before the change is made. May block.
    ///
    /// # Errors
    /// The change is then not made, and fails with this error.
    fn before(&self, event: IoEvent<'_>) -> io::Result<()>;
}

/// Lets every change pass.
#[derive(Debug)]
pub struct NoObserver;

impl IoObserver for NoObserver {
    fn before(&self, _event: IoEvent<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// A file of redb that reports to an observer.
#[derive(Debug)]
pub struct ObservedFile {
    name: String,
    file: FileBackend,
    observer: Arc<dyn IoObserver>,
}

impl ObservedFile {
    /// Wraps `file`, whose name in the folder is `name`.
    ///
    /// # Errors
    /// If another process has locked the file.
    pub fn new(
        name: &str,
        file: File,
        observer: Arc<dyn IoObserver>,
    ) -> Result<Self, DatabaseError> {
        let file = FileBackend::new(file)?;
        Ok(ObservedFile {
            name: name.to_owned(),
            file,
            observer,
        })
    }
}

impl StorageBackend for ObservedFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let file = &self.name;
        self.observer.before(IoEvent::SetLength { file, length })?;
        self.file.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.observer.before(IoEvent::Sync { file: &self.name })?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let file = &self.name;
        self.observer
            .before(IoEvent::Write { file, offset, data })?;
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
