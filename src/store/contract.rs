//! The tests that every engine passes.

#[cfg(feature = "slow-tests")]
#[path = "../../tests/nats/server.rs"]
#[expect(dead_code, reason = "the tests of whole nodes use all of it")]
pub(super) mod server;

mod notes;
mod photos;
mod trash;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

#[cfg(feature = "slow-tests")]
use tokio::runtime::Runtime;

#[cfg(feature = "slow-tests")]
use self::server::{NEWEST, OLDEST, Servers};
use super::*;
use crate::model::{
    Author, Change, ChangeKind, ChangeSource, Pet, Profile, Status, StatusNote, Timestamp,
    Visibility,
};

/// Runs `check` with a new store of every engine.
fn with_every_engine(check: impl Fn(&mut TestWriter)) {
    check(&mut TestWriter::new(&MemoryEngine::new(Epoch::new(7))));
    let folder = tempfile::tempdir().unwrap();
    check(&mut TestWriter::new(
        &RedbEngine::open(folder.path()).unwrap(),
    ));
    #[cfg(feature = "slow-tests")]
    with_clusters(|engine| check(&mut TestWriter::new(engine)));
}

/// Runs `check` with a node of one new server, and with a node of three.
#[cfg(feature = "slow-tests")]
pub(super) fn with_clusters(check: impl Fn(&NatsEngine)) {
    for (count, version) in [(1, OLDEST), (3, NEWEST)] {
        let (servers, runtime) = (Servers::start(count, version), Runtime::new().unwrap());
        let address = servers.address().parse().unwrap();
        let engine = runtime.block_on(NatsEngine::connect(&address)).unwrap();
        check(&engine);
        engine.close();
    }
}

/// Runs `check` with two nodes of a new server.
#[cfg(feature = "slow-tests")]
pub(crate) fn with_pair(check: impl FnOnce(Arc<NatsEngine>, Arc<NatsEngine>)) {
    let (servers, runtime) = (Servers::start(1, NEWEST), Runtime::new().unwrap());
    let address = servers.address().parse().unwrap();
    let connect = || Arc::new(runtime.block_on(NatsEngine::connect(&address)).unwrap());
    let (here, there) = (connect(), connect());
    check(Arc::clone(&here), Arc::clone(&there));
    there.close();
    here.close();
}

/// Waits until `condition` holds, with a limit.
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "timed out waiting for {what}");
        std::thread::yield_now();
    }
}

/// Decides and commits changes like the writer: at the newest rev, against the board.
pub(crate) struct TestWriter<'a> {
    pub engine: &'a dyn Engine,
    newest: Rev,
    pets: BTreeMap<PetId, Arc<Pet>>,
    follower: Arc<ChangeRecorder>,
    turn: i64,
}

/// An author with a client name that is not valid in a header.
fn author() -> Author {
    Author {
        name: "anna".to_owned(),
        client: "token F\u{fc}tterer\r\n\u{1f63a}".to_owned(),
    }
}

/// Records what it receives.
#[derive(Default)]
pub(crate) struct ChangeRecorder {
    changes: Mutex<Vec<Change>>,
    /// Epochs and snapshots after gaps.
    snapshots: Mutex<Vec<(Epoch, Snapshot)>>,
}

impl Follower for ChangeRecorder {
    fn show(&self, changes: &[Change]) {
        self.changes.lock().unwrap().extend_from_slice(changes);
    }

    fn set_unreachable_since(&self, _: Option<Timestamp>) {}

    fn restart_from(&self, epoch: Epoch, snapshot: Snapshot) {
        self.snapshots.lock().unwrap().push((epoch, snapshot));
    }
}

impl<'a> TestWriter<'a> {
    pub fn new(engine: &'a dyn Engine) -> Self {
        TestWriter::following(engine, engine.snapshot().unwrap().rev)
    }

    /// Follows the engine from `newest` on.
    pub fn following(engine: &'a dyn Engine, newest: Rev) -> Self {
        let follower: Arc<ChangeRecorder> = Arc::default();
        let weak: Weak<ChangeRecorder> = Arc::downgrade(&follower);
        engine.follow(newest, weak);
        TestWriter {
            engine,
            newest,
            pets: BTreeMap::new(),
            follower,
            turn: 0,
        }
    }

    pub fn change(&mut self, pet: u64, kind: ChangeKind) -> AppliedChange {
        self.turn += 1;
        let change = Change {
            rev: Rev::ZERO,
            at: Timestamp::from_micros(self.turn * 1000),
            by: ChangeSource::Staff,
            author: Some(Arc::new(author())),
            request: (self.turn % 2 == 0).then_some(crate::model::RequestKey {
                id: [7; 16],
                fingerprint: [9; 8],
            }),
            visibility: match self.turn % 5 {
                3 => Visibility::Hidden,
                4 => Visibility::Withdrawn,
                _ => Visibility::Public,
            },
            pet: PetId::new(pet),
            kind,
        };
        let before = self.pets.remove(&change.pet);
        let applied = AppliedChange::new(change, before);
        if let Some(after) = &applied.after {
            self.pets.insert(after.id, Arc::clone(after));
        }
        applied
    }

