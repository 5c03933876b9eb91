//! The folder of a store: its files by name, each change to them shown to a witness first.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Builder, ConcurrencyMode, Database};
use rustix::fs::{Advice, fadvise};

use super::refusal::{failed, refused};
use super::witness::{Event, Nobody, Witness, WitnessedFile};
use crate::store::StoreError;
use crate::store::regular::{open_regular, open_regular_with};

/// The store.
pub const FILE: &str = "pet-store.redb";
/// Ends the name of a file that is being made. One that is found was left by a kill, and holds
/// nothing yet.
pub const UNFINISHED: &str = ".unfinished";
pub const LOCK: &str = "pet-store.lock";

/// Pages that redb keeps in memory. A rescue's store is a few megabytes; its default of 1 GiB
/// would let the log of a year fill a small machine.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// Readable by its owner alone: the log says who did what, and staff have passwords.
pub const PRIVATE: u32 = 0o600;

/// The same for a folder that is made for a store.
const PRIVATE_FOLDER: u32 = 0o700;

/// How redb is to treat a store's file. One process writes; others may read meanwhile, which is
/// what a backup of a running server does.
pub fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .set_cache_size(CACHE_BYTES)
        .set_concurrency_mode(ConcurrencyMode::SingleWriter);
    builder
}

/// A folder in which this process makes and opens files.
pub struct Place {
    folder: PathBuf,
    pub(super) witness: Arc<dyn Witness>,
    /// Held as long as a store is open: what keeps a second program out.
    _lock: Option<File>,
}

impl Place {
    /// Makes the folder if need be and takes its lock, which ends with this process.
    pub fn lock(folder: &Path, witness: Arc<dyn Witness>) -> Result<Self, StoreError> {
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(PRIVATE_FOLDER).create(folder);
        made.map_err(|error| failed(folder, &error))?;
        let path = folder.join(LOCK);
        let file = open_lock(&path).map_err(|error| failed(&path, &error))?;
        Place::locked_by(file, folder, witness)
    }

    /// Takes the lock of a folder with a store, to read it. Works on a disk that is mounted read-only,
    /// for example because it fails: if there is no lock file then, no server can be running.
    pub fn lock_to_read(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(LOCK);
        let is_refused = |error: &io::Error| {
            use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
            matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem)
        };
        let file = match open_lock(&path) {
            Err(error) if is_refused(&error) => open_regular(&path),
            opened => opened,
        };
        match file {
            Ok(file) => Place::locked_by(file, folder, Arc::new(Nobody)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Place::shared(folder)),
            Err(error) => Err(failed(&path, &error)),
        }
    }

    fn locked_by(file: File, folder: &Path, witness: Arc<dyn Witness>) -> Result<Self, StoreError> {
        match file.try_lock() {
            Ok(()) => Ok(Place {
                folder: folder.to_owned(),
                witness,
                _lock: Some(file),
            }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(folder.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed(&folder.join(LOCK), &error)),
        }
    }

    /// A folder that is no store's own, such as that of backups.
    fn shared(folder: &Path) -> Self {
        Place {
            folder: folder.to_owned(),
            witness: Arc::new(Nobody),
            _lock: None,
        }
    }

    /// The folder of a file that is yet to be made, and its name in it.
    pub fn of_new(file: &Path) -> Result<(Self, String), StoreError> {
        if exists(file)? {
            return Err(StoreError::Exists(file.to_owned()));
        }
        let name = file.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| failed(file, &io::ErrorKind::InvalidFilename.into()))?;
        let parent = file.parent().filter(|parent| *parent != Path::new(""));
        let folder = parent.unwrap_or(Path::new("."));
        Ok((Place::shared(folder), name.to_owned()))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn exists(&self, name: &str) -> Result<bool, StoreError> {
        exists(&self.path(name))
    }

    /// Opens an existing file for redb.
    ///
    /// What the system remembers of it is dropped first: after a sync that failed, its memory and
    /// the disk may differ, and the disk is what counts.
    pub fn open(&self, name: &str) -> Result<Database, StoreError> {
        let path = self.path(name);
        let file = open_regular_with(OpenOptions::new().read(true).write(true), &path);
        let file = file.map_err(|error| failed(&path, &error))?;
        // Only a hint: a file system that does not know it remembers nothing wrong either.
        let _ = fadvise(&file, 0, None, Advice::DontNeed);
        self.database(name, file)
    }

    pub fn database(&self, name: &str, file: File) -> Result<Database, StoreError> {
        let refused = |error| refused(&self.path(name), error);
        let witness = Arc::clone(&self.witness);
        let file = WitnessedFile::new(name, file, witness).map_err(refused)?;
        builder().create_with_backend(file).map_err(refused)
    }

    /// A file may come from a copy that was made with other permissions.
    pub fn keep_private(&self, name: &str) -> Result<(), StoreError> {
        let path = self.path(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(PRIVATE))
            .map_err(|error| failed(&path, &error))
    }

    /// Creates an empty file, in place of a file that was left there. A symbolic link is replaced and
    /// not followed, and the mode is that of a new file.
    pub fn create_file(&self, name: &str) -> io::Result<File> {
        self.witness.see(Event::Create { file: name })?;
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        private(&mut options).open(path)
    }

    /// Returns the identity of the file of this name; `None` if there is none.
    pub fn identify(&self, name: &str) -> io::Result<Option<FileId>> {
        use io::ErrorKind::{NotADirectory, NotFound, StaleNetworkFileHandle};
        match fs::metadata(self.path(name)) {
            Ok(file) => Ok(Some(FileId(file.dev(), file.ino()))),
            Err(error)
                if matches!(
                    error.kind(),
                    NotFound | NotADirectory | StaleNetworkFileHandle
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub fn sync(&self) -> io::Result<()> {
        self.witness.see(Event::SyncFolder)?;
        File::open(&self.folder)?.sync_all()
    }
}

/// The device and the inode of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId(u64, u64);

/// Returns true if there is a file at `path`, or what a link there leads to.
///
/// # Errors
/// `BrokenLink`, and `Open` when it cannot be known.
pub fn exists(path: &Path) -> Result<bool, StoreError> {
    match path.try_exists() {
        Ok(false) => StoreError::broken_link(path).map_or(Ok(false), Err),
        found => found.map_err(|error| failed(path, &error)),
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    open_regular_with(private(&mut options), path)
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(PRIVATE)
}
