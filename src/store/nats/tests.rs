//! One node that hears nothing, and one that stops.

mod full;
pub mod rig;

use std::time::Instant;

use serde_json::json;

use self::rig::Rig;
use super::layout::LEASE_SECONDS;
use super::*;
use crate::model::Status;
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
        let proposed = [writer.status(1 + turn % 2, Status::ALL[turn as usize % 4])];
        story.extend(writer.commit(&proposed));
    }
    wait_until("the last change", || reader.told().len() >= story.len());
    assert_eq!(reader.told(), story);
}

/// The stream had dropped changes before a node that was cut off could read them. The node went on
/// with the later ones, without a snapshot, and showed some of them in another form than the nodes
/// that had read them in time.
#[test]
fn over_a_gap_that_the_stream_dropped_a_node_continues_from_a_snapshot() {
    let rig = Rig::start(1);
    let (hears, deaf) = (rig.connect(), rig.connect_deaf());
    rig.keep_per_subject(16);
    let mut writer = Desk::at(&*hears);
    let created = [writer.created(1), writer.created(2)];
    let created = writer.commit(&created);
    let eats = [writer.status(2, Status::Eating)];
    writer.commit(&eats);
    // More than one read of messages, of which the oldest are dropped.
    for turn in 0..80 {
        let proposed: Vec<AppliedChange> = (0..10)
            .map(|put| writer.status(1, Status::ALL[(turn + put) % 4]))
            .collect();
        writer.commit(&proposed);
    }
    deaf.node.known().seq = created[0].rev.get() - 2;
    let reader = Desk::following(&*deaf, Rev::ZERO);
    wait_until("a snapshot", || !reader.told_anew().is_empty());
    assert_eq!(
        reader.told_anew(),
        [(hears.epoch(), hears.snapshot().unwrap())]
    );
    let last = [writer.status(1, Status::Eating)];
    let last = writer.commit(&last);
    wait_until("the next change", || reader.told().last() == last.last());
    let told = reader.told();
    let before = created.len() + eats.len();
    let read_in_time = |told: &Change| told.rev.get() <= created[0].rev.get() + before as u64;
    assert!(told[..told.len() - 1].iter().all(read_in_time), "{told:?}");
}

/// A stream that an older version made keeps 16 changes of each pet, and is not to be purged.
#[test]
fn an_existing_stream_is_raised_to_todays_retention_and_otherwise_left_as_it_is() {
    let rig = Rig::start(1);
    let engine = rig.connect();
    let mut writer = Desk::at(&*engine);
    let created = [writer.created(1)];
    let created = writer.commit(&created);
    rig.keep_per_subject(16);
    let mut expected = rig.config_of_pets();
    let again = rig.connect();
    expected["max_msgs_per_subject"] = json!(layout::KEPT_PER_PET);
    assert_eq!(rig.config_of_pets(), expected);
    assert_eq!(again.snapshot().unwrap().rev, created[0].rev);
    rig.keep_per_subject(1_000_000);
    rig.connect();
    let kept = &rig.config_of_pets()["max_msgs_per_subject"];
    assert_eq!(*kept, json!(1_000_000), "more is kept as it is");
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
    rig.keep_per_subject(16);
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

/// An outage was said to be over 44 us after it had begun, for an answer from a moment before.
#[test]
fn an_answer_to_a_question_from_before_a_failure_does_not_end_an_outage() {
    let rig = Rig::start(1);
    let engine = rig.connect();
    let reach = &engine.node.reach;
    assert!(engine.is_healthy());
    let asked = tokio::time::Instant::now();
    reach.mark_suspect();
    reach.hear(asked);
    assert!(engine.recover().is_err());
    assert!(!reach.is_responsive());
    reach.hear(tokio::time::Instant::now());
    assert_eq!(engine.recover(), Ok(()));
    assert!(reach.is_responsive());
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