    pub fn created(&mut self, pet: u64) -> AppliedChange {
        let record = Pet {
            id: PetId::new(pet),
            profile: Profile {
                name: format!("Pet {pet} \r\u{2028}<b>"),
                species: "cat".to_owned(),
                ..Profile::default()
            },
            photos: Vec::new(),
            status: Status::Sleeping,
            since: Timestamp::from_micros((self.turn + 1) * 1000),
            removed: None,
            note: StatusNote::default(),
        };
        self.change(pet, ChangeKind::Pet(Arc::new(record)))
    }

    pub fn status(&mut self, pet: u64, status: Status) -> AppliedChange {
        self.change(pet, ChangeKind::Status(status))
    }

    /// Commits `changes`, and returns them with their revs.
    pub fn commit(&mut self, changes: &[AppliedChange]) -> Vec<Change> {
        let revs = self.engine.commit(self.newest, changes).unwrap();
        assert_eq!(revs.len(), changes.len());
        assert!(revs[0] > self.newest && revs.is_sorted_by(|a, b| a < b));
        self.newest = revs[revs.len() - 1];
        let changes = changes.iter().zip(revs).map(|(applied, rev)| Change {
            rev,
            ..applied.change.clone()
        });
        changes.collect()
    }

    /// Returns the changes that the follower has received.
    pub fn received(&self) -> Vec<Change> {
        self.follower.changes.lock().unwrap().clone()
    }

    /// Returns the epochs and snapshots that the follower has received after gaps.
    #[cfg(feature = "slow-tests")]
    pub fn received_snapshots(&self) -> Vec<(Epoch, Snapshot)> {
        self.follower.snapshots.lock().unwrap().clone()
    }

    /// Commits two transactions: creates two pets, and then changes both and removes the second.
    fn commit_sample(&mut self) -> Vec<Change> {
        let first = [self.created(1), self.created(2)];
        let second = [
            self.status(1, Status::Eating),
            self.status(2, Status::Bathing),
            self.change(2, ChangeKind::Gone(Some("M\u{f6}\u{df}li \"2\"".into()))),
            self.status(1, Status::Playing),
        ];
        let mut log = self.commit(&first);
        log.extend(self.commit(&second));
        log
    }
}

#[test]
fn a_new_store_is_empty() {
    with_every_engine(|writer| {
        let snapshot = writer.engine.snapshot().unwrap();
        assert_eq!(snapshot.next_pet, PetId::FIRST);
        assert_eq!(snapshot.pets, []);
        assert_eq!(writer.engine.tail(snapshot.rev, 10).unwrap(), []);
        assert_eq!(writer.engine.newest().unwrap(), snapshot.rev);
    });
}

#[test]
fn the_log_reads_back_as_it_was_committed() {
    with_every_engine(|writer| {
        let start = writer.newest;
        let log = writer.commit_sample();
        let engine = writer.engine;
        assert_eq!(engine.tail(start, 100).unwrap(), log);
        assert_eq!(engine.tail(log[1].rev, 2).unwrap(), log[2..4]);
        assert_eq!(engine.tail(log[5].rev, 10).unwrap(), []);
        assert_eq!(engine.tail(Rev::new(u64::MAX - 1), 10).unwrap(), []);
        assert_eq!(engine.newest().unwrap(), log[5].rev);
        let kept = engine.changes_between(log[0].rev, log[4].rev).unwrap();
        assert_eq!(kept, log[1..4]);
        assert_eq!(engine.changes_between(log[4].rev, log[0].rev).unwrap(), []);
        let left = |after, upto, limit| {
            let left = engine.remaining_after(after, upto, limit).unwrap();
            assert_eq!(left.lost, None);
            left.changes
        };
        assert_eq!(left(start, log[5].rev, 100), log);
        assert_eq!(left(log[0].rev, log[5].rev, 2), log[1..3]);
        assert_eq!(left(log[1].rev, log[3].rev, 100), log[2..4]);
        assert_eq!(left(log[5].rev, log[5].rev, 100), []);
        let recent = engine.recent(log[5].rev, 3).unwrap();
        assert!(log.ends_with(&recent.changes) && recent.after < log[5].rev);
    });
}

#[test]
fn the_snapshot_is_the_result_of_the_log_and_ids_are_not_reused() {
    with_every_engine(|writer| {
        let log = writer.commit_sample();
        let snapshot = writer.engine.snapshot().unwrap();
        assert_eq!(snapshot.rev, log[5].rev);
        assert_eq!(snapshot.next_pet, PetId::new(3));
        let [pet] = snapshot.pets.as_slice() else {
            panic!("one pet is left, not {:?}", snapshot.pets);
        };
        assert_eq!((pet.id, pet.status), (PetId::new(1), Status::Playing));
        assert_eq!(pet.since, Timestamp::from_micros(6000));
        assert_eq!(pet.profile.name, "Pet 1 \r\u{2028}<b>");
        assert_eq!(snapshot.revs, [log[5].rev], "its last change");
    });
}

