//! The side of the process that reads the file.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Bound;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use redb::{BackendError, ConcurrencyMode, Database, ReadOnlyDatabase, StorageBackend};

use super::super::errors;
use super::super::folder::{CACHE_BYTES, FILE};
use super::{HEADER_BYTES, with_socket_path};
use crate::store::StoreError;
use crate::store::regular::open_regular;

/// The longest wait for a socket: a server that starts makes it right after it has the lock.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest wait for an answer: a server that starts checks the whole file first, and on a slow disk
/// a commit takes seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// The byte of the header with the flags, and the flag that the file is open (docs/design.md of redb).
const FLAGS: usize = 9;
const IS_OPEN: u8 = 2;

/// The file of a running server, open to be read as it is at one moment.
pub struct SharedFile {
    /// The commit at that moment.
    pub database: ReadOnlyDatabase,
    connection: UnixStream,
    folder: PathBuf,
}

impl SharedFile {
    /// Asks the server that has the lock of `folder`, and opens the file.
    ///
    /// # Errors
    /// `NoAnswer`, `Open`, and the errors of `errors::open`.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        let file = open_regular(&path).map_err(|error| StoreError::from_open(&path, &error))?;
        let mut connection = connect(folder)?;
        let mut header = vec![0; HEADER_BYTES];
        connection.read_exact(&mut header).map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                let reason = io::Error::other("its server cannot write or share it just now");
                StoreError::from_open(&path, &reason)
            } else {
                StoreError::NoAnswer(folder.to_owned())
            }
        })?;
        header[FLAGS] &= !IS_OPEN;
        // As if the file were shared by the means of redb: no page but those of the commit is read.
        let mut builder = Database::builder();
        builder
            .set_cache_size(CACHE_BYTES)
            .set_concurrency_mode(ConcurrencyMode::SingleWriter);
        let database = builder
            .open_read_only_with_backend(KeptPages { header, file })
            .map_err(|error| errors::open(&path, error))?;
        Ok(SharedFile {
            database,
            connection,
            folder: folder.to_owned(),
        })
    }

    /// Confirms that everything read so far is of the one commit.
    ///
    /// # Errors
    /// `NotKept` if the server stopped or reopened the file, `NoAnswer`.
    pub fn confirm(&self) -> Result<(), StoreError> {
        let mut connection = &self.connection;
        let mut answer = [0];
        let answered = connection
            .write_all(&answer)
            .and_then(|()| connection.read_exact(&mut answer));
        answered.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                StoreError::NoAnswer(self.folder.clone())
            }
            _ => StoreError::NotKept(self.folder.clone()),
        })
    }
}

fn connect(folder: &Path) -> Result<UnixStream, StoreError> {
    use io::ErrorKind::{ConnectionRefused, NotFound};
    let began = Instant::now();
    loop {
        let connected = with_socket_path(folder, |path| {
            let connection = UnixStream::connect(path)?;
            connection.set_read_timeout(Some(ANSWER_TIMEOUT))?;
            Ok(connection)
        });
        match connected {
            Ok(connection) => return Ok(connection),
            Err(error) if !matches!(error.kind(), ConnectionRefused | NotFound) => {
                return Err(StoreError::from_open(&folder.join(super::SOCKET), &error));
            }
            Err(_) if began.elapsed() > CONNECT_TIMEOUT => {
                return Err(StoreError::NoAnswer(folder.to_owned()));
            }
            Err(_) => thread::sleep(CONNECT_TIMEOUT / 40),
        }
    }
}

/// The file with the header of a commit. All its other pages are immutable while the server keeps it.
#[derive(Debug)]
struct KeptPages {
    header: Vec<u8>,
    file: File,
}

impl StorageBackend for KeptPages {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let of_header = self.header.get(offset as usize..).unwrap_or_default();
        let (start, rest) = out.split_at_mut(of_header.len().min(out.len()));
        start.copy_from_slice(&of_header[..start.len()]);
        self.file.read_exact_at(rest, offset + start.len() as u64)
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn write(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    // The server keeps the pages, so that no lock is needed.

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}
