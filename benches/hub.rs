//! What does a change cost before it reaches a socket?
//!
//! Measures one encoding, which every viewer would pay if it were not shared; the cost for the writer of
//! 10,000 waiting polls, of another pet and of the one that changes; a join with a snapshot and with 1,000
//! changes; and the resync of a viewer that missed 4,000 changes of 100 pets. Each bench asserts its
//! result, with the baseline beside it. Run with `cargo bench --bench hub`.

use std::future::pending;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use pet_store::hub::{Hub, TopicFilter};
use pet_store::metrics::Metrics;
use pet_store::model::{
    Change, ChangeKind, ChangeSource, Cursor, Epoch, Pet, PetId, Profile, Rev, Status, StatusNote,
    Timestamp,
};
use pet_store::store::MemoryEngine;
use pet_store::wire::{Frame, Predecessors, SnapshotForm};
use tokio::runtime::Runtime;

const EPOCH: Epoch = Epoch::new(0x9f2c_41aa);
const BEFORE: Predecessors = Predecessors::both(Rev::new(1041));
const PETS: u64 = 100;
const POLLS: usize = 10_000;
const MISSED: u64 = 1_000;
const SLEPT_THROUGH: u64 = 4_000;

/// A hub over a store in memory.
struct Rig {
    hub: Arc<Hub>,
    engine: Arc<MemoryEngine>,
}

impl Rig {
    fn start() -> Self {
        let engine = Arc::new(MemoryEngine::new(EPOCH));
        let hub = Hub::open(engine.clone(), Metrics::new()).expect("memory is readable");
        let rig = Rig { hub, engine };
        for id in 1..=PETS {
            rig.publish(id, ChangeKind::Pet(Arc::new(pet(id))));
        }
        rig
    }

    fn publish(&self, pet: u64, kind: ChangeKind) -> Rev {
        let change = change(self.hub.newest().0.next(), pet, kind);
        let changes = [change];
        self.engine.append(&changes).expect("memory is writable");
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
        photos: Vec::new(),
        status: Status::Sleeping,
        since: Timestamp::from_micros(1_700_000_000_000_000),
        removed: None,
        note: StatusNote::default(),
    }
}

fn change(rev: Rev, pet: u64, kind: ChangeKind) -> Change {
    Change {
        rev,
        at: Timestamp::from_micros(1_700_000_000_000_000),
        by: ChangeSource::Simulator,
        author: None,
        request: None,
        visibility: pet_store::model::Visibility::Public,
        pet: PetId::new(pet),
        kind,
    }
}

fn encode(criterion: &mut Criterion) {
    let status = change(Rev::new(1042), 7, ChangeKind::Status(Status::Eating));
    criterion.bench_function("encode one status for all transports", |bencher| {
        bencher.iter(|| {
            let frame = Frame::from_change(EPOCH, black_box(&status), BEFORE);
            assert_eq!(frame.rev(), Rev::new(1042));
            frame
        });
    });
    let frame = Frame::from_change(EPOCH, &status, BEFORE);
    criterion.bench_function("share one encoded status (the baseline)", |bencher| {
        bencher.iter(|| black_box(&frame).clone());
    });
}

/// Polls that wait for a pet, and again as soon as they have its change.
struct Polls {
    runtime: Runtime,
    answered: Arc<AtomicUsize>,
}

impl Polls {
    fn wait_for(rig: &Rig, pet: u64) -> Self {
        let polls = Polls {
            runtime: Runtime::new().expect("a runtime starts"),
            answered: Arc::default(),
        };
        let filter = TopicFilter::new([PetId::new(pet).into()]).expect("one pet is not too many");
        for _ in 0..POLLS {
            let mut catch_up = rig.hub.catch_up(filter.clone(), Some(rig.hub.cursor()));
            let answered = Arc::clone(&polls.answered);
            polls.runtime.spawn(async move {
                loop {
                    let news = catch_up.next_within(pending::<()>()).await;
                    assert!(!news.frames.is_empty());
                    answered.fetch_add(1, Ordering::Release);
                }
            });
        }
        rig.publish(pet, ChangeKind::Status(Status::Bathing));
        polls.all_answered();
        polls
    }

    /// Returns when each was answered once more.
    fn all_answered(&self) {
        while self.answered.load(Ordering::Acquire) < POLLS {
            std::thread::yield_now();
        }
        assert_eq!(self.answered.swap(0, Ordering::AcqRel), POLLS);
    }
}

fn publish(criterion: &mut Criterion) {
    let status = || ChangeKind::Status(Status::Eating);
    let mut group = criterion.benchmark_group("publish one status");
    let rig = Rig::start();
    group.bench_function("while nobody polls (the baseline)", |bencher| {
        bencher.iter(|| rig.publish(7, status()));
    });
    let polls = Polls::wait_for(&rig, 8);
    group.bench_function("while 10,000 polls wait for another pet", |bencher| {
        bencher.iter(|| rig.publish(7, status()));
    });
    assert_eq!(polls.answered.load(Ordering::Acquire), 0);
    group.bench_function("and wake 10,000 polls that wait for it", |bencher| {
        bencher.iter_custom(|rounds| {
            let mut writing = Duration::ZERO;
            for _ in 0..rounds {
                let begun = Instant::now();
                rig.publish(8, status());
                writing += begun.elapsed();
                polls.all_answered();
            }
            writing
        });
    });
    group.bench_function("until 10,000 polls that wait for it have it", |bencher| {
        bencher.iter(|| {
            rig.publish(8, status());
            polls.all_answered();
        });
    });
    group.finish();
}

fn join(criterion: &mut Criterion) {
    let rig = Rig::start();
    criterion.bench_function("join with a snapshot of 100 pets", |bencher| {
        bencher.iter(|| {
            let mut catch_up = rig.hub.catch_up(TopicFilter::All, None);
            let chunk = catch_up.next_now().expect("a snapshot is in memory");
            assert!(chunk.is_whole && chunk.frames[0].topic().is_none());
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
            let mut catch_up = rig.hub.catch_up(TopicFilter::All, since);
            let chunk = catch_up
                .next_now()
                .expect("the backlog reaches back so far");
            assert!(chunk.is_whole && chunk.frames.len() as u64 == MISSED);
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
            let missed = rig
                .hub
                .resync(&TopicFilter::All, SnapshotForm::Whole, since);
            assert_eq!(missed.frames.len() as u64, PETS);
        });
    });
    criterion.bench_function("all of the 4,000 changes (the baseline)", |bencher| {
        bencher.iter(|| {
            let replay = rig.hub.replay(&TopicFilter::All, since);
            let replay = replay.expect("the backlog reaches back so far");
            assert_eq!(replay.frames.len() as u64, SLEPT_THROUGH);
        });
    });
}

criterion_group!(benches, encode, publish, join, conflate);
criterion_main!(benches);
