//! Logs that are whole, trimmed, and gone.

use super::*;
use crate::model::{Profile, Status, Timestamp};

fn pet(name: &str, status: Status, since: u64) -> Pet {
    Pet {
        id: PetId::FIRST,
        profile: Profile {
            name: name.to_owned(),
            ..Profile::default()
        },
        status,
        since: Timestamp::from_micros(since.cast_signed()),
    }
}

/// What is written for a pet that is `now`, or gone, after `kinds` at the revs from 10 on: the
/// kind of each message, and the name and status in it.
fn packed(now: Option<Pet>, kinds: Vec<ChangeKind>) -> Vec<String> {
    let mut packing = Packing::default();
    now.into_iter()
        .for_each(|pet| packing.take(Entry::Pet(pet)));
    for (rev, kind) in (10..).zip(kinds) {
        packing.take(Entry::Change(Change {
            rev: Rev::new(rev),
            at: Timestamp::from_micros(rev.cast_signed()),
            by: ChangeSource::Api,
            author: None,
            request: None,
            pet: PetId::FIRST,
            kind,
        }));
    }
    let told = |put: AppliedChange| {
        let after = put.after.as_deref();
        let after = after.map(|pet| format!(" {} {}", pet.profile.name, pet.status.as_str()));
        format!("{}{}", put.change.kind.as_str(), after.unwrap_or_default())
    };
    packing.finish().proposed.into_iter().map(told).collect()
}

fn record(name: &str, status: Status, since: u64) -> ChangeKind {
    ChangeKind::Pet(Arc::new(pet(name, status, since)))
}

#[test]
fn each_message_holds_the_pet_as_it_was_then() {
    let now = pet("Mo", Status::Eating, 11);
    let log = vec![
        record("Miso", Status::Playing, 10),
        ChangeKind::Status(Status::Eating),
        record("Mo", Status::Eating, 11),
    ];
    let expected = ["pet Miso playing", "status Miso eating", "pet Mo eating"];
    assert_eq!(packed(Some(now), log), expected);
}

#[test]
fn of_a_trimmed_log_statuses_are_kept_as_far_as_the_profile_is_known() {
    let statuses = || [Status::Playing, Status::Eating].map(ChangeKind::Status);
    let now = pet("Mo", Status::Eating, 11);
    let expected = ["status Mo playing", "status Mo eating"];
    assert_eq!(packed(Some(now), statuses().into()), expected);
    let edited = [&statuses()[..], &[record("Mo", Status::Eating, 11)]].concat();
    let now = pet("Mo", Status::Eating, 11);
    assert_eq!(packed(Some(now), edited), ["pet Mo eating"]);
    let removed = [&statuses()[..], &[ChangeKind::Gone(None)]].concat();
    assert_eq!(packed(None, removed), ["gone"]);
}

#[test]
fn a_pet_of_which_the_log_says_nothing_is_there_all_the_same() {
    let now = pet("Mo", Status::Eating, 3);
    assert_eq!(packed(Some(now), Vec::new()), ["pet Mo eating"]);
}

#[test]
fn the_newest_changes_of_all_pets_are_kept_and_some_of_each_pet() {
    let mut packing = Packing::default();
    let mut take = |rev: u64, pet: u64, kind: ChangeKind| {
        packing.take(Entry::Change(Change {
            rev: Rev::new(rev),
            at: Timestamp::from_micros(rev.cast_signed()),
            by: ChangeSource::Api,
            author: None,
            request: None,
            pet: PetId::new(pet),
            kind,
        }));
    };
    let quiet: u64 = 40;
    take(1, 1, record("Mo", Status::Eating, 10));
    take(2, 2, record("Bo", Status::Eating, 10));
    let total = quiet + IMPORTED as u64;
    for rev in 3..=total {
        let pet = if rev <= quiet { 1 } else { 2 };
        take(rev, pet, ChangeKind::Status(Status::Eating));
    }
    let kept = |pet: u64| packing.traces[&PetId::new(pet)].proposed.len();
    assert_eq!(kept(1), IMPORTED_PER_PET);
    assert_eq!(kept(2), IMPORTED);
}
