//! A disk that comes back without what it had confirmed. Nothing can bring that back; but nobody
//! is told a second story under the same revs.

use std::io::{self, ErrorKind::StorageFull};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use pet_store::model::Rev;
use pet_store::store::{Engine, IoEvent, IoObserver, RedbEngine};
use pet_store::writer::WriteError;

use super::rig::{PETS, Rig};
use crate::support::until;

/// Fails one sync, and is then what it was some time before.
#[derive(Debug)]
struct ForgetfulDisk {
    store: PathBuf,
    before: Mutex<Option<Vec<u8>>>,
}

impl ForgetfulDisk {
    fn of(folder: &Path) -> Self {
        ForgetfulDisk {
            store: folder.join("pet-store.redb"),
            before: Mutex::default(),
        }
    }

    /// Will come back at the next sync to what `before` was.
    fn forget_since(&self, before: Vec<u8>) {
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
/// other changes: a viewer's cursor was then answered with the rest of another history.
#[tokio::test]
async fn revs_of_changes_that_the_disk_lost_are_never_given_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(ForgetfulDisk::of(folder.path()));
    let mut rig = Rig::start(folder.path(), disk.clone());
    let epoch = rig.engine.epoch();
    rig.set(1).await.unwrap();
    let before = std::fs::read(&disk.store).unwrap();
    rig.set(2).await.unwrap();
    rig.set(3).await.unwrap();

    disk.forget_since(before);
    assert_eq!(rig.set(4).await, Err(WriteError::Full));
    let mut turn = 4;
    until("the loss to be noticed", async || {
        turn += 1;
        rig.set(turn).await == Err(WriteError::Store)
    })
    .await;
    assert!(!rig.writer.is_writable());
    let shown = Rev::new(PETS + 3);
    assert_eq!(rig.hub.newest().0, shown, "what was shown stays");
    let ledger = rig.stop().await;
    assert_eq!(ledger.newest(), shown.get());

    let engine = RedbEngine::open(folder.path()).unwrap();
    assert_ne!(engine.epoch(), epoch);
    assert_eq!(engine.newest().unwrap(), Rev::new(PETS + 1));
    let epoch = engine.epoch();
    drop(engine);
    let engine = RedbEngine::open(folder.path()).unwrap();
    assert_eq!(engine.epoch(), epoch, "it begins once");
}
