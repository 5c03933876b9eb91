//! An import that is interrupted.

use std::path::Path;

use pet_store::model::{
    Change, ChangeKind, ChangeSource, Pet, PetId, Profile, Rev, Status, StatusNote, Timestamp,
};
use pet_store::store::RedbEngine;

use super::{fail, messages, succeed};
use crate::cluster::server::{NEWEST, Servers};
use crate::cluster::support::Nodes;
use crate::support::{Process, until};

/// Creates an export of many pets with some changes each, so that its import takes a while.
async fn create_large_export(folder: &Path) {
    let pet = |number: u64, at| Pet {
        id: PetId::new(number),
        profile: Profile {
            name: format!("Pet {number}"),
            species: "dog".to_owned(),
            ..Profile::default()
        },
        photos: Vec::new(),
        status: Status::Eating,
        since: at,
        removed: None,
        note: StatusNote::default(),
    };
    let change = |rev: u64| {
        let (at, number) = (Timestamp::from_micros(rev.cast_signed()), 1 + rev % 4000);
        Change {
            rev: Rev::new(rev),
            at,
            by: ChangeSource::Staff,
            author: None,
            request: None,
            visibility: pet_store::model::Visibility::Public,
            pet: PetId::new(number),
            kind: ChangeKind::Pet(pet(number, at).into()),
        }
    };
    let changes: Vec<Change> = (1..=24_000).map(change).collect();
    let engine = RedbEngine::open(&folder.join("data")).unwrap();
    engine.append(&changes).unwrap();
    drop(engine);
    succeed(folder, &["export", "large"]).await;
}

#[tokio::test]
async fn a_killed_import_is_not_taken_for_a_store_and_can_be_repeated() {
    let servers = Servers::start(1, NEWEST);
    let temporary = tempfile::tempdir().unwrap();
    let (folder, address) = (temporary.path(), servers.address());
    create_large_export(folder).await;
    let import = ["import", "large", "--engine", &address];
    let mut importing = Process::begin(folder, &import);
    until("the first batches", async || {
        messages(&servers, "PET_STORE").is_ok_and(|count| count > 1000)
    })
    .await;
    importing.kill().await.unwrap();
    let count = messages(&servers, "PET_STORE").unwrap();
    assert!(count < 24_000, "the import finished before it was killed");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--engine", &address];
    for arguments in [&serve[..], &import, &["export", "no", "--engine", &address]] {
        let line = fail(folder, arguments).await;
        assert!(line.contains("an import was not finished"), "{line}");
    }
    assert_eq!(messages(&servers, "PET_STORE").unwrap(), count);
    servers.ask("$JS.API.STREAM.DELETE.PET_STORE");
    servers.ask("$JS.API.STREAM.DELETE.PET_STORE_STAFF");
    let line = succeed(folder, &import).await;
    assert!(line.contains("4000 pets"), "{line}");
    let nodes = Nodes::start(&servers, 1).await;
    assert_eq!(nodes.status(0, 4000).await, "eating");
}
