//! What a store can fail with, in the words of the person who runs it: each says what to do next.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why a store could not be opened, read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("{} is in use by another pet-store; stop that one, or choose another --data", .0.display())]
    InUse(PathBuf),
    #[error(
        "{} has schema {found}, and this program knows up to {known}: \
         use the newer program that wrote it; the file was not touched", path.display()
    )]
    NewerSchema {
        path: PathBuf,
        found: u64,
        known: u64,
    },
    #[error(
        "{} is not a pet-store file ({reason}); it was not touched: \
         move it away, or choose another --data", path.display()
    )]
    Foreign { path: PathBuf, reason: String },
    #[error(
        "{} is damaged ({reason}); it was not touched: keep it, and restore the newest backup \
         into an empty folder with: pet-store restore FILE --data DIR", path.display()
    )]
    Damaged { path: PathBuf, reason: String },
    #[error(
        "cannot open {}: {reason}; it was not changed: see that the user who runs pet-store may \
         read and write it, and that its disk is there and has room", path.display()
    )]
    Open { path: PathBuf, reason: String },
    #[error(
        "{} is a link to {}, which does not exist; nothing was changed: remove the link, or make \
         what it leads to", link.display(), target.display()
    )]
    BrokenLink { link: PathBuf, target: PathBuf },
    #[error("there is no store in {}; choose the folder of one with --data", .0.display())]
    NotThere(PathBuf),
    #[error("{} is there already and was not touched: choose another name", .0.display())]
    Exists(PathBuf),
    #[error(
        "{} is not empty, and a store is only put into an empty folder; nothing was touched: \
         choose another --data, or move that folder away", .0.display()
    )]
    NotEmpty(PathBuf),
    #[error("line {line} of the export: {reason}; nothing was imported")]
    Import { line: u64, reason: String },
    #[error("cannot reach the engine at {address}: {reason}")]
    NoEngine { address: String, reason: String },
    #[error(
        "the engine is nats-server {version}, which cannot commit a change as a whole: use \
         nats-server 2.12 or newer; the engine was not changed"
    )]
    TooOld { version: String },
    #[error(
        "the engine's stream {stream} has {setting} = {found}, and pet-store needs {wanted}; \
         the stream was not changed: does it belong to another program, or was it changed by hand?"
    )]
    OtherSettings {
        stream: String,
        setting: String,
        found: String,
        wanted: String,
    },
    #[error(
        "the engine keeps its stream {stream} {kept} time(s), as it does when it was made with fewer \
         addresses, and as many servers as --engine names are to keep it {wanted} times; the stream was \
         not changed: change it with: nats stream edit {stream} --replicas {wanted}"
    )]
    TooFewCopies {
        stream: String,
        kept: u64,
        wanted: u64,
    },
    #[error(
        "the engine holds records and no epoch, which is written last: an import was not finished; \
         delete its streams PET_STORE and PET_STORE_STAFF, and import again"
    )]
    Unfinished,
    #[error("the engine at {0} holds no store")]
    NoStore(String),
    #[error(
        "the engine at {0} holds a store, and an import only fills an empty one; nothing was \
         written: choose other servers, or delete its streams PET_STORE and PET_STORE_STAFF"
    )]
    NotEmptyEngine(String),
    #[error(
        "the import was stopped in the middle: {0}; no node starts on what is there: \
         delete the engine's streams PET_STORE and PET_STORE_STAFF, and import again"
    )]
    Halfway(String),
    #[error("what was to be changed has changed meanwhile")]
    Conflict,
    #[error("the engine is out of reach: {0}")]
    Unavailable(String),
    #[error("the engine did not answer, so the write may or may not be there: {0}")]
    Unknown(String),
    #[error("the engine refuses the write: {0}")]
    Rejected(String),
    #[error("the log no longer reaches back so far")]
    Forgotten,
    #[error("there is no room on the disk: {0}")]
    Full(String),
    #[error(
        "{} was deleted or replaced while the server runs, and nothing is written: put the same \
         file back, or stop the server and restore a backup", .0.display()
    )]
    Moved(PathBuf),
    #[error("the disk refused a write: {0}")]
    Write(String),
    #[error("the store could not be read: {0}")]
    Read(String),
    #[error("the store holds what no pet-store wrote: {0}")]
    Record(String),
    #[error(
        "the store has forgotten changes that were shown: it ends at rev {kept}, and rev {shown} \
         was shown; nothing more is written: look after the disk, and restart, \
         which begins a history of its own"
    )]
    Forgot { kept: u64, shown: u64 },
}

impl StoreError {
    /// A file or folder that could not be opened or made: `BrokenLink` when that is the reason.
    pub fn from_open(path: &Path, error: &io::Error) -> Self {
        use io::ErrorKind::{AlreadyExists, NotFound};
        let broken = matches!(error.kind(), AlreadyExists | NotFound)
            .then(|| StoreError::broken_link(path))
            .flatten();
        broken.unwrap_or_else(|| StoreError::Open {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }

    /// The error for a path that is, or leads over, a symbolic link to nothing; `None` for any other.
    pub(super) fn broken_link(path: &Path) -> Option<Self> {
        path.ancestors().find_map(|link| {
            let target = fs::read_link(link).ok()?;
            let is_broken = link.try_exists().is_ok_and(|exists| !exists);
            is_broken.then(|| StoreError::BrokenLink {
                link: link.to_owned(),
                target,
            })
        })
    }

    /// A write that failed with `error`: `Full` when room would help.
    pub(super) fn from_write(error: &io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        if matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge) {
            StoreError::Full(error.to_string())
        } else {
            StoreError::Write(error.to_string())
        }
    }
}
