//! Disks that fail, and one that remembers: witnesses of a store.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use pet_store::store::{IoEvent, IoObserver};

use super::unsynced::Unsynced;

/// What is counted and refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Write,
    Sync,
    /// A sync, and then nothing of what it was to make safe is on the disk.
    Loss,
}

/// For how long it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    Once,
    ForGood,
}

/// Refuses one operation, or every one of its kind from there on, once it is armed.
#[derive(Debug)]
pub struct FailingDisk {
    kind: Kind,
    lasts: Lasts,
    error: io::ErrorKind,
    is_armed: AtomicBool,
    /// How many of its kind are still let through.
    before: AtomicUsize,
    refused: AtomicUsize,
    unsynced: Mutex<Unsynced>,
}

impl FailingDisk {
    /// Will refuse the `nth` operation of `kind` in `folder` after it is armed, the first being 1.
    pub fn new(folder: &Path, kind: Kind, nth: usize, lasts: Lasts, error: io::ErrorKind) -> Self {
        FailingDisk {
            kind,
            lasts,
            error,
            is_armed: AtomicBool::new(false),
            before: AtomicUsize::new(nth - 1),
            refused: AtomicUsize::new(0),
            unsynced: Mutex::new(Unsynced::of(folder)),
        }
    }

    pub fn arm(&self) {
        self.is_armed.store(true, Ordering::SeqCst);
    }

    pub fn heal(&self) {
        self.is_armed.store(false, Ordering::SeqCst);
    }

    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    /// Whether this is one of those that are counted.
    fn counts(&self, event: IoEvent<'_>) -> bool {
        match event {
            IoEvent::Write { .. } | IoEvent::SetLength { .. } => self.kind == Kind::Write,
            IoEvent::Sync { .. } => self.kind != Kind::Write,
            _ => false,
        }
    }

    fn decide(&self, event: IoEvent<'_>) -> io::Result<()> {
        if !self.counts(event) || !self.is_armed.load(Ordering::SeqCst) {
            return Ok(());
        }
        let counted = |left: usize| left.checked_sub(1);
        let passes = self
            .before
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, counted);
        if passes.is_ok() {
            return Ok(());
        }
        if self.refused.fetch_add(1, Ordering::SeqCst) > 0 && self.lasts == Lasts::Once {
            return Ok(());
        }
        Err(self.error.into())
    }
}

impl IoObserver for FailingDisk {
    fn before(&self, event: IoEvent<'_>) -> io::Result<()> {
        let decided = self.decide(event);
        if self.kind == Kind::Loss {
            let mut unsynced = self.unsynced.lock().unwrap();
            match (event, &decided) {
                (IoEvent::Sync { file }, Err(_)) => unsynced.lose(file),
                (event, _) => unsynced.note(event),
            }
        }
        decided
    }
}

/// Takes its time over every sync, once it is armed.
#[derive(Debug)]
pub struct SlowDisk {
    pub pause: Duration,
    pub is_armed: AtomicBool,
    pub is_syncing: AtomicBool,
}

impl IoObserver for SlowDisk {
    fn before(&self, event: IoEvent<'_>) -> io::Result<()> {
        if matches!(event, IoEvent::Sync { .. }) && self.is_armed.load(Ordering::SeqCst) {
            self.is_syncing.store(true, Ordering::SeqCst);
            std::thread::sleep(self.pause);
            self.is_syncing.store(false, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// One thing that was done to the disk, or that somebody was told.
#[derive(Clone, Debug)]
pub enum AuditEntry {
    Create {
        file: String,
    },
    Write {
        file: String,
        offset: u64,
        data: Vec<u8>,
    },
    SetLength {
        file: String,
        length: u64,
    },
    Sync {
        file: String,
    },
    Rename {
        from: String,
        to: String,
    },
    Remove {
        file: String,
    },
    SyncFolder,
    /// Everything up to this rev was acknowledged.
    Acknowledged(u64),
}

/// Remembers everything in its order.
#[derive(Debug, Default)]
pub struct RecordingDisk(Mutex<Vec<AuditEntry>>);

impl RecordingDisk {
    pub fn acknowledge(&self, rev: u64) {
        self.audit_entries().push(AuditEntry::Acknowledged(rev));
    }

    pub fn take(&self) -> Vec<AuditEntry> {
        std::mem::take(&mut *self.audit_entries())
    }

    fn audit_entries(&self) -> MutexGuard<'_, Vec<AuditEntry>> {
        self.0.lock().unwrap()
    }
}

impl IoObserver for RecordingDisk {
    fn before(&self, event: IoEvent<'_>) -> io::Result<()> {
        let named = str::to_owned;
        self.audit_entries().push(match event {
            IoEvent::Create { file } => AuditEntry::Create { file: named(file) },
            IoEvent::Write { file, offset, data } => AuditEntry::Write {
                file: named(file),
                offset,
                data: data.to_owned(),
            },
            IoEvent::SetLength { file, length } => AuditEntry::SetLength {
                file: named(file),
                length,
            },
            IoEvent::Sync { file } => AuditEntry::Sync { file: named(file) },
            IoEvent::Rename { from, to } => AuditEntry::Rename {
                from: named(from),
                to: named(to),
            },
            IoEvent::Remove { file } => AuditEntry::Remove { file: named(file) },
            IoEvent::SyncFolder => AuditEntry::SyncFolder,
        });
        Ok(())
    }
}
