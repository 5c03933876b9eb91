//! What it means that a file cannot be opened, in words that say what to do next.

use std::io;
use std::path::Path;

use redb::DatabaseError;

use crate::store::StoreError;

pub fn foreign(path: &Path, reason: &str) -> StoreError {
    StoreError::Foreign {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

pub fn failed(path: &Path, error: &io::Error) -> StoreError {
    StoreError::of_open(path, error)
}

/// What it means that redb does not open a file.
pub fn refused(path: &Path, error: DatabaseError) -> StoreError {
    use redb::StorageError::{Corrupted, Io};
    match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse(path.to_owned()),
        DatabaseError::Storage(Io(error)) => match error.kind() {
            io::ErrorKind::InvalidData => foreign(path, "it has another format"),
            io::ErrorKind::UnexpectedEof => damaged(path, "its end is missing"),
            _ => failed(path, &error),
        },
        DatabaseError::Storage(Corrupted(reason)) => damaged(path, &reason),
        error => damaged(path, &error.to_string()),
    }
}

pub fn damaged(path: &Path, reason: &str) -> StoreError {
    StoreError::Damaged {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}
