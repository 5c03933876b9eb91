//! What a command expects is compared with the pet as it is when the command is decided: on the
//! board, and as commands before it in the same batch leave it.

use std::sync::Arc;

use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::model::{
    ChangeSource, Cursor, Epoch, Pet, PetId, Profile, ProfileBase, ProfilePatch, Rev, Status,
    Timestamp,
};
use crate::store::{Engine, MemoryEngine};
use crate::writer::{Command, Expected, WriteError, commit_all};

const PET: PetId = PetId::FIRST;

/// One pet, created with rev 1.
struct Rig {
    engine: Arc<MemoryEngine>,
    hub: Arc<Hub>,
}

impl Rig {
    fn start() -> Self {
        let engine = Arc::new(MemoryEngine::new(Epoch::new(1)));
        let hub = Hub::open(engine.clone(), Metrics::new()).unwrap();
        let rig = Rig { engine, hub };
        rig.commit(&[Command::create(Profile::default())]).unwrap();
        rig
    }

    fn commit(&self, commands: &[Command]) -> Result<(), WriteError> {
        commit_all(&*self.engine, &self.hub, commands, ChangeSource::Staff)
    }

    fn newest(&self) -> u64 {
        self.hub.newest().0.get()
    }

    fn pet(&self) -> Arc<Pet> {
        self.hub.pet(PET).unwrap().0
    }
}

fn at(rev: u64) -> Cursor {
    let (epoch, rev) = (Epoch::new(1), Rev::new(rev));
    Cursor { epoch, rev }
}

fn edit(expected: Expected) -> Command {
    let patch = ProfilePatch::default().with("breed", "Whippet");
    Command::Edit {
        pet: PET,
        patch,
        base: None,
        expected,
    }
}

fn restore(status: Status, since: Timestamp, expected: Expected) -> Command {
    Command::SetStatus {
        pet: PET,
        status,
        since: Some(since),
        expected,
    }
}

/// A PATCH with a made-up `If-Match` was answered 200.
#[test]
fn an_edit_is_refused_unless_the_last_change_of_the_pet_is_one_of_those_expected() {
    let rig = Rig::start();
    let elsewhere = Cursor {
        epoch: Epoch::new(2),
        ..at(1)
    };
    for wrong in [vec![], vec![at(0)], vec![at(2)], vec![elsewhere]] {
        for command in [
            edit(Expected::LastChange(wrong.clone())),
            Command::Remove {
                pet: PET,
                expected: Expected::LastChange(wrong.clone()),
            },
            restore(
                Status::Eating,
                Timestamp::now(),
                Expected::LastChange(wrong.clone()),
            ),
        ] {
            let refused = rig.commit(&[command]);
            assert_eq!(refused, Err(WriteError::PreconditionFailed), "{wrong:?}");
        }
    }
    assert_eq!(rig.newest(), 1, "nothing was written");
    rig.commit(&[edit(Expected::LastChange(vec![at(9), at(1)]))])
        .unwrap();
    let status = Command::set_status(PET, Status::Eating);
    rig.commit(&[status]).unwrap();
    let refused = rig.commit(&[edit(Expected::LastChange(vec![at(2)]))]);
    assert_eq!(refused, Err(WriteError::PreconditionFailed));
    rig.commit(&[edit(Expected::LastChange(vec![at(3)]))])
        .unwrap();
}

/// Undo compared first and wrote later: what somebody else set in between was overwritten.
#[test]
fn a_status_is_restored_with_its_time_unless_somebody_has_set_another_since() {
    let rig = Rig::start();
    let before = rig.pet();
    rig.commit(&[Command::set_status(PET, Status::Eating)])
        .unwrap();
    rig.commit(&[edit(Expected::Anything)]).unwrap();
    let undo = || {
        let expected = Expected::StatusSetAt(at(2));
        restore(before.status, before.since, expected)
    };
    rig.commit(&[undo()]).unwrap();
    let after = rig.pet();
    assert_eq!((after.status, after.since), (before.status, before.since));
    assert_eq!(after.profile.breed, "Whippet", "an edit is no other status");
    assert_eq!(rig.commit(&[undo()]), Err(WriteError::StatusMovedOn));
    let confirmed = restore(after.status, after.since, Expected::Anything);
    rig.commit(&[confirmed]).unwrap();
    let late = restore(Status::Eating, after.since, Expected::StatusSetAt(at(4)));
    assert_eq!(
        rig.commit(&[late]),
        Err(WriteError::StatusMovedOn),
        "a confirmation is somebody else's change too"
    );
}

