//! One node that hears nothing, and one that stops.

mod full;
pub mod rig;

use std::time::Instant;

use self::rig::Rig;
use super::layout::LEASE_SECONDS;
use super::*;
use crate::model::{ChangeKind, Status};
use crate::store::contract::{Desk, wait_until};

/// Breaks when only the subscription is believed.
#[test]
fn a_node_that_lost_every_message_shows_all_changes_once_and_in_order_all_the_same() {
    let rig = Rig::start(1);
    let (hears, deaf) = (rig.connect(), rig.connect_deaf());
    let (mut writer, reader) = (Desk::at(&*hears), Desk::at(&*deaf));
    let created = [writer.created(1), writer.created(2)];
    let mut story = writer.commit(&created);
    for turn in 0..10 {
        let puts = [writer.status(1 + turn % 2, Status::ALL[turn as usize % 4])];
        story.extend(writer.commit(&puts));
    }
    wait_until("the last change", || reader.told().len() >= story.len());
    assert_eq!(reader.told(), story);
}

/// The stream keeps the last 16 messages of a pet. A name that was changed before those was not
/// shown to a node that missed it, whose board kept the old name under every new status.
#[test]
fn across_a_hole_that_the_stream_has_forgotten_a_pet_is_shown_as_a_whole() {
    let rig = Rig::start(1);
    let (hears, deaf) = (rig.connect(), rig.connect_deaf());
    let mut writer = Desk::at(&*hears);
    let created = [writer.created(1)];
    let created = writer.commit(&created);
    let puts: Vec<Put> = (0..40)
        .map(|turn| writer.status(1, Status::ALL[turn % 4]))
        .collect();
    let story = writer.commit(&puts);
    // From before all of that.
    deaf.node.known().seq = created[0].rev.get() - 2;
    let reader = Desk::following(&*deaf, Rev::ZERO);
    let last = story.last().unwrap();
    let is_there = || {
        reader
            .told()
            .last()
            .is_some_and(|told| told.rev == last.rev)
    };
    wait_until("the last change", is_there);
    let told = reader.told();
    let ChangeKind::Pet(pet) = &told[0].kind else {
        panic!(
            "the first after the hole is the whole pet, not {:?}",
            told[0]
        );
    };
    assert_eq!(pet.profile.species, "cat");
    assert!(told.len() <= 16, "{} changes", told.len());
}

/// A message of another program, or of a hand, took the changes away that were read with it.
#[test]
fn what_no_pet_store_wrote_is_passed_over_and_everything_around_it_is_shown() {
    let rig = Rig::start(1);
    let (hears, deaf) = (rig.connect(), rig.connect_deaf());
    let mut writer = Desk::at(&*hears);
    let created = [writer.created(1), writer.created(2)];
    let mut story = writer.commit(&created);
    let start = story[0].rev.get() - 2;
    rig.servers.ask_with("ps.pet.7", "not ours");
    let status = [writer.status(1, Status::Eating)];
    story.extend(writer.commit(&status));
    deaf.node.known().seq = start;
    let reader = Desk::following(&*deaf, Rev::ZERO);
    wait_until("the last change", || reader.told().last() == story.last());
    assert_eq!(reader.told(), story);
}

/// A node that started beside a busy one found its newest change forgotten, and ended.
#[test]
fn of_a_past_that_is_forgotten_there_is_nothing_recent() {
    let rig = Rig::start(1);
    let engine = rig.connect();
    let mut writer = Desk::at(&*engine);
    let created = [writer.created(1)];
    let created = writer.commit(&created);
    for turn in 0..40 {
        let status = [writer.status(1, Status::ALL[turn % 4])];
        writer.commit(&status);
    }
    let recent = engine.recent(created[0].rev, 10);
    let nothing = Recent {
        after: created[0].rev,
        changes: Vec::new(),
    };
    assert_eq!(recent, Ok(nothing));
}

/// Each made an epoch of its own, so that every viewer was sent away as often as there were nodes.
#[test]
fn one_history_is_ended_once_by_however_many_nodes() {
    let rig = Rig::start(1);
    let (one, other) = (rig.connect(), rig.connect());
    let epoch = || {
        let last = rig.runtime.block_on(epoch::last(&one.node.link));
        last.unwrap().unwrap().epoch
    };
    let first = epoch();
    one.end_history().unwrap();
    let second = epoch();
    assert_ne!(first, second);
    other.end_history().unwrap();
    assert_eq!(epoch(), second);
}

/// It waited until the lease of the other had ended by itself, 15 s later.
#[test]
fn the_lease_of_a_node_that_stops_goes_to_another_at_once() {
    let rig = Rig::start(1);
    let (one, other) = (rig.connect(), rig.connect());
    one.campaign();
    wait_until("the first lease", || one.leads());
    other.campaign();
    one.close();
    let closed = Instant::now();
    assert!(!one.leads());
    wait_until("the second lease", || other.leads());
    // One that ends by itself was renewed at most 3 s before.
    assert!(closed.elapsed() < Duration::from_secs(LEASE_SECONDS) * 2 / 3);
}

/// A server that was stopped as the leader goes on as one, and refuses what the leader of now has
/// heard as well and takes. Its answer comes first. Breaks when a refusal is believed at its word:
/// what was told as not made is made.
#[test]
fn a_refusal_by_a_server_that_no_longer_leads_is_not_believed() {
    let rig = Rig::start(3);
    let engine = rig.connect();
    let mut desk = Desk::at(&*engine);
    let created = desk.created(1);
    desk.commit(&[created]);
    for code in [10071, 10008, 10176] {
        let refusing = rig.refuse_everything(&engine, &PETS, code);
        for status in Status::ALL {
            let put = desk.status(1, status);
            desk.commit(&[put]);
        }
        refusing.abort();
    }
    assert_eq!(desk.told().len(), 1 + 3 * Status::ALL.len());
}
