//! Private pets: what visitors get of them, and what they cost.

use super::*;
use crate::model::{AdoptionState, Visibility};

/// Returns a private pet.
fn private(id: u64) -> ChangeKind {
    let mut private = pet(id);
    private.profile.state = AdoptionState::Private;
    ChangeKind::Pet(Arc::new(private))
}

impl Rig {
    /// Makes a public pet private.
    pub(super) fn conceal(&self, id: u64) {
        self.change_as(id, private(id), Visibility::Withdrawn);
    }

    /// Changes a private pet.
    pub(super) fn hidden(&self, id: u64, kind: ChangeKind) {
        self.change_as(id, kind, Visibility::Hidden);
    }

    fn change_as(&self, id: u64, kind: ChangeKind, visibility: Visibility) {
        let change = Change {
            visibility,
            ..change(self.newest() + 1, id, kind)
        };
        self.engine.append(std::slice::from_ref(&change)).unwrap();
        self.hub.publish(&[change]);
    }

    /// Returns the hub of a restarted program.
    fn restarted(&self) -> Rig {
        let engine = Arc::clone(&self.engine);
        let hub = Hub::open(engine.clone(), Metrics::new()).unwrap();
        Rig { engine, hub }
    }
}

/// Returns type and rev of what a viewer with an old cursor gets.
async fn replayed(rig: &Rig, filter: TopicFilter, since: u64) -> Vec<(String, u64)> {
    let mut catch_up = rig.catch_up(filter, since);
    let mut all = Vec::new();
    loop {
        let chunk = catch_up.next().await;
        all.extend(chunk.frames.iter().map(|frame| {
            let message: serde_json::Value = serde_json::from_str(frame.json()).unwrap();
            let name = message["type"].as_str().unwrap().to_owned();
            (name, frame.rev().get())
        }));
        if chunk.is_whole {
            return all;
        }
    }
}

#[tokio::test]
async fn the_replay_of_an_old_cursor_has_of_a_private_pet_only_its_end() {
    let rig = Rig::start();
    rig.statuses(1, 3); // 3 to 5
    rig.statuses(2, 1); // 6
    rig.conceal(1); // 7
    rig.hidden(1, ChangeKind::Status(Status::Bathing)); // 8
    rig.hidden(3, private(3)); // 9
    rig.statuses(2, 1); // 10
    let told = |names: &[(&str, u64)]| {
        let told = names.iter().map(|(name, rev)| ((*name).to_owned(), *rev));
        told.collect::<Vec<_>>()
    };
    let all = told(&[("status", 6), ("gone", 7), ("status", 10)]);
    for rig in [&rig, &rig.restarted()] {
        assert_eq!(replayed(rig, TopicFilter::All, 2).await, all);
        assert_eq!(replayed(rig, only(1), 2).await, told(&[("gone", 7)]));
        assert_eq!(replayed(rig, only(3), 2).await, []);
        let snapshot = rig.hub.snapshot(&TopicFilter::All);
        assert_eq!(snapshot.pets().len(), 1);
        assert_eq!(snapshot.cursor().rev.get(), 10);
        assert_eq!(rig.hub.board(Audience::Staff).pets.len(), 3);
        assert!(rig.hub.pet(PetId::FIRST, Audience::Public).is_none());
        assert!(rig.hub.pet(PetId::FIRST, Audience::Staff).is_some());
    }
    // From the log: memory no longer reaches back.
    rig.statuses(2, BACKLOG_LIMIT);
    let from_log = replayed(&rig, TopicFilter::All, 2).await;
    assert_eq!(from_log[..all.len()], all);
    rig.hidden(1, ChangeKind::Gone(None));
    let from_log = replayed(&rig, TopicFilter::All, 2).await;
    assert_eq!(from_log[..all.len()], all, "removed while it was private");
}

#[tokio::test]
async fn a_pet_that_is_public_again_is_announced_and_its_private_time_is_not() {
    let rig = Rig::start();
    rig.conceal(1); // 3
    rig.hidden(1, ChangeKind::Status(Status::Bathing)); // 4
    rig.change(1, ChangeKind::Pet(Arc::new(pet(1)))); // 5
    for rig in [&rig, &rig.restarted()] {
        let told = replayed(rig, TopicFilter::All, 2).await;
        assert_eq!(told, [("gone".to_owned(), 3), ("pet".to_owned(), 5)]);
        let newest = rig
            .hub
            .resync(&TopicFilter::All, SnapshotForm::Whole, Rev::new(2));
        assert_eq!(newest.reaches.get(), 5);
    }
}

/// Rule 7: what visitors do not see costs them nothing.
#[tokio::test]
async fn a_hidden_change_wakes_nobody_and_leaves_every_snapshot() {
    let rig = Rig::start();
    rig.conceal(1);
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    rig.hub.on_publish(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    let mut stream = rig.hub.subscribe();
    let waiter = rig.hub.waiters.register(&TopicFilter::All);
    let (cursor, pets) = (rig.hub.cursor(), rig.hub.snapshot(&TopicFilter::All).pets());
    rig.hidden(1, ChangeKind::Status(Status::Eating));
    rig.hidden(9, private(9));
    let mut catch_up = rig.catch_up(TopicFilter::All, cursor.rev.get());
    assert_eq!(silence(&mut catch_up, ready(())).await, cursor.rev.get());
    assert!(stream.try_recv().is_err());
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    let is_woken = tokio::select! {
        biased;
        () = waiter.woken() => true,
        () = ready(()) => false,
    };
    assert!(!is_woken);
    assert_eq!(rig.hub.cursor(), cursor);
    assert!(Arc::ptr_eq(
        &rig.hub.snapshot(&TopicFilter::All).pets(),
        &pets
    ));
    // The next public change follows the last public one.
    rig.statuses(2, 1);
    let frame = stream.try_recv().unwrap();
    assert_eq!(frame.before().unwrap().in_store, cursor.rev);
}
