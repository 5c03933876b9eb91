//! What does a change cost before it reaches a socket?
//!
//! Four questions: what is one encoding (every viewer would pay it, if it were not shared), what
//! does it take until a change lies in the mailbox of each of 10,000 viewers without a socket and
//! was taken out again, what is a join, with a snapshot and with 1,000 changes to catch up with,
//! and what is a viewer given that slept through 4,000 changes of 100 pets. Each bench asserts
//! that it did what it measures, and the baseline stands beside it. Run with
//! `cargo bench --bench hub`.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pet_store::hub::{Feed, Filter, Hub};
use pet_store::metrics::Metrics;
use pet_store::model::{
    By, Change, ChangeKind, Cursor, Epoch, Moment, Pet, PetId, Profile, Rev, Status,
};
use pet_store::store::{Engine, MemoryEngine};
use pet_store::wire::Frame;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const EPOCH: Epoch = Epoch::new(0x9f2c_41aa);
const PETS: u64 = 100;
const VIEWERS: usize = 10_000;
const MISSED: u64 = 1_000;
const SLEPT_THROUGH: u64 = 4_000;

/// A hub over a store in memory, with its routers running.
struct Rig {
    hub: Arc<Hub>,
    engine: Arc<MemoryEngine>,
    runtime: Runtime,
}

impl Rig {
    fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime starts");
        let engine = Arc::new(MemoryEngine::new(EPOCH));
        let hub = Hub::open(engine.clone(), Metrics::new()).expect("memory is readable");
        let entered = runtime.enter();
        hub.start(&TaskTracker::new(), &CancellationToken::new());
        drop(entered);
        let rig = Rig {
            hub,
            engine,
            runtime,
        };
        for id in 1..=PETS {
            rig.publish(id, ChangeKind::Pet(Arc::new(pet(id))));
        }
        rig
    }

    fn publish(&self, pet: u64, kind: ChangeKind) -> Rev {
        let change = change(self.hub.newest().0.next(), pet, kind);
        let changes = [change];
        self.engine.commit(&changes).expect("memory is writable");
        self.hub.publish(&changes);
        changes[0].rev
    }
}

fn pet(id: u64) -> Pet {
    Pet {
        id: PetId::new(id),
        profile: Profile {
            name: format!("Biscuit {id}"),
            species: "dog".to_owned(),
            ..Profile::default()
        },
        status: Status::Sleeping,
        since: Moment::from_micros(1_700_000_000_000_000),
    }
}

fn change(rev: Rev, pet: u64, kind: ChangeKind) -> Change {
    Change {
        rev,
        at: Moment::from_micros(1_700_000_000_000_000),
        by: By::Simulator,
        author: None,
        pet: PetId::new(pet),
        kind,
    }
}

fn encode(criterion: &mut Criterion) {
    let status = change(Rev::new(1042), 7, ChangeKind::Status(Status::Eating));
    criterion.bench_function("encode one status for all transports", |bencher| {
        bencher.iter(|| {
            let frame = Frame::of_change(EPOCH, black_box(&status));
            assert_eq!(frame.rev(), Rev::new(1042));
            frame
        });
    });
    let frame = Frame::of_change(EPOCH, &status);
    criterion.bench_function("share one encoded status (the baseline)", |bencher| {
        bencher.iter(|| black_box(&frame).clone());
    });
}

fn publish(criterion: &mut Criterion) {
    let rig = Rig::start();
    let since = Some(rig.hub.cursor());
    let mut feeds: Vec<Feed> = (0..VIEWERS)
        .map(|_| rig.hub.join(Filter::All, since))
        .collect();
    let mut group = criterion.benchmark_group("publish");
    group.throughput(Throughput::Elements(VIEWERS as u64));
    group.bench_function(
        "one status to 10,000 viewers and taken by each",
        |bencher| {
            bencher.iter(|| {
                let rev = rig.publish(7, ChangeKind::Status(Status::Eating));
                rig.runtime.block_on(async {
                    for feed in &mut feeds {
                        assert_eq!(feed.next().await.rev(), rev);
                    }
                });
            });
        },
    );
    group.finish();
}

fn join(criterion: &mut Criterion) {
    let rig = Rig::start();
    criterion.bench_function("join with a snapshot of 100 pets", |bencher| {
        bencher.iter(|| {
            let mut feed = rig.hub.join(Filter::All, None);
            assert!(feed.next_now().is_some_and(|frame| frame.pet().is_none()));
        });
    });
    for _ in 0..MISSED {
        rig.publish(7, ChangeKind::Status(Status::Eating));
    }
    let newest = rig.hub.cursor();
    let since = Some(Cursor {
        epoch: EPOCH,
        rev: Rev::new(newest.rev.get() - MISSED),
    });
    criterion.bench_function("join with 1,000 changes to catch up with", |bencher| {
        bencher.iter(|| {
            let mut feed = rig.hub.join(Filter::All, since);
            let given = std::iter::from_fn(|| feed.next_now()).count();
            assert_eq!(given as u64, MISSED);
        });
    });
}

fn conflate(criterion: &mut Criterion) {
    let rig = Rig::start();
    let since = rig.hub.newest().0;
    for turn in 0..SLEPT_THROUGH {
        rig.publish(turn % PETS + 1, ChangeKind::Status(Status::Eating));
    }
    criterion.bench_function("the newest of each pet after 4,000 changes", |bencher| {
        bencher.iter(|| {
            let missed = rig.hub.missed(&Filter::All, since);
            assert_eq!(missed.frames.len() as u64, PETS);
        });
    });
    criterion.bench_function("all of the 4,000 changes (the baseline)", |bencher| {
        bencher.iter(|| {
            let replay = rig.hub.replay(&Filter::All, since);
            let replay = replay.expect("the backlog reaches back so far");
            assert_eq!(replay.frames.len() as u64, SLEPT_THROUGH);
        });
    });
}

criterion_group!(benches, encode, publish, join, conflate);
criterion_main!(benches);
