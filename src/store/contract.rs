//! The tests that every engine passes.

#[cfg(feature = "slow-tests")]
#[path = "../../tests/nats/server.rs"]
#[expect(dead_code, reason = "the tests of whole nodes use all of it")]
pub(super) mod server;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

#[cfg(feature = "slow-tests")]
use tokio::runtime::Runtime;

#[cfg(feature = "slow-tests")]
use self::server::{NEWEST, OLDEST, Servers};
use super::*;
use crate::model::{Author, Change, ChangeKind, ChangeSource, Pet, Profile, Status, Timestamp};

/// Runs `check` against a fresh store of every engine.
fn with_every_engine(check: impl Fn(&mut Desk)) {
    check(&mut Desk::at(&MemoryEngine::new(Epoch::new(7))));
    let folder = tempfile::tempdir().unwrap();
    check(&mut Desk::at(&RedbEngine::open(folder.path()).unwrap()));
    #[cfg(feature = "slow-tests")]
    with_clusters(|engine| check(&mut Desk::at(engine)));
}

/// Runs `check` against a node of a new server, and one of three new servers.
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

/// Runs `check` against two nodes of a new server.
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

/// Waits for what somebody else does, for a while.
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::yield_now();
    }
}

/// Where a test decides what to commit, as the writer does: at the newest rev, against the board.
pub(crate) struct Desk<'a> {
    pub engine: &'a dyn Engine,
    read: Rev,
    pets: BTreeMap<PetId, Arc<Pet>>,
    told: Arc<Told>,
    turn: i64,
}

/// Of somebody whose program has a name that not every header takes.
fn author() -> Author {
    Author {
        name: "anna".to_owned(),
        client: "token F\u{fc}tterer\r\n\u{1f63a}".to_owned(),
    }
}

/// A follower that records what it is given.
#[derive(Default)]
pub(crate) struct Told {
    changes: Mutex<Vec<Change>>,
    /// The epochs and snapshots that it was to continue from.
    anew: Mutex<Vec<(Epoch, Snapshot)>>,
}

impl Follower for Told {
    fn show(&self, changes: &[Change]) {
        self.changes.lock().unwrap().extend_from_slice(changes);
    }

    fn out_of_reach(&self, _: Option<Timestamp>) {}

    fn begin_anew(&self, epoch: Epoch, snapshot: Snapshot) {
        self.anew.lock().unwrap().push((epoch, snapshot));
    }
}

impl<'a> Desk<'a> {
    pub fn at(engine: &'a dyn Engine) -> Self {
        Desk::following(engine, engine.snapshot().unwrap().rev)
    }

    /// One that is shown everything after `read`.
    pub fn following(engine: &'a dyn Engine, read: Rev) -> Self {
        let told: Arc<Told> = Arc::default();
        let follower: Weak<Told> = Arc::downgrade(&told);
        engine.follow(read, follower);
        Desk {
            engine,
            read,
            pets: BTreeMap::new(),
            told,
            turn: 0,
        }
    }

    pub fn put(&mut self, pet: u64, kind: ChangeKind) -> AppliedChange {
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
            status: Status::Sleeping,
            since: Timestamp::from_micros((self.turn + 1) * 1000),
        };
        self.put(pet, ChangeKind::Pet(Arc::new(record)))
    }

    pub fn status(&mut self, pet: u64, status: Status) -> AppliedChange {
        self.put(pet, ChangeKind::Status(status))
    }

    /// Commits `puts`, and gives the changes they became.
    pub fn commit(&mut self, proposed: &[AppliedChange]) -> Vec<Change> {
        let revs = self.engine.commit(self.read, proposed).unwrap();
        assert_eq!(revs.len(), proposed.len());
        assert!(revs[0] > self.read && revs.is_sorted_by(|a, b| a < b));
        self.read = revs[revs.len() - 1];
        let changes = proposed.iter().zip(revs).map(|(put, rev)| Change {
            rev,
            ..put.change.clone()
        });
        changes.collect()
    }

    /// What the follower was shown so far.
    pub fn told(&self) -> Vec<Change> {
        self.told.changes.lock().unwrap().clone()
    }

    /// The epochs and snapshots that the follower was to continue from so far.
    #[cfg(feature = "slow-tests")]
    pub fn told_anew(&self) -> Vec<(Epoch, Snapshot)> {
        self.told.anew.lock().unwrap().clone()
    }

    /// Two pets, of which the second is removed again, in two transactions.
    fn tell(&mut self) -> Vec<Change> {
        let first = [self.created(1), self.created(2)];
        let second = [
            self.status(1, Status::Eating),
            self.status(2, Status::Bathing),
            self.put(2, ChangeKind::Gone(Some("M\u{f6}\u{df}li \"2\"".into()))),
            self.status(1, Status::Playing),
        ];
        let mut story = self.commit(&first);
        story.extend(self.commit(&second));
        story
    }
}

#[test]
fn a_new_store_is_empty_and_nothing_is_newer_than_its_start() {
    with_every_engine(|desk| {
        let snapshot = desk.engine.snapshot().unwrap();
        assert_eq!(snapshot.next_pet, PetId::FIRST);
        assert_eq!(snapshot.pets, []);
        assert_eq!(desk.engine.tail(snapshot.rev, 10).unwrap(), []);
        assert_eq!(desk.engine.newest().unwrap(), snapshot.rev);
    });
}

