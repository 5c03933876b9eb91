//! Measures a durable commit, and how much of its cost a batch saves.
//!
//! Each commit is one redb transaction with its fsyncs, on the disk of this folder. The baseline is a
//! write of 4 KiB and an fsync. Each bench asserts that its changes are in the store. Run with
//! `cargo bench --bench store`.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pet_store::model::{
    Change, ChangeKind, ChangeSource, Pet, PetId, Profile, Rev, Status, StatusNote, Timestamp,
};
use pet_store::store::{Engine, RedbEngine};
use tempfile::TempDir;

const PETS: u64 = 100;

fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the target folder is writable")
}

fn change(rev: Rev, pet: u64, kind: ChangeKind) -> Change {
    Change {
        rev,
        at: Timestamp::now(),
        by: ChangeSource::Simulator,
        author: None,
        request: None,
        visibility: pet_store::model::Visibility::Public,
        pet: PetId::new(pet),
        kind,
    }
}

/// A store with pets in it.
fn engine(folder: &TempDir) -> RedbEngine {
    let engine = RedbEngine::open(folder.path()).expect("a new store opens");
    let pets: Vec<Change> = (1..=PETS)
        .map(|id| {
            let pet = Pet {
                id: PetId::new(id),
                profile: Profile::default(),
                photos: Vec::new(),
                status: Status::Sleeping,
                since: Timestamp::now(),
                removed: None,
                note: StatusNote::default(),
            };
            change(Rev::new(id), id, ChangeKind::Pet(Arc::new(pet)))
        })
        .collect();
    engine.append(&pets).expect("there is room on the disk");
    engine
}

fn commit(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("commit");
    group.sample_size(20);
    for size in [1_u64, 16, 256] {
        let folder = folder();
        let engine = engine(&folder);
        let mut newest = Rev::new(PETS);
        group.throughput(Throughput::Elements(size));
        group.bench_function(format!("{size} statuses, durable"), |bencher| {
            bencher.iter(|| {
                let batch: Vec<Change> = (1..=size)
                    .map(|turn| {
                        let rev = Rev::new(newest.get() + turn);
                        let pet = rev.get() % PETS + 1;
                        change(rev, pet, ChangeKind::Status(Status::Eating))
                    })
                    .collect();
                engine.append(&batch).expect("there is room on the disk");
                newest = Rev::new(newest.get() + size);
            });
        });
        let kept = engine.snapshot().expect("the store is readable");
        assert_eq!(kept.rev, newest);
    }
    group.finish();
}

fn sync(criterion: &mut Criterion) {
    let folder = folder();
    let mut file = File::create(folder.path().join("baseline")).expect("a file can be made");
    let mut group = criterion.benchmark_group("commit");
    group.sample_size(20);
    group.bench_function("4 KiB written and synced (the baseline)", |bencher| {
        bencher.iter(|| {
            file.seek(SeekFrom::Start(0)).expect("files can be sought");
            file.write_all(&[7; 4096]).expect("there is room");
            file.sync_data().expect("the disk syncs");
        });
    });
    group.finish();
    let length = file.metadata().expect("the file is there").len();
    assert_eq!(length, 4096);
}

criterion_group!(benches, commit, sync);
criterion_main!(benches);
