//! The folder of a store: its lock, and its files by name. The I/O observer sees each change to them
//! first.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Database, WriteTransaction};
use rustix::fs::{Advice, CWD, RenameFlags, fadvise, renameat_with};
use rustix::io::Errno;

use super::check::{Contents, check_file};
use super::errors;
use super::io_observer::{IoEvent, IoObserver, NoObserver, ObservedFile};
use super::sharing::SharingSocket;
use crate::store::StoreError;
use crate::store::regular::{open_regular, open_regular_with};

/// The name of the store's file.
pub const FILE: &str = "pet-store.redb";

/// The suffix of a file that is being written. If one is found, the process was killed while it
/// wrote the file, which is of no use.
pub const UNFINISHED: &str = ".unfinished";

/// The name of the file whose lock keeps a second program out.
pub const LOCK: &str = "pet-store.lock";

/// The name of the file that `check_free_space` writes and removes.
const FREE_SPACE: &str = "pet-store.room";

/// The free space that is required before writing is tried again: more than any batch of changes.
const FREE_SPACE_BYTES: usize = 512 * 1024;

/// The page cache of redb. A rescue's store has a few megabytes. With redb's default of 1 GiB, the
/// log of a year would fill the memory of a small machine.
pub const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// The mode of a file. Only its owner may read it: the log names who made a change, and accounts
/// have passwords.
pub const PRIVATE: u32 = 0o600;

/// The mode of a folder that is made for a store.
const PRIVATE_FOLDER: u32 = 0o700;

/// A folder in which this process creates and opens files.
pub struct StoreFolder {
    path: PathBuf,
    observer: Arc<dyn IoObserver>,
    /// Locked until this is dropped.
    _lock: Option<File>,
}

impl StoreFolder {
    /// Makes the folder if necessary, and takes its lock.
    ///
    /// # Errors
    /// `InUse`, `Open` or `BrokenLink`.
    pub fn lock(path: &Path, observer: Arc<dyn IoObserver>) -> Result<Self, StoreError> {
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(PRIVATE_FOLDER).create(path);
        made.map_err(|error| StoreError::from_open(path, &error))?;
        let lock = path.join(LOCK);
        let file = open_lock(&lock).map_err(|error| StoreError::from_open(&lock, &error))?;
        let locked = file.try_lock();
        StoreFolder::with_lock(file, locked, path, observer)
    }

