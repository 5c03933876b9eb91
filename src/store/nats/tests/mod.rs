//! Tests of nodes against real servers.

mod accounts;
pub mod cluster;
mod full_disk;
mod import;

use std::time::Instant;

use serde_json::json;

use self::cluster::TestCluster;
use super::*;
use crate::model::Status;
use crate::store::contract::{TestWriter, wait_until};

/// Fails if the applier relies on the subscription alone.
#[test]
fn a_node_that_lost_every_message_shows_all_changes_once_and_in_order() {
    let cluster = TestCluster::start(1);
    let (writing, deaf) = (cluster.connect(), cluster.connect_deaf());
    let (mut writer, reader) = (TestWriter::new(&*writing), TestWriter::new(&*deaf));
    let created = [writer.created(1), writer.created(2)];
    let mut committed = writer.commit(&created);
    for turn in 0..10 {
        let proposed = [writer.status(1 + turn % 2, Status::FOUR[turn as usize % 4])];
        committed.extend(writer.commit(&proposed));
    }
    wait_until("the last change", || {
        reader.received().len() >= committed.len()
    });
    assert_eq!(reader.received(), committed);
}

/// The stream dropped changes before a disconnected node could read them. The node continued
/// with the later ones, without a snapshot, and showed some of them in another form than the nodes
/// that had read them in time.
#[test]
fn over_a_gap_that_the_stream_dropped_a_node_continues_from_a_snapshot() {
    let cluster = TestCluster::start(1);
    let (writing, deaf) = (cluster.connect(), cluster.connect_deaf());
    cluster.set_changes_per_pet(16);
    let mut writer = TestWriter::new(&*writing);
    let created = [writer.created(1), writer.created(2)];
    let created = writer.commit(&created);
    let status = [writer.status(2, Status::Eating)];
    writer.commit(&status);
    // More than one read of messages, of which the oldest are dropped.
    for turn in 0..80 {
        let proposed: Vec<AppliedChange> = (0..10)
            .map(|change| writer.status(1, Status::FOUR[(turn + change) % 4]))
            .collect();
        writer.commit(&proposed);
    }
    deaf.replica.state().seq = created[0].rev.get() - 2;
    let reader = TestWriter::following(&*deaf, Rev::ZERO);
    wait_until("a snapshot", || !reader.received_snapshots().is_empty());
    assert_eq!(
        reader.received_snapshots(),
        [(writing.epoch(), writing.snapshot().unwrap())]
    );
    let last = [writer.status(1, Status::Eating)];
    let last = writer.commit(&last);
    wait_until("the next change", || {
        reader.received().last() == last.last()
    });
    let shown = reader.received();
    let read_in_time = created[0].rev.get() + 3;
    let before_last = &shown[..shown.len() - 1];
    let in_time = |change: &Change| change.rev.get() <= read_in_time;
    assert!(before_last.iter().all(in_time), "{shown:?}");
}

/// A stream of an older version keeps 16 changes of each pet.
#[test]
fn a_streams_retention_is_raised_to_todays_and_its_other_settings_are_kept() {
    let cluster = TestCluster::start(1);
    let engine = cluster.connect();
    let mut writer = TestWriter::new(&*engine);
    let created = [writer.created(1)];
    let created = writer.commit(&created);
    cluster.set_changes_per_pet(16);
    let mut expected = cluster.pets_config();
    let again = cluster.connect();
    expected["max_msgs_per_subject"] = json!(layout::CHANGES_PER_PET);
    assert_eq!(cluster.pets_config(), expected);
    assert_eq!(again.snapshot().unwrap().rev, created[0].rev);
    cluster.set_changes_per_pet(1_000_000);
    cluster.connect();
    let kept = &cluster.pets_config()["max_msgs_per_subject"];
    assert_eq!(*kept, json!(1_000_000), "a higher number is kept");
}

/// One invalid message took the changes away that were read together with it.
#[test]
fn an_invalid_message_is_skipped_and_the_changes_around_it_are_shown() {
    let cluster = TestCluster::start(1);
    let (writing, deaf) = (cluster.connect(), cluster.connect_deaf());
    let mut writer = TestWriter::new(&*writing);
    let created = [writer.created(1), writer.created(2)];
    let mut committed = writer.commit(&created);
    let start = committed[0].rev.get() - 2;
    cluster.servers.ask_with("ps.pet.7", "not a pet");
    let status = [writer.status(1, Status::Eating)];
    committed.extend(writer.commit(&status));
    deaf.replica.state().seq = start;
    let reader = TestWriter::following(&*deaf, Rev::ZERO);
    wait_until("the last change", || {
        reader.received().last() == committed.last()
    });
    assert_eq!(reader.received(), committed);
}

/// A node that started beside a busy one found its newest change dropped, and exited.
#[test]
fn if_the_stream_dropped_everything_up_to_a_rev_nothing_is_recent() {
    let cluster = TestCluster::start(1);
    let engine = cluster.connect();
    cluster.set_changes_per_pet(16);
    let mut writer = TestWriter::new(&*engine);
    let created = [writer.created(1)];
    let created = writer.commit(&created);
    for turn in 0..40 {
        let status = [writer.status(1, Status::FOUR[turn % 4])];
        writer.commit(&status);
    }
    let nothing = Recent {
        after: created[0].rev,
        changes: Vec::new(),
    };
    assert_eq!(engine.recent(created[0].rev, 10), Ok(nothing));
}

