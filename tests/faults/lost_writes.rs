//! A disk that lost writes after it confirmed their fsync. They cannot be recovered, but their revs are
//! never used for other changes.

use std::io::{self, ErrorKind::StorageFull};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use pet_store::model::Rev;
use pet_store::store::{Engine, IoEvent, IoObserver, RedbEngine};
use pet_store::writer::WriteError;

use super::rig::{PETS, Rig};
use crate::support::until;

/// Fails one sync, and then has an earlier content.
#[derive(Debug)]
struct ForgetfulDisk {
    store: PathBuf,
    before: Mutex<Option<Vec<u8>>>,
}

impl ForgetfulDisk {
    fn new(folder: &Path) -> Self {
        ForgetfulDisk {
            store: folder.join("pet-store.redb"),
            before: Mutex::default(),
        }
    }

    /// Restores the content `before` at the next sync.
    fn revert_to(&self, before: Vec<u8>) {
        *self.before.lock().unwrap() = Some(before);
    }
}

impl IoObserver for ForgetfulDisk {
    fn before(&self, event: IoEvent<'_>) -> io::Result<()> {
        let IoEvent::Sync { .. } = event else {
            return Ok(());
        };
        let Some(before) = self.before.lock().unwrap().take() else {
            return Ok(());
        };
        std::fs::write(&self.store, before).unwrap();
        Err(StorageFull.into())
    }
}

/// Writing was refused until a restart, and after it the revs that had been shown were given to
/// other changes: a viewer's cursor was then answered with changes of another history.
#[tokio::test]
async fn revs_of_changes_that_the_disk_lost_are_never_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(ForgetfulDisk::new(folder.path()));
    let mut rig = Rig::start(folder.path(), disk.clone());
    let epoch = rig.engine.epoch();
    rig.set(1).await.unwrap();
    let before = std::fs::read(&disk.store).unwrap();
    rig.set(2).await.unwrap();
    rig.set(3).await.unwrap();

    disk.revert_to(before);
    assert_eq!(rig.set(4).await, Err(WriteError::Full));
    let mut turn = 4;
    until("the loss to be noticed", async || {
        turn += 1;
        rig.set(turn).await == Err(WriteError::Store)
    })
    .await;
    assert!(!rig.writer.is_writable());
    let shown = Rev::new(PETS + 3);
    assert_eq!(
        rig.hub.newest().0,
        shown,
        "the board keeps published changes"
    );
    let ledger = rig.stop().await;
    assert_eq!(ledger.newest(), shown.get());

    let engine = RedbEngine::open(folder.path()).unwrap();
    assert_ne!(engine.epoch(), epoch);
    assert_eq!(engine.newest().unwrap(), Rev::new(PETS + 1));
    let epoch = engine.epoch();
    drop(engine);
    let engine = RedbEngine::open(folder.path()).unwrap();
    assert_eq!(engine.epoch(), epoch, "a new history begins once");
}
