//! Which changes of an export are imported, and with which pet after each.

use super::*;
use crate::model::{Profile, Status, StatusNote};

fn pet(name: &str, status: Status, since: u64) -> Pet {
    Pet {
        id: PetId::FIRST,
        profile: Profile {
            name: name.to_owned(),
            ..Profile::default()
        },
        photos: Vec::new(),
        status,
        since: Timestamp::from_micros(since.cast_signed()),
        removed: None,
        note: StatusNote::default(),
    }
}

fn record(name: &str, status: Status, since: u64) -> ChangeKind {
    ChangeKind::Pet(Arc::new(pet(name, status, since)))
}

fn change(rev: u64, pet: PetId, kind: ChangeKind) -> ExportedItem {
    ExportedItem::Change(Change {
        rev: Rev::new(rev),
        at: Timestamp::from_micros(rev.cast_signed()),
        by: ChangeSource::Api,
        author: None,
        request: None,
        visibility: Visibility::Public,
        pet,
        kind,
    })
}

/// Returns what is imported of a pet that is `present`, or removed, after `kinds` at the revs from
/// 10 on: the kind of each change, and the name and status after it.
fn imported(present: Option<Pet>, kinds: Vec<ChangeKind>) -> Vec<String> {
    let mut builder = ImportBuilder::default();
    if let Some(pet) = present {
        builder.add(ExportedItem::Pet(Box::new(pet)));
    }
    for (rev, kind) in (10..).zip(kinds) {
        builder.add(change(rev, PetId::FIRST, kind));
    }
    let describe = |applied: AppliedChange| {
        let after = applied.after.as_deref();
        let after = after.map(|pet| format!(" {} {}", pet.profile.name, pet.status.as_str()));
        format!(
            "{}{}",
            applied.change.kind.as_str(),
            after.unwrap_or_default()
        )
    };
    builder.finish().changes.into_iter().map(describe).collect()
}

#[test]
fn each_change_is_imported_with_the_pet_as_it_was_then() {
    let present = pet("Mo", Status::Eating, 11);
    let log = vec![
        record("Miso", Status::Playing, 10),
        ChangeKind::Status(Status::Eating),
        record("Mo", Status::Eating, 11),
    ];
    let expected = ["pet Miso playing", "status Miso eating", "pet Mo eating"];
    assert_eq!(imported(Some(present), log), expected);
}

#[test]
fn of_a_trimmed_log_status_changes_are_imported_if_the_profile_is_known() {
    let statuses = || [Status::Playing, Status::Eating].map(ChangeKind::Status);
    let present = || Some(pet("Mo", Status::Eating, 11));
    let expected = ["status Mo playing", "status Mo eating"];
    assert_eq!(imported(present(), statuses().into()), expected);
    let edited = [&statuses()[..], &[record("Mo", Status::Eating, 11)]].concat();
    assert_eq!(imported(present(), edited), ["pet Mo eating"]);
    let removed = [&statuses()[..], &[ChangeKind::Gone(None)]].concat();
    assert_eq!(imported(None, removed), ["gone"]);
}

#[test]
fn a_pet_without_changes_in_the_log_is_imported_as_it_is() {
    let present = pet("Mo", Status::Eating, 3);
    assert_eq!(imported(Some(present), Vec::new()), ["pet Mo eating"]);
}

#[test]
fn the_newest_changes_of_all_pets_and_some_of_each_pet_are_imported() {
    let mut builder = ImportBuilder::default();
    let quiet: u64 = 40;
    builder.add(change(1, PetId::new(1), record("Mo", Status::Eating, 10)));
    builder.add(change(2, PetId::new(2), record("Bo", Status::Eating, 10)));
    for rev in 3..=quiet + MAX_CHANGES as u64 {
        let pet = PetId::new(if rev <= quiet { 1 } else { 2 });
        builder.add(change(rev, pet, ChangeKind::Status(Status::Eating)));
    }
    let kept = |pet: u64| builder.histories[&PetId::new(pet)].changes.len();
    assert_eq!(kept(1), MIN_CHANGES_PER_PET);
    assert_eq!(kept(2), MAX_CHANGES);
}
