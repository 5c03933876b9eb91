//! Simulated disks: one that fails, one that blocks, and one that records every operation.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use pet_store::store::{IoEvent, IoObserver};

/// The kind of operation that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fails {
    Write,
    Sync,
    /// A sync, after which nothing that was written since the last one is on the disk.
    SyncWithLoss,
}

/// For how long it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    Once,
    UntilHealed,
}

/// Fails one operation, or every one of its kind from there on, once it is armed.
#[derive(Debug)]
pub struct FailingDisk {
    fails: Fails,
    lasts: Lasts,
    error: io::ErrorKind,
    is_armed: AtomicBool,
    /// Operations of the kind that still succeed.
    before: AtomicUsize,
    failures: AtomicUsize,
    unsynced: Mutex<UnsyncedWrites>,
}

impl FailingDisk {
    /// Fails the `nth` operation of its kind in `folder` after it is armed, counted from 1.
    pub fn new(
        folder: &Path,
        fails: Fails,
        nth: usize,
        lasts: Lasts,
        error: io::ErrorKind,
    ) -> Self {
        FailingDisk {
            fails,
            lasts,
            error,
            is_armed: AtomicBool::new(false),
            before: AtomicUsize::new(nth - 1),
            failures: AtomicUsize::new(0),
            unsynced: Mutex::new(UnsyncedWrites::new(folder)),
        }
    }

    pub fn arm(&self) {
        self.is_armed.store(true, Ordering::SeqCst);
    }

    pub fn heal(&self) {
        self.is_armed.store(false, Ordering::SeqCst);
    }

    /// Number of operations since the first failure, that one included.
    pub fn failures(&self) -> usize {
        self.failures.load(Ordering::SeqCst)
    }

    fn is_of_kind(&self, event: IoEvent<'_>) -> bool {
        match event {
            IoEvent::Write { .. } | IoEvent::SetLength { .. } => self.fails == Fails::Write,
            IoEvent::Sync { .. } => self.fails != Fails::Write,
            _ => false,
        }
    }

    fn decide(&self, event: IoEvent<'_>) -> io::Result<()> {
        if !self.is_of_kind(event) || !self.is_armed.load(Ordering::SeqCst) {
            return Ok(());
        }
        let order = Ordering::SeqCst;
        let succeeds = self
            .before
            .fetch_update(order, order, |left| left.checked_sub(1));
        if succeeds.is_ok() {
            return Ok(());
        }
        if self.failures.fetch_add(1, order) > 0 && self.lasts == Lasts::Once {
            return Ok(());
        }
        Err(self.error.into())
    }
}

impl IoObserver for FailingDisk {
    fn before(&self, event: IoEvent<'_>) -> io::Result<()> {
        let decided = self.decide(event);
        if self.fails == Fails::SyncWithLoss {
            let mut unsynced = self.unsynced.lock().unwrap();
            match (event, &decided) {
                (IoEvent::Sync { file }, Err(_)) => unsynced.revert(file),
                (event, _) => unsynced.record(event),
            }
        }
        decided
    }
}

/// The writes since the last sync of each file, so that they can be reverted: after a failed sync
/// none of them needs to be on the disk.
#[derive(Debug)]
struct UnsyncedWrites {
    folder: PathBuf,
    overwritten: Vec<Overwritten>,
}

/// The bytes of a file before a write, and its length.
#[derive(Debug)]
struct Overwritten {
    file: String,
    length: u64,
    offset: u64,
    data: Vec<u8>,
}

impl UnsyncedWrites {
    fn new(folder: &Path) -> Self {
        UnsyncedWrites {
            folder: folder.to_owned(),
            overwritten: Vec::new(),
        }
    }

    /// Records an operation that is about to be made.
    fn record(&mut self, event: IoEvent<'_>) {
        match event {
            IoEvent::Write { file, offset, data } => {
                self.save(file, offset, offset + data.len() as u64);
            }
            IoEvent::SetLength { file, length } => self.save(file, length, u64::MAX),
            IoEvent::Sync { file } | IoEvent::Remove { file } => self.forget(file),
            IoEvent::Create { .. } | IoEvent::Rename { .. } | IoEvent::SyncFolder => {}
        }
    }

