//! Preconditions are checked when a command is decided: against the board, and against the earlier
//! commands of the same batch.

use std::sync::Arc;
use std::time::Duration;

use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::model::{
    Audience, ChangeSource, Cursor, Epoch, Pet, PetId, Profile, ProfileBase, ProfilePatch, Rev,
    Status, StatusStart, Timestamp,
};
use crate::store::{Engine, MemoryEngine};
use crate::writer::decision::Decision;
use crate::writer::{Command, Expected, Namesakes, StatusEdit, WriteError, commit_all};

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
        self.hub.pet(PET, Audience::Staff).unwrap().0
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
        namesakes: Namesakes::Allowed,
    }
}

fn restore(status: Status, since: Timestamp, expected: Expected) -> Command {
    Command::SetStatus {
        pet: PET,
        edit: StatusEdit {
            status,
            start: StatusStart::Restored(since),
            note: None,
            expected,
        },
    }
}

/// A PATCH with an invented `If-Match` was answered 200.
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

/// An undo compared first and wrote later, and overwrote a status that was set in between.
#[test]
fn an_undo_restores_a_status_with_its_time_unless_another_was_set_since() {
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
    assert_eq!(after.profile.breed, "Whippet", "an edit keeps the status");
    assert_eq!(rig.commit(&[undo()]), Err(WriteError::StatusMovedOn));
    let confirmed = restore(after.status, after.since, Expected::Anything);
    rig.commit(&[confirmed]).unwrap();
    let late = restore(Status::Eating, after.since, Expected::StatusSetAt(at(4)));
    assert_eq!(
        rig.commit(&[late]),
        Err(WriteError::StatusMovedOn),
        "a confirmation counts as a change"
    );
}

fn set(status: Status, start: StatusStart, note: Option<&str>) -> Command {
    let edit = StatusEdit {
        start,
        note: note.map(|note| note.parse().unwrap()),
        ..status.into()
    };
    Command::SetStatus { pet: PET, edit }
}

#[test]
fn a_note_belongs_to_a_status_which_a_confirmation_keeps() {
    let rig = Rig::start();
    let commit = |status, note| {
        rig.commit(&[set(status, StatusStart::Now, note)]).unwrap();
        rig.pet().note.as_str().to_owned()
    };
    assert_eq!(commit(Status::Eating, Some("slowly")), "slowly");
    let began = rig.pet().since;
    rig.commit(&[edit(Expected::Anything)]).unwrap();
    assert_eq!(rig.pet().note.as_str(), "slowly", "an edit keeps it");
    assert_eq!(commit(Status::Eating, None), "slowly");
    assert_eq!(commit(Status::Eating, Some("fast")), "fast");
    assert_eq!(commit(Status::Eating, Some("")), "");
    assert_eq!(rig.pet().since, began);
    assert_eq!(commit(Status::Eating, Some("fast")), "fast");
    assert_eq!(commit(Status::Playing, None), "");
}

/// Times of a pet would not be in the order of its history.
#[test]
fn a_status_begins_earlier_but_not_before_the_one_that_precedes_it() {
    let rig = Rig::start();
    let ago = |minutes| StatusStart::At(Timestamp::now().minutes_before(minutes));
    let start = |status, start| {
        rig.commit(&[set(status, start, None)])?;
        Ok::<_, WriteError>(rig.pet().since)
    };
    // Nobody has set a status of the new pet, so nothing precedes the first.
    let ate = start(Status::Eating, StatusStart::MinutesAgo(60)).unwrap();
    let too_early = |status, since, field| {
        Err(WriteError::BeginsTooEarly {
            status,
            since,
            field,
        })
    };
    for (early, field) in [
        (StatusStart::MinutesAgo(61), "minutes_ago"),
        (ago(61), "began"),
    ] {
        let refused = start(Status::Playing, early);
        assert_eq!(refused, too_early(Status::Eating, ate, field));
    }
    assert_eq!(start(Status::Playing, StatusStart::At(ate)), Ok(ate));
    let played = start(Status::Playing, StatusStart::MinutesAgo(20)).unwrap();
    let slept = start(Status::Sleeping, StatusStart::Now).unwrap();
    // The start of the present status can be corrected, up to that of the status before.
    let corrected = start(Status::Sleeping, StatusStart::MinutesAgo(10)).unwrap();
    assert!(played < corrected && corrected < slept);
    for _ in 0..2 {
        let refused = start(Status::Sleeping, ago(21));
        assert_eq!(refused, too_early(Status::Playing, played, "began"));
        let edited = rig.commit(&[edit(Expected::Anything)]);
        assert_eq!(edited, Ok(()), "an edit in between changes nothing");
    }
    assert_eq!(start(Status::Sleeping, StatusStart::At(played)), Ok(played));
    // Also in one batch, where the log has neither status yet.
    let none = StatusStart::Now;
    let both = [
        set(Status::Bathing, none, None),
        set(Status::Eating, none, None),
    ];
    let early = set(Status::Eating, ago(1), None);
    let refused = rig.commit(&[&both[..], &[early]].concat());
    assert!(matches!(
        refused,
        Err(WriteError::BeginsTooEarly {
            status: Status::Bathing,
            ..
        })
    ));
}