#[test]
fn the_log_reads_back_as_it_was_committed() {
    with_every_engine(|desk| {
        let start = desk.read;
        let story = desk.tell();
        let engine = desk.engine;
        assert_eq!(engine.tail(start, 100).unwrap(), story);
        assert_eq!(engine.tail(story[1].rev, 2).unwrap(), story[2..4]);
        assert_eq!(engine.tail(story[5].rev, 10).unwrap(), []);
        assert_eq!(engine.tail(Rev::new(u64::MAX - 1), 10).unwrap(), []);
        assert_eq!(engine.newest().unwrap(), story[5].rev);
        let kept = engine.changes_between(story[0].rev, story[4].rev).unwrap();
        assert_eq!(kept, story[1..4]);
        assert_eq!(
            engine.changes_between(story[4].rev, story[0].rev).unwrap(),
            []
        );
        let recent = engine.recent(story[5].rev, 3).unwrap();
        assert!(story.ends_with(&recent.changes) && recent.after < story[5].rev);
    });
}

#[test]
fn the_snapshot_is_where_the_log_leads_and_a_removed_pets_id_is_not_given_again() {
    with_every_engine(|desk| {
        let story = desk.tell();
        let snapshot = desk.engine.snapshot().unwrap();
        assert_eq!(snapshot.rev, story[5].rev);
        assert_eq!(snapshot.next_pet, PetId::new(3));
        let [pet] = snapshot.pets.as_slice() else {
            panic!("one pet is left, not {:?}", snapshot.pets);
        };
        assert_eq!((pet.id, pet.status), (PetId::new(1), Status::Playing));
        assert_eq!(pet.since, Timestamp::from_micros(6000));
        assert_eq!(pet.profile.name, "Pet 1 \r\u{2028}<b>");
        assert_eq!(snapshot.revs, [story[5].rev], "its last change");
    });
}

#[test]
fn history_is_one_pets_changes_newest_first() {
    with_every_engine(|desk| {
        let story = desk.tell();
        let of_pet_1 = [5, 2, 0].map(|index: usize| story[index].clone());
        let history = |before, limit| desk.engine.history(PetId::new(1), before, limit).unwrap();
        assert_eq!(history(None, 10), of_pet_1);
        assert_eq!(history(None, 2), of_pet_1[..2]);
        assert_eq!(history(Some(story[2].rev), 10), of_pet_1[2..]);
        assert_eq!(desk.engine.history(PetId::new(9), None, 10).unwrap(), []);
    });
}

/// A cluster kept the last 16 changes of each pet.
#[test]
fn the_log_keeps_a_pet_that_changes_a_thousand_times_and_is_read_page_by_page() {
    with_every_engine(|desk| {
        let created = [desk.created(1), desk.created(2)];
        let mut story = desk.commit(&created);
        for turn in 0..1000 / MAX_COMMIT_CHANGES {
            let statuses = (0..MAX_COMMIT_CHANGES).map(|put| Status::ALL[(turn + put) % 4]);
            let proposed: Vec<AppliedChange> =
                statuses.map(|status| desk.status(1, status)).collect();
            story.extend(desk.commit(&proposed));
        }
        let engine = desk.engine;
        let after = story[1].rev;
        assert_eq!(engine.tail(after, 2000).unwrap(), story[2..]);
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
        story.remove(1);
        assert_eq!(pages, story);
        let other = engine.history(PetId::new(2), None, 300).unwrap();
        assert_eq!(other.len(), 1);
    });
}

/// Breaks when the engine does not look at what the writer had read.
#[test]
fn what_was_decided_before_its_pet_changed_is_refused_and_nothing_of_it_is_kept() {
    with_every_engine(|desk| {
        let created = [desk.created(1)];
        desk.commit(&created);
        let read = desk.read;
        let eats = [desk.status(1, Status::Eating)];
        let shown = desk.commit(&eats);
        let late = [desk.created(2), desk.status(1, Status::Bathing)];
        let refused = desk.engine.commit(read, &late);
        assert_eq!(refused, Err(StoreError::Conflict));
        assert_eq!(desk.engine.newest().unwrap(), shown[0].rev);
        assert_eq!(desk.engine.snapshot().unwrap().pets.len(), 1);
    });
}

#[test]
fn the_same_commit_twice_has_one_effect() {
    with_every_engine(|desk| {
        let (read, proposed) = (desk.read, [desk.created(1)]);
        let first = desk.commit(&proposed);
        assert_eq!(
            desk.engine.commit(read, &proposed),
            Err(StoreError::Conflict)
        );
        assert_eq!(desk.engine.tail(read, 10).unwrap(), first);
    });
}

/// Breaks when the engine answers before it shows, or shows what was refused.
#[test]
fn the_follower_was_shown_every_change_once_and_in_order_when_a_commit_returns() {
    with_every_engine(|desk| {
        let (start, mut story) = (desk.read, desk.tell());
        let stale = [desk.status(1, Status::Bathing)];
        desk.engine.commit(start, &stale).unwrap_err();
        let last = [desk.status(1, Status::Eating)];
        story.extend(desk.commit(&last));
        assert_eq!(desk.told(), story);
    });
}
