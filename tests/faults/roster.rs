//! Sessions that are ended while the disk refuses.

use std::io::ErrorKind;
use std::sync::Arc;

use pet_store::auth::{Accounts, Actor};
use pet_store::model::{AccountName, Author, Role};
use pet_store::store::{AccountStore, Engine, IoObserver, RedbEngine, check};

use super::disk::{FailingDisk, Kind, Lasts};

/// Operations of its kind in one edit of the roster, and some more.
const NTHS: usize = 12;

const HASH: &str = "the hash of a password";

/// Ends a session while the `nth` operation fails; whether the disk refused anything.
fn end_a_session(kind: Kind, nth: usize, lasts: Lasts) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let disk = FailingDisk::new(folder.path(), kind, nth, lasts, ErrorKind::StorageFull);
    let disk = Arc::new(disk);
    let witness = Arc::clone(&disk) as Arc<dyn IoObserver>;
    let engine = Arc::new(RedbEngine::open_observed(folder.path(), witness).unwrap());
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
    let told = directory.sessions().end(ended, &author);
    let case = format!("{kind:?} {nth} {lasts:?}: {told:?}");
    assert!(directory.sessions().get(&ended).is_none(), "{case}");
    assert_eq!(directory.has_pending_revocations(), told.is_err(), "{case}");
    disk.heal();
    // As the writer's thread does by itself, and then the task that keeps the roster tidy.
    engine.recover().unwrap();
    directory.maintain().unwrap();
    drop((directory, engine));

    check(folder.path()).unwrap();
    let directory = open(&Arc::new(RedbEngine::open(folder.path()).unwrap()));
    assert!(directory.sessions().get(&ended).is_none(), "{case}");
    assert!(directory.sessions().get(&stays).is_some(), "{case}");
    told.is_err()
}

#[test]
fn a_session_that_was_ended_while_the_disk_refused_is_not_there_after_a_restart() {
    let mut refused = 0;
    for kind in [Kind::Write, Kind::Sync, Kind::Loss] {
        for lasts in [Lasts::Once, Lasts::ForGood] {
            let refusals = (1..=NTHS).map(|nth| end_a_session(kind, nth, lasts));
            refused += refusals.filter(|refused| *refused).count();
        }
    }
    assert!(refused >= 8, "{refused} refusals prove little");
}