    /// Restores the content of the file at its last sync.
    fn revert(&mut self, name: &str) {
        let file = OpenOptions::new().write(true).open(self.folder.join(name));
        let file = file.unwrap();
        let newest_first = self.overwritten.iter().rev();
        for before in newest_first.filter(|before| before.file == name) {
            file.write_all_at(&before.data, before.offset).unwrap();
            file.set_len(before.length).unwrap();
        }
        self.forget(name);
    }

    fn forget(&mut self, name: &str) {
        self.overwritten.retain(|before| before.file != name);
    }

    fn save(&mut self, name: &str, start: u64, end: u64) {
        let file = File::open(self.folder.join(name)).unwrap();
        let length = file.metadata().unwrap().len();
        let mut data = vec![0; end.min(length).saturating_sub(start) as usize];
        file.read_exact_at(&mut data, start).unwrap();
        self.overwritten.push(Overwritten {
            file: name.to_owned(),
            length,
            offset: start,
            data,
        });
    }
}

/// Blocks every sync while it is armed.
#[derive(Debug, Default)]
pub struct BlockingDisk {
    is_armed: Mutex<bool>,
    released: Condvar,
    is_syncing: AtomicBool,
}

impl BlockingDisk {
    pub fn arm(&self) {
        *self.is_armed.lock().unwrap() = true;
    }

    /// Lets the blocked sync and later ones complete.
    pub fn release(&self) {
        *self.is_armed.lock().unwrap() = false;
        self.released.notify_all();
    }

    /// Returns true while a sync is blocked.
    pub fn is_syncing(&self) -> bool {
        self.is_syncing.load(Ordering::SeqCst)
    }
}

impl IoObserver for BlockingDisk {
    fn before(&self, event: IoEvent<'_>) -> io::Result<()> {
        if matches!(event, IoEvent::Sync { .. }) {
            let armed = self.is_armed.lock().unwrap();
            self.is_syncing.store(*armed, Ordering::SeqCst);
            let limit = Duration::from_mins(1);
            let released = self
                .released
                .wait_timeout_while(armed, limit, |armed| *armed);
            assert!(!released.unwrap().1.timed_out(), "the sync is released");
            self.is_syncing.store(false, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// One operation on the disk, or the acknowledgement of changes.
#[derive(Clone, Debug)]
pub enum DiskOperation {
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
    /// Every change up to this rev was acknowledged.
    Acknowledged(u64),
}

impl From<IoEvent<'_>> for DiskOperation {
    fn from(event: IoEvent<'_>) -> Self {
        let owned = str::to_owned;
        match event {
            IoEvent::Create { file } => DiskOperation::Create { file: owned(file) },
            IoEvent::Write { file, offset, data } => DiskOperation::Write {
                file: owned(file),
                offset,
                data: data.to_owned(),
            },
            IoEvent::SetLength { file, length } => DiskOperation::SetLength {
                file: owned(file),
                length,
            },
            IoEvent::Sync { file } => DiskOperation::Sync { file: owned(file) },
            IoEvent::Rename { from, to } => DiskOperation::Rename {
                from: owned(from),
                to: owned(to),
            },
            IoEvent::Remove { file } => DiskOperation::Remove { file: owned(file) },
            IoEvent::SyncFolder => DiskOperation::SyncFolder,
        }
    }
}

/// Records every operation in its order.
#[derive(Debug, Default)]
pub struct RecordingDisk(Mutex<Vec<DiskOperation>>);

impl RecordingDisk {
    pub fn acknowledge(&self, rev: u64) {
        self.operations().push(DiskOperation::Acknowledged(rev));
    }

    pub fn take(&self) -> Vec<DiskOperation> {
        std::mem::take(&mut *self.operations())
    }

    fn operations(&self) -> MutexGuard<'_, Vec<DiskOperation>> {
        self.0.lock().unwrap()
    }
}

impl IoObserver for RecordingDisk {
    fn before(&self, event: IoEvent<'_>) -> io::Result<()> {
        self.operations().push(event.into());
        Ok(())
    }
}
