//! A hole that is filled in more than one step.

use super::*;
use crate::model::{Change, ChangeKind, Status};
use crate::store::Put;
use crate::store::contract::Desk;
use crate::store::nats::layout::KEPT_PER_PET;
use crate::store::nats::tests::rig::Rig;

/// The stream forgot that a pet got another name, among so much else that what it still had came in
/// two steps. The second began where the first had ended, so it had no hole of its own, and the
/// board kept the old name.
#[test]
fn what_comes_after_a_hole_is_whole_also_when_it_comes_later() {
    let rig = Rig::start(1);
    let (hears, deaf) = (rig.connect(), rig.connect());
    let mut writer = Desk::at(&*hears);
    let others = 2..=20;
    let created: Vec<Put> = (1..=20).map(|pet| writer.created(pet)).collect();
    let created = writer.commit(&created);
    let renamed = [writer.created(1)];
    writer.commit(&renamed);
    // More than one step of messages, none of which is forgotten, and then those of the one pet.
    for pet in others.chain([1]) {
        let puts: Vec<Put> = (0..KEPT_PER_PET)
            .map(|turn| writer.status(pet, Status::ALL[turn % 4]))
            .collect();
        writer.commit(&puts);
    }
    let mut applier = Applier::new(Arc::clone(&deaf.node), rig.nothing(&deaf));
    let start = created.last().unwrap().rev;
    deaf.node.known().seq = start.get();
    let reader = Desk::watching(&deaf, start);
    rig.runtime
        .block_on(applier.passer.fill(start.get() + 1))
        .unwrap();
    let is_of_the_one = |told: &Change| told.pet.get() == 1;
    assert!(!reader.told().iter().any(is_of_the_one), "one step");
    rig.runtime.block_on(applier.look()).unwrap();
    let told = reader.told();
    let first = told.iter().find(|told| is_of_the_one(told)).unwrap();
    assert!(
        matches!(first.kind, ChangeKind::Pet(_)),
        "the whole pet, not {first:?}"
    );
}
