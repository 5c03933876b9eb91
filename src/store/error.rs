//! Errors of a store. Their messages are for the operator, and say what to do.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The reason why a store could not be opened, read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has the lock of the folder.
    #[error("{} is in use by another pet-store; stop that one, or choose another --data", .0.display())]
    InUse(PathBuf),
    /// The process that has the lock of the folder does not share the store's file.
    #[error(
        "{} is in use by a program that does not answer (pet-store.socket): nothing was read; if it is \
         a server, restart it or stop it, and run this command again", .0.display()
    )]
    NoAnswer(PathBuf),
    /// The server stopped while its file was read, or reopened it after a disk error.
    #[error(
        "the server that runs on {} stopped, or reopened the file, while the store was read; run this \
         command again", .0.display()
    )]
    NotKept(PathBuf),
    /// A later version wrote the file.
    #[error(
        "{} has schema {found}, and this program knows up to {known}; the file was not changed: \
         use the newer program that wrote it", path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The schema of the file.
        found: u64,
        /// The newest schema that this program knows.
        known: u64,
    },
    /// The file has another format.
    #[error(
        "{} is not a pet-store file ({reason}); it was not changed: \
         move it away, or choose another --data", path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The difference.
        reason: String,
    },
    /// A page or a record of the file is damaged.
    #[error(
        "{} is damaged ({reason}); it was not changed: keep it, and restore the newest backup \
         into an empty folder with: pet-store restore FILE --data DIR", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The damage.
        reason: String,
    },
    /// The file or folder cannot be opened or made.
    #[error(
        "cannot open {}: {reason}; it was not changed: check that the user who runs pet-store may \
         read and write it, and that its disk is mounted and has free space", path.display()
    )]
    Open {
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        reason: String,
    },
    /// A symbolic link on the path has no target.
    #[error(
        "{} is a link to {}, which does not exist; nothing was changed: remove the link, or \
         create its target", link.display(), target.display()
    )]
    BrokenLink {
        /// The link.
        link: PathBuf,
        /// Target of the link.
        target: PathBuf,
    },
    /// The folder has no store.
    #[error("there is no store in {}; choose the folder of one with --data", .0.display())]
    NoStoreInFolder(PathBuf),
    /// The file to create exists.
    #[error("{} already exists and was not changed; choose another name", .0.display())]
    Exists(PathBuf),
    /// The folder to fill is not empty.
    #[error(
        "{} is not empty, and a store is only put into an empty folder; nothing was changed: \
         choose another --data, or move that folder away", .0.display()
    )]
    NotEmpty(PathBuf),
    /// A line of an export is wrong.
    #[error("line {line} of the export: {reason}; nothing was imported")]
    Import {
        /// The line, from 1.
        line: u64,
        /// The mistake.
        reason: String,
    },
    /// No server of the cluster can be reached.
    #[error("cannot reach the engine at {address}: {reason}")]
    NoEngine {
        /// The servers.
        address: String,
        /// The error of the connection.
        reason: String,
    },
    /// A server of the cluster is too old.
    #[error(
        "the engine is nats-server {version}, which cannot commit a batch atomically; the engine \
         was not changed: use nats-server 2.12 or newer"
    )]
    TooOld {
        /// The version of the server.
        version: String,
    },
    /// A stream of the cluster has settings that pet-store cannot use.
    #[error(
        "the engine's stream {stream} has {setting} = {found}, and pet-store needs {wanted}; \
         the stream was not changed: does it belong to another program, or was it changed by hand?"
    )]
    OtherSettings {
        /// The stream.
        stream: String,
        /// The setting.
        setting: String,
        /// Value of the setting.
        found: String,
        /// The value that pet-store needs.
        wanted: String,
    },
    /// A stream of the cluster has fewer replicas than the servers allow.
    #[error(
        "the engine's stream {stream} has {kept} replica(s), and {wanted} are needed for the servers \
         in --engine; the stream was not changed: change it with: \
         nats stream edit {stream} --replicas {wanted}"
    )]
    TooFewReplicas {
        /// The stream.
        stream: String,
        /// Replicas of the stream.
        kept: u64,
        /// The replicas that it needs.
        wanted: u64,
    },
    /// The cluster has records and no epoch, which an import writes last.
    #[error(
        "the engine has records but no epoch, so an import was not finished; \
         delete its streams PET_STORE and PET_STORE_STAFF, and import again"
    )]
    Unfinished,
    /// The cluster has no store.
    #[error("the engine at {0} holds no store")]
    NoStore(String),
    /// The cluster to fill has a store.
    #[error(
        "the engine at {0} holds a store, and an import needs an empty one; nothing was written: \
         choose other servers, or delete its streams PET_STORE and PET_STORE_STAFF"
    )]
    NotEmptyEngine(String),
    /// An import into a cluster failed after it had begun.
    #[error(
        "the import stopped in the middle: {0}; no node starts on the incomplete data: \
         delete the engine's streams PET_STORE and PET_STORE_STAFF, and import again"
    )]
    ImportStopped(String),
    /// A pet of the commit has changed since the decision.
    #[error("a pet has changed since the change was decided")]
    Conflict,
    /// The engine does not respond; nothing was written.
    #[error("the engine does not respond: {0}")]
    Unavailable(String),
    /// The engine did not acknowledge a write.
    #[error("the engine did not acknowledge the write, which may or may not be stored: {0}")]
    Unknown(String),
    /// The engine will never accept the write.
    #[error("the engine rejects the write: {0}")]
    Rejected(String),
    /// The log was trimmed.
    #[error("the log no longer has changes that old")]
    Trimmed,
    /// The disk is full.
    #[error("the disk is full: {0}")]
    Full(String),
    /// The store's file no longer has its name.
    #[error(
        "{} was deleted or replaced while the server runs, and nothing is written: put the same \
         file back, or stop the server and restore a backup", .0.display()
    )]
    Moved(PathBuf),
    /// The disk failed a write.
    #[error("the disk failed a write: {0}")]
    Write(String),
    /// The disk failed a read.
    #[error("the store could not be read: {0}")]
    Read(String),
    /// A record is not one that pet-store writes.
    #[error("the store has a record that no pet-store wrote: {0}")]
    Record(String),
    /// The store lost changes that were published.
    #[error(
        "the store lost published changes: it ends at rev {kept}, and rev {shown} was published; \
         nothing more is written: check the disk, and restart, which begins a new history"
    )]
    LostChanges {
        /// The last rev in the store.
        kept: u64,
        /// The last rev that was published.
        shown: u64,
    },
}

impl StoreError {
    /// The error of a record, or of records that are inconsistent.
    pub(super) fn record(reason: impl Into<String>) -> Self {
        StoreError::Record(reason.into())
    }

    /// The error of a file or folder that could not be opened or made: `BrokenLink` if that is the reason.
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

    /// The error of a path that is, or contains, a symbolic link without a target; `None` for any other.
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

    /// The error of a failed write: `Full` if free space would help.
    pub(super) fn from_write(error: &io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        if matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge) {
            StoreError::Full(error.to_string())
        } else {
            StoreError::Write(error.to_string())
        }
    }
}