    /// Takes the lock of a folder with a store, to read it together with other readers. Works on a disk that is mounted read-only,
    /// for example because it fails: if there is no lock file then, no server can be running.
    ///
    /// # Errors
    /// As for `lock`.
    pub fn lock_to_read(path: &Path) -> Result<Self, StoreError> {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        let lock = path.join(LOCK);
        let file = match open_lock(&lock) {
            Err(error) if matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem) => {
                open_regular(&lock)
            }
            opened => opened,
        };
        match file {
            Ok(file) => {
                let locked = file.try_lock_shared();
                StoreFolder::with_lock(file, locked, path, Arc::new(NoObserver))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(StoreFolder::without_lock(path))
            }
            Err(error) => Err(StoreError::from_open(&lock, &error)),
        }
    }

    /// Makes the socket over which other processes ask for the store.
    ///
    /// # Errors
    /// As for `SharingSocket::bind`.
    pub fn share(&self) -> io::Result<SharingSocket> {
        SharingSocket::bind(&self.path)
    }

    fn with_lock(
        file: File,
        locked: Result<(), TryLockError>,
        path: &Path,
        observer: Arc<dyn IoObserver>,
    ) -> Result<Self, StoreError> {
        match locked {
            Ok(()) => Ok(StoreFolder {
                path: path.to_owned(),
                observer,
                _lock: Some(file),
            }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(StoreError::from_open(&path.join(LOCK), &error)),
        }
    }

    /// A folder that is not a store's, such as a folder of backups.
    fn without_lock(path: &Path) -> Self {
        StoreFolder {
            path: path.to_owned(),
            observer: Arc::new(NoObserver),
            _lock: None,
        }
    }

    /// Returns the folder of a file that does not exist yet, and the file's name in it.
    ///
    /// # Errors
    /// `Exists`, or `Open` for a path without a file name.
    pub fn of_new_file(file: &Path) -> Result<(Self, String), StoreError> {
        if exists(file)? {
            return Err(StoreError::Exists(file.to_owned()));
        }
        let name = file.file_name().and_then(|name| name.to_str());
        let name = name
            .ok_or_else(|| StoreError::from_open(file, &io::ErrorKind::InvalidFilename.into()))?;
        let parent = file.parent().filter(|parent| *parent != Path::new(""));
        let folder = parent.unwrap_or(Path::new("."));
        Ok((StoreFolder::without_lock(folder), name.to_owned()))
    }

    /// Returns the path of the file called `name`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Returns true if there is a file called `name`.
    ///
    /// # Errors
    /// As for the function `exists`.
    pub fn exists(&self, name: &str) -> Result<bool, StoreError> {
        exists(&self.path(name))
    }

    /// Opens an existing file for redb.
    ///
    /// Its pages in the page cache of the system are dropped first: after a failed fsync they can
    /// differ from the disk, and the disk is what counts.
    ///
    /// # Errors
    /// `Open`, and the errors of `errors::open`.
    pub fn open(&self, name: &str) -> Result<Database, StoreError> {
        let path = self.path(name);
        let file = open_regular_with(OpenOptions::new().read(true).write(true), &path);
        let file = file.map_err(|error| StoreError::from_open(&path, &error))?;
        // Only a hint: a file system that does not support it caches no stale pages either.
        let _ = fadvise(&file, 0, None, Advice::DontNeed);
        self.database(name, file)
    }

    fn database(&self, name: &str, file: File) -> Result<Database, StoreError> {
        let open_error = |error| errors::open(&self.path(name), error);
        let observer = Arc::clone(&self.observer);
        let file = ObservedFile::new(name, file, observer).map_err(open_error)?;
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        builder.create_with_backend(file).map_err(open_error)
    }

    /// Reads the first bytes of a file.
    ///
    /// # Errors
    /// `Open`.
    pub fn read_start(&self, name: &str, length: usize) -> Result<Vec<u8>, StoreError> {
        let path = self.path(name);
        let mut start = vec![0; length];
        let read = open_regular(&path).and_then(|mut file| file.read_exact(&mut start));
        read.map_err(|error| StoreError::from_open(&path, &error))?;
        Ok(start)
    }

    /// Makes a file private; it can be a copy that was made with other permissions.
    ///
    /// # Errors
    /// `Open`.
    pub fn make_private(&self, name: &str) -> Result<(), StoreError> {
        let path = self.path(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(PRIVATE))
            .map_err(|error| StoreError::from_open(&path, &error))
    }

    /// Creates an empty private file, in place of a file that was left there. A symbolic link is
    /// replaced and not followed.
    fn create_file(&self, name: &str) -> io::Result<File> {
        self.observer.before(IoEvent::Create { file: name })?;
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        options.mode(PRIVATE).open(path)
    }

    /// Returns the identity of the file of this name; `None` if there is none.
    ///
    /// # Errors
    /// If the file system cannot tell.
    pub fn identify(&self, name: &str) -> io::Result<Option<FileId>> {
        use io::ErrorKind::{NotADirectory, NotFound, StaleNetworkFileHandle};
        match fs::metadata(self.path(name)) {
            Ok(file) => Ok(Some(FileId(file.dev(), file.ino()))),
            Err(error) => match error.kind() {
                NotFound | NotADirectory | StaleNetworkFileHandle => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// Writes a store's file called `name` and checks it. The file is complete, or it is not there:
    /// like every new file it is written under another name, and renamed at the end. A kill during
    /// redb's first writes would leave a file that never opens again.
    ///
    /// # Errors
    /// `Exists`, `Full` or `Write`, and the errors of `fill`.
    pub fn create_store(
        &self,
        name: &str,
        fill: impl FnOnce(&WriteTransaction) -> Result<(), StoreError>,
    ) -> Result<Contents, StoreError> {
        self.create_atomically(name, |unfinished| {
            let path = self.path(unfinished);
            let file = self.create_file(unfinished);
            let file = file.map_err(|error| StoreError::from_open(&path, &error))?;
            let database = self.database(unfinished, file)?;
            let writing = database.begin_write().map_err(errors::write)?;
            fill(&writing)?;
            writing.commit().map_err(errors::write)?;
            let closed = database.close();
            closed.map_err(|error| errors::open(&path, error))?;
            check_file(&path)
        })
    }

    /// Writes a file of any other format; it is complete, or it is not there.
    ///
    /// # Errors
    /// As for `create_store`.
    pub fn create(
        &self,
        name: &str,
        fill: impl FnOnce(&mut BufWriter<File>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.create_atomically(name, |unfinished| {
            let file = self.create_file(unfinished);
            let file =
                file.map_err(|error| StoreError::from_open(&self.path(unfinished), &error))?;
            let mut file = BufWriter::new(file);
            fill(&mut file)?;
            let synced = file.flush().and_then(|()| file.get_ref().sync_all());
            synced.map_err(|error| StoreError::from_write(&error))
        })
    }

    /// Copies a file that no process has open.
    ///
    /// # Errors
    /// As for `create_store`.
    pub fn copy(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.create(to, |out| {
            let source = open_regular(&self.path(from));
            let copied = source.and_then(|mut source| io::copy(&mut source, out));
            copied.map_err(|error| StoreError::from_write(&error))?;
            Ok(())
        })
    }

    /// Has `create` write a file under another name, and renames it to `name`.
    fn create_atomically<T>(
        &self,
        name: &str,
        create: impl FnOnce(&str) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let unfinished = format!("{name}{UNFINISHED}");
        let (from, to) = (self.path(&unfinished), self.path(name));
        let _removed = RemoveOnDrop(from.clone());
        let created = create(&unfinished)?;
        let renaming = IoEvent::Rename {
            from: &unfinished,
            to: name,
        };
        let renamed = self.observer.before(renaming);
        renamed
            .and_then(|()| rename_without_replacing(&from, &to))
            .and_then(|()| self.sync())
            .map_err(|error| StoreError::from_open(&to, &error))?;
        Ok(created)
    }

    fn sync(&self) -> io::Result<()> {
        self.observer.before(IoEvent::SyncFolder)?;
        File::open(&self.path)?.sync_all()
    }

    /// Checks that a batch of changes would fit onto the disk, by writing a file of that size.
    ///
    /// # Errors
    /// `Full` or `Write`.
    pub fn check_free_space(&self) -> Result<(), StoreError> {
        let written = self.write_free_space_file();
        let removed = self.observer.before(IoEvent::Remove { file: FREE_SPACE });
        let removed = removed.and_then(|()| fs::remove_file(self.path(FREE_SPACE)));
        written
            .and(removed)
            .map_err(|error| StoreError::from_write(&error))
    }

    fn write_free_space_file(&self) -> io::Result<()> {
        let data = vec![1; FREE_SPACE_BYTES];
        let mut file = self.create_file(FREE_SPACE)?;
        self.observer.before(IoEvent::Write {
            file: FREE_SPACE,
            offset: 0,
            data: &data,
        })?;
        file.write_all(&data)?;
        self.observer.before(IoEvent::Sync { file: FREE_SPACE })?;
        file.sync_data()
    }
}

/// The device and the inode of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId(u64, u64);

/// Returns true if there is a file at `path`, or at the target of a link there.
///
/// # Errors
/// `BrokenLink`, or `Open` if the file system cannot tell.
pub fn exists(path: &Path) -> Result<bool, StoreError> {
    match path.try_exists() {
        Ok(false) => StoreError::broken_link(path).map_or(Ok(false), Err),
        found => found.map_err(|error| StoreError::from_open(path, &error)),
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    open_regular_with(options.mode(PRIVATE), path)
}

/// Removes an unfinished file after an error or a panic: it is of no use, and the disk may be full.
/// After the rename there is no file of this name.
struct RemoveOnDrop(PathBuf);

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Renames a file, and never replaces another one if the file system can guarantee that.
fn rename_without_replacing(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) if !to.try_exists()? => fs::rename(from, to),
        renamed => Ok(renamed?),
    }
}