/// Tapping the current status started its time again.
#[test]
fn the_status_that_a_pet_has_is_confirmed_and_keeps_its_time_also_after_a_restart() {
    let rig = Rig::start();
    rig.commit(&[Command::set_status(PET, Status::Eating)])
        .unwrap();
    let before = rig.pet();
    let confirm = Command::set_status(PET, Status::Eating);
    // In one batch too, where the second is compared with what the first leaves.
    rig.commit(&[confirm.clone(), confirm]).unwrap();
    assert_eq!(rig.newest(), 4, "each is a change");
    assert_eq!(rig.pet().since, before.since);
    let engine: Arc<dyn Engine> = rig.engine.clone();
    let restarted = Hub::open(engine, Metrics::new()).unwrap();
    let (entry, _) = restarted.entry(PET).unwrap();
    assert_eq!(entry.pet.since, before.since);
}

/// Both wait in the queue when the batch is decided.
#[test]
fn what_the_same_batch_changes_no_longer_holds() {
    let rig = Rig::start();
    let expected = || Expected::LastChange(vec![at(1)]);
    let both = [edit(expected()), edit(expected())];
    assert_eq!(rig.commit(&both), Err(WriteError::PreconditionFailed));
    assert_eq!(rig.newest(), 1, "`commit_all` is all or nothing");
    let expected = Expected::StatusSetAt(at(1));
    let undo = restore(Status::Playing, Timestamp::now(), expected);
    let set = Command::set_status(PET, Status::Eating);
    let both = [set, undo.clone()];
    assert_eq!(rig.commit(&both), Err(WriteError::StatusMovedOn));
    rig.commit(&[edit(Expected::Anything), undo]).unwrap();
}

/// Otherwise every `ETag` would change with a restart, and an undo be refused for it.
#[test]
fn the_revs_that_commands_are_compared_with_are_the_same_after_a_restart() {
    let rig = Rig::start();
    rig.commit(&[
        Command::set_status(PET, Status::Eating),
        edit(Expected::Anything),
        Command::create(Profile::default()),
    ])
    .unwrap();
    let engine: Arc<dyn Engine> = rig.engine.clone();
    let restarted = Hub::open(engine, Metrics::new()).unwrap();
    for id in [PET, PetId::new(2)] {
        let [now, then] = [&rig.hub, &restarted].map(|hub| hub.entry(id).unwrap().0);
        assert_eq!(now.changed, then.changed);
        if id == PET {
            assert_eq!(now.status_set, then.status_set);
        }
    }
    let (entry, _) = restarted.entry(PET).unwrap();
    assert_eq!(
        (entry.changed, entry.status_set),
        (Rev::new(3), Rev::new(2))
    );
}

/// A form that was older than somebody else's edit emptied what that had filled in.
#[test]
fn an_edit_is_merged_with_what_others_saved_and_refused_where_they_changed_the_same() {
    let rig = Rig::start();
    let base = Some(ProfileBase::new(&rig.pet().profile));
    let save = |field: &str, text: &str| Command::Edit {
        pet: PET,
        patch: ProfilePatch::default().with(field, text),
        base: base.map(Box::new),
        expected: Expected::Anything,
    };
    let both = [save("about", "NEEDS INSULIN"), save("breed", "Whippet")];
    rig.commit(&both).unwrap();
    rig.commit(&[Command::set_status(PET, Status::Eating)])
        .unwrap();
    let profile = &rig.pet().profile;
    assert_eq!(
        (&*profile.breed, &*profile.about),
        ("Whippet", "NEEDS INSULIN")
    );
    let late = save("about", "kind");
    assert_eq!(rig.commit(&[late]), Err(WriteError::EditConflict));
    rig.commit(&[save("about", "NEEDS INSULIN")]).unwrap();
    let base = Some(ProfileBase::new(&rig.pet().profile));
    let save = |age: &str| Command::Edit {
        pet: PET,
        patch: ProfilePatch::default().with("age", age),
        base: base.map(Box::new),
        expected: Expected::Anything,
    };
    let both = [save("3 years"), save("4 years")];
    let refused = rig.commit(&both);
    assert_eq!(refused, Err(WriteError::EditConflict), "in one batch");
}
