//! Translates errors of redb and of the file system into `StoreError`.

use std::io;
use std::path::Path;

use redb::DatabaseError;

use crate::store::StoreError;

/// The error of a read transaction.
pub fn read(error: impl Into<redb::Error>) -> StoreError {
    StoreError::Read(error.into().to_string())
}

/// The error of a write transaction: `Full` if free space would help.
pub fn write(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Io(error) => StoreError::from_write(&error),
        error => StoreError::Write(error.to_string()),
    }
}

/// The error of a file that redb cannot open.
pub fn open(path: &Path, error: DatabaseError) -> StoreError {
    use redb::StorageError::{Corrupted, Io};
    match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse(path.to_owned()),
        DatabaseError::Storage(Io(error)) => match error.kind() {
            io::ErrorKind::InvalidData => foreign(path, "it has another format"),
            io::ErrorKind::UnexpectedEof => damaged(path, "its end is missing"),
            _ => StoreError::from_open(path, &error),
        },
        DatabaseError::Storage(Corrupted(reason)) => damaged(path, &reason),
        error => damaged(path, &error.to_string()),
    }
}

/// The error of a file that is not a store's.
pub fn foreign(path: &Path, reason: &str) -> StoreError {
    StoreError::Foreign {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

/// The error of a store's file that is damaged.
pub fn damaged(path: &Path, reason: &str) -> StoreError {
    StoreError::Damaged {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}