#[test]
fn the_history_is_one_pets_changes_newest_first() {
    with_every_engine(|writer| {
        let log = writer.commit_sample();
        let of_pet_1 = [5, 2, 0].map(|index: usize| log[index].clone());
        let history = |before, limit| writer.engine.history(PetId::new(1), before, limit).unwrap();
        assert_eq!(history(None, 10), of_pet_1);
        assert_eq!(history(None, 2), of_pet_1[..2]);
        assert_eq!(history(Some(log[2].rev), 10), of_pet_1[2..]);
        assert_eq!(writer.engine.history(PetId::new(9), None, 10).unwrap(), []);
    });
}

/// A cluster kept the last 16 changes of each pet.
#[test]
fn the_log_keeps_a_thousand_changes_of_a_pet_and_is_read_in_pages() {
    with_every_engine(|writer| {
        let created = [writer.created(1), writer.created(2)];
        let mut log = writer.commit(&created);
        for turn in 0..1000 / MAX_COMMIT_CHANGES {
            let statuses = (0..MAX_COMMIT_CHANGES).map(|put| Status::FOUR[(turn + put) % 4]);
            let changes: Vec<AppliedChange> =
                statuses.map(|status| writer.status(1, status)).collect();
            log.extend(writer.commit(&changes));
        }
        let engine = writer.engine;
        let after = log[1].rev;
        assert_eq!(engine.tail(after, 2000).unwrap(), log[2..]);
        let mut pages: Vec<Change> = Vec::new();
        loop {
            let before = pages.last().map(|change| change.rev);
            let page = engine.history(PetId::new(1), before, 300).unwrap();
            let is_last = page.len() < 300;
            pages.extend(page);
            if is_last {
                break;
            }
        }
        pages.reverse();
        log.remove(1);
        assert_eq!(pages, log);
        let other = engine.history(PetId::new(2), None, 300).unwrap();
        assert_eq!(other.len(), 1);
    });
}

/// A cluster accepts 1,000 messages in one batch, each with a precondition of its own.
#[test]
fn the_largest_commit_sets_the_status_of_a_thousand_pets() {
    with_every_engine(|writer| {
        let ids: Vec<u64> = (1..=MAX_COMMIT_CHANGES as u64).collect();
        for some in ids.chunks(MAX_COMMIT_CREATIONS) {
            let created: Vec<_> = some.iter().map(|id| writer.created(*id)).collect();
            writer.commit(&created);
        }
        let eating = ids.iter().map(|id| writer.status(*id, Status::Eating));
        let eating: Vec<_> = eating.collect();
        let set = writer.commit(&eating);
        let first = set[0].rev.get();
        let revs = set.iter().map(|change| change.rev.get() - first);
        assert!(revs.eq(0..ids.len() as u64), "without a gap");
        let pets = writer.engine.snapshot().unwrap().pets;
        assert_eq!(pets.len(), ids.len());
        assert!(pets.iter().all(|pet| pet.status == Status::Eating));
    });
}

/// Fails if the engine ignores the rev at which the writer decided.
#[test]
fn a_commit_that_was_decided_before_its_pet_changed_is_refused_as_a_whole() {
    with_every_engine(|writer| {
        let created = [writer.created(1)];
        writer.commit(&created);
        let read = writer.newest;
        let eats = [writer.status(1, Status::Eating)];
        let shown = writer.commit(&eats);
        let late = [writer.created(2), writer.status(1, Status::Bathing)];
        let refused = writer.engine.commit(read, &late);
        assert_eq!(refused, Err(StoreError::Conflict));
        assert_eq!(writer.engine.newest().unwrap(), shown[0].rev);
        assert_eq!(writer.engine.snapshot().unwrap().pets.len(), 1);
    });
}

#[test]
fn the_same_commit_twice_has_one_effect() {
    with_every_engine(|writer| {
        let (read, changes) = (writer.newest, [writer.created(1)]);
        let first = writer.commit(&changes);
        assert_eq!(
            writer.engine.commit(read, &changes),
            Err(StoreError::Conflict)
        );
        assert_eq!(writer.engine.tail(read, 10).unwrap(), first);
    });
}

/// Fails if the follower receives a change after the answer, or a refused change.
#[test]
fn the_follower_has_received_every_change_once_and_in_order_when_a_commit_returns() {
    with_every_engine(|writer| {
        let (start, mut log) = (writer.newest, writer.commit_sample());
        let stale = [writer.status(1, Status::Bathing)];
        writer.engine.commit(start, &stale).unwrap_err();
        let last = [writer.status(1, Status::Eating)];
        log.extend(writer.commit(&last));
        assert_eq!(writer.received(), log);
    });
}