/// Each node began an epoch, so every viewer was reconnected as often as there were nodes.
#[test]
fn several_nodes_end_a_history_once() {
    let cluster = TestCluster::start(1);
    let (one, other) = (cluster.connect(), cluster.connect());
    let epoch = || {
        let last = cluster.runtime.block_on(epoch::last(&one.replica.client));
        last.unwrap().unwrap().epoch
    };
    let first = epoch();
    one.end_history().unwrap();
    let second = epoch();
    assert_ne!(first, second);
    other.end_history().unwrap();
    assert_eq!(epoch(), second);
}

/// Another node waited 15 s until the lease had expired.
#[test]
fn another_node_takes_the_lease_of_a_node_that_stops_before_it_expires() {
    let cluster = TestCluster::start(1);
    let (one, other) = (cluster.connect(), cluster.connect());
    one.campaign(Duty::Simulator);
    wait_until("the first lease", || one.is_leader(Duty::Simulator));
    other.campaign(Duty::Simulator);
    one.close();
    let closed = Instant::now();
    assert!(!one.is_leader(Duty::Simulator));
    wait_until("the second lease", || other.is_leader(Duty::Simulator));
    // The lease was renewed at most 3 s before.
    assert!(closed.elapsed() < layout::LEASE_DURATION * 2 / 3);
}

/// An outage was reported as over 44 us after it had begun, for an answer to an earlier request.
#[test]
fn an_answer_to_a_request_from_before_a_failure_does_not_end_an_outage() {
    let cluster = TestCluster::start(1);
    let engine = cluster.connect();
    let health = &engine.replica.health;
    assert!(engine.is_healthy());
    let sent = tokio::time::Instant::now();
    health.mark_suspect();
    health.record_answer(sent);
    assert!(engine.recover().is_err());
    assert!(!health.is_responsive());
    health.record_answer(tokio::time::Instant::now());
    assert_eq!(engine.recover(), Ok(()));
    assert!(health.is_responsive());
}

#[test]
fn the_clocks_are_compared_at_the_start() {
    let cluster = TestCluster::start(1);
    let engine = cluster.connect_deaf();
    assert!(engine.replica.clock.ahead_ms().is_some());
    let engine_time = engine.engine_time().unwrap();
    assert!(engine_time.since(Timestamp::now()) < Duration::from_secs(5));
}

/// A server that was paused while it led still acts as the leader, and refuses what the new leader has
/// received as well and accepts. Its answer comes first. Fails if a refusal is believed: the write is
/// reported as not made, and it is made.
#[test]
fn a_refusal_by_a_former_leader_is_not_believed() {
    let cluster = TestCluster::start(3);
    let engine = cluster.connect();
    let mut writer = TestWriter::new(&*engine);
    let created = writer.created(1);
    writer.commit(&[created]);
    for code in [10071, 10008, 10176] {
        let refusing = cluster.refuse_writes(&engine, &PETS, code);
        for status in Status::FOUR {
            let change = writer.status(1, status);
            writer.commit(&[change]);
        }
        refusing.abort();
    }
    assert_eq!(writer.received().len(), 1 + 3 * Status::FOUR.len());
}

/// A webhook skipped what the stream still had before a gap.
#[test]
fn over_a_gap_the_changes_that_are_left_can_be_read() {
    let cluster = TestCluster::start(1);
    let engine = cluster.connect();
    cluster.set_changes_per_pet(16);
    let mut writer = TestWriter::new(&*engine);
    let created = [writer.created(1), writer.created(2)];
    let start = engine.newest().unwrap();
    let created = writer.commit(&created);
    let mut log = vec![created[1].clone()];
    for turn in 0..20 {
        let status = [writer.status(1, Status::FOUR[turn % 4])];
        log.extend(writer.commit(&status));
    }
    // The stream has lost the creation of pet 1, and 4 statuses of it.
    let lost_last = log.drain(1..5).next_back().unwrap().rev;
    let newest = engine.newest().unwrap();
    let whole = engine.remaining_after(start, newest, 100).unwrap();
    assert_eq!(whole.changes, log);
    assert_eq!((whole.reaches, whole.lost.unwrap().1), (newest, lost_last));
    // The first part ends before the second gap.
    let part = engine.remaining_after(start, newest, 1).unwrap();
    assert_eq!(part.changes, log[..1]);
    assert!(part.lost.unwrap().1 < log[0].rev);
    let rest = engine.remaining_after(part.reaches, newest, 100).unwrap();
    assert_eq!(rest.changes, log[1..]);
    assert_eq!(rest.lost, Some((log[0].rev.next(), lost_last)));
    // To be behind is not to have no change.
    let ahead = engine.remaining_after(newest, newest.next(), 100);
    assert!(
        matches!(ahead, Err(StoreError::Unavailable(_))),
        "{ahead:?}"
    );
}