/// Setting the current status restarted its time.
#[test]
fn setting_the_current_status_confirms_it_and_keeps_its_time() {
    let rig = Rig::start();
    rig.commit(&[Command::set_status(PET, Status::Eating)])
        .unwrap();
    let before = rig.pet();
    let confirm = Command::set_status(PET, Status::Eating);
    // Also in one batch, where the second is compared with the result of the first.
    rig.commit(&[confirm.clone(), confirm]).unwrap();
    assert_eq!(rig.newest(), 4, "each is a change");
    assert_eq!(rig.pet().since, before.since);
    let engine: Arc<dyn Engine> = rig.engine.clone();
    let restarted = Hub::open(engine, Metrics::new()).unwrap();
    let (entry, _) = restarted.entry(PET, Audience::Staff).unwrap();
    assert_eq!(entry.pet.since, before.since);
}

/// The pet may have done something else in between.
#[test]
fn confirming_a_status_that_is_old_begins_it_again() {
    let rig = Rig::start();
    let long_ago = Timestamp::from_micros(Timestamp::now().micros() - 3_600_000_000);
    let eating = restore(Status::Eating, long_ago, Expected::Anything);
    rig.commit(&[eating]).unwrap();
    let confirm = |age: Option<u64>| {
        let age = age.map(Duration::from_secs);
        let mut decision = Decision::new(&rig.hub).with_status_age(age);
        let again = Command::set_status(PET, Status::Eating);
        decision
            .decide(&again, None, ChangeSource::Staff.into())
            .unwrap();
        decision.commit(&*rig.engine).unwrap();
        rig.pet().since
    };
    assert_eq!(confirm(None), long_ago, "statuses do not age");
    assert_eq!(confirm(Some(3700)), long_ago);
    assert!(confirm(Some(3600)) > long_ago);
}

#[test]
fn a_precondition_fails_if_the_same_batch_changed_the_pet() {
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

/// Otherwise a restart would change every `ETag`, and refuse an undo.
#[test]
fn the_revs_of_preconditions_are_the_same_after_a_restart() {
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
        let [now, then] =
            [&rig.hub, &restarted].map(|hub| hub.entry(id, Audience::Staff).unwrap().0);
        assert_eq!(now.changed, then.changed);
        if id == PET {
            assert_eq!(now.status_set, then.status_set);
        }
    }
    let (entry, _) = restarted.entry(PET, Audience::Staff).unwrap();
    assert_eq!(
        (entry.changed, entry.status_set),
        (Rev::new(3), Rev::new(2))
    );
}

/// A form that was loaded before an edit by someone else reverted that edit.
#[test]
fn edits_of_different_fields_are_merged_and_of_the_same_field_refused() {
    let rig = Rig::start();
    let base = Some(ProfileBase::new(&rig.pet().profile));
    let save = |field: &str, text: &str| Command::Edit {
        pet: PET,
        patch: ProfilePatch::default().with(field, text),
        base: base.map(Box::new),
        expected: Expected::Anything,
        namesakes: Namesakes::Allowed,
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
        namesakes: Namesakes::Allowed,
    };
    let both = [save("3 years"), save("4 years")];
    let refused = rig.commit(&both);
    assert_eq!(refused, Err(WriteError::EditConflict), "in one batch");
}
