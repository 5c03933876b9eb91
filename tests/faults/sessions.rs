//! Sessions that end while the disk fails.

use std::io::ErrorKind;
use std::sync::Arc;

use pet_store::auth::{Accounts, Actor};
use pet_store::model::{AccountName, Author, Role};
use pet_store::store::{AccountStore, Engine, IoObserver, RedbEngine, check};

use super::disk::{FailingDisk, Fails, Lasts};

/// Operations of each kind in one edit of the accounts, and some more.
const NTHS: usize = 12;

const HASH: &str = "the hash of a password";

/// Ends a session while the `nth` operation fails. Returns true if the edit failed.
fn end_session_during(fails: Fails, nth: usize, lasts: Lasts) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let disk = FailingDisk::new(folder.path(), fails, nth, lasts, ErrorKind::StorageFull);
    let disk = Arc::new(disk);
    let observer = Arc::clone(&disk) as Arc<dyn IoObserver>;
    let engine = Arc::new(RedbEngine::open_observed(folder.path(), observer).unwrap());
    let open = |engine: &Arc<RedbEngine>| {
        Accounts::open(Arc::clone(engine) as Arc<dyn AccountStore>).unwrap()
    };
    let directory = open(&engine);
    let anna: AccountName = "anna".parse().unwrap();
    let author = Author {
        name: "anna".to_owned(),
        client: "a test".to_owned(),
    };
    let hash = HASH.to_owned();
    let operator = Actor::operator(author.clone());
    directory
        .members()
        .add(&anna, Role::Admin, hash, &operator)
        .unwrap();
    let begin = || directory.sessions().begin(&anna, HASH, "Firefox", None);
    let [ended, stays] = [begin(), begin()].map(|begun| begun.unwrap().key());

    disk.arm();
    let outcome = directory.sessions().end(ended, &author);
    let case = format!("{fails:?} {nth} {lasts:?}: {outcome:?}");
    assert!(directory.sessions().get(&ended).is_none(), "{case}");
    assert_eq!(
        directory.has_pending_revocations(),
        outcome.is_err(),
        "{case}"
    );
    disk.heal();
    // As the writer's thread does, and then the task that tidies the accounts.
    engine.recover().unwrap();
    directory.maintain().unwrap();
    drop((directory, engine));

    check(folder.path()).unwrap();
    let directory = open(&Arc::new(RedbEngine::open(folder.path()).unwrap()));
    assert!(directory.sessions().get(&ended).is_none(), "{case}");
    assert!(directory.sessions().get(&stays).is_some(), "{case}");
    outcome.is_err()
}

#[test]
fn a_session_that_ended_during_disk_errors_is_gone_after_a_restart() {
    let mut refused = 0;
    for fails in [Fails::Write, Fails::Sync, Fails::SyncWithLoss] {
        for lasts in [Lasts::Once, Lasts::UntilHealed] {
            let refusals = (1..=NTHS).map(|nth| end_session_during(fails, nth, lasts));
            refused += refusals.filter(|refused| *refused).count();
        }
    }
    assert!(refused >= 8, "{refused} failures prove little");
}
