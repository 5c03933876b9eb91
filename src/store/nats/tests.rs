//! One node that hears nothing, and one that stops.

use futures_util::StreamExt;
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::*;
use crate::model::{ChangeKind, Status};
use crate::store::contract::server::{NEWEST, OLDEST, Servers};
use crate::store::contract::{Desk, wait_until};

fn connect(servers: &Servers, runtime: &Runtime) -> NatsEngine {
    let address = servers.address().parse().unwrap();
    runtime
        .block_on(NatsEngine::connect(&address))
        .expect("the servers are there")
}

/// A node whose subscription brings nothing, as if every message were lost on the way.
fn connect_deaf(servers: &Servers, runtime: &Runtime) -> NatsEngine {
    let engine = connect(servers, runtime);
    let nothing = engine.node.link.client().subscribe("nothing");
    let nothing = runtime.block_on(nothing).unwrap();
    *engine.live.lock().unwrap() = Some(nothing);
    engine
}

/// Breaks when only the subscription is believed.
#[test]
fn a_node_that_lost_every_message_shows_all_changes_once_and_in_order_all_the_same() {
    let (servers, runtime) = (Servers::start(1, NEWEST), Runtime::new().unwrap());
    let (hears, deaf) = (
        connect(&servers, &runtime),
        connect_deaf(&servers, &runtime),
    );
    let (mut writer, reader) = (Desk::at(&hears), Desk::at(&deaf));
    let created = [writer.created(1), writer.created(2)];
    let mut story = writer.commit(&created);
    for turn in 0..10 {
        let puts = [writer.status(1 + turn % 2, Status::ALL[turn as usize % 4])];
        story.extend(writer.commit(&puts));
    }
    wait_until("the last change", || reader.told().len() >= story.len());
    assert_eq!(reader.told(), story);
    hears.close();
    deaf.close();
}

/// The stream keeps the last 16 messages of a pet. A name that was changed before those was not
/// shown to a node that missed it, whose board kept the old name under every new status.
#[test]
fn across_a_hole_that_the_stream_has_forgotten_a_pet_is_shown_as_a_whole() {
    let (servers, runtime) = (Servers::start(1, NEWEST), Runtime::new().unwrap());
    let (hears, deaf) = (
        connect(&servers, &runtime),
        connect_deaf(&servers, &runtime),
    );
    let mut writer = Desk::at(&hears);
    let created = [writer.created(1)];
    let created = writer.commit(&created);
    let puts: Vec<Put> = (0..40)
        .map(|turn| writer.status(1, Status::ALL[turn % 4]))
        .collect();
    let story = writer.commit(&puts);
    // From before all of that.
    deaf.node.known().seq = created[0].rev.get() - 2;
    let reader = Desk::following(&deaf, Rev::ZERO);
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
    hears.close();
    deaf.close();
}

/// A message of another program, or of a hand, took the changes away that were read with it.
#[test]
fn what_no_pet_store_wrote_is_passed_over_and_everything_around_it_is_shown() {
    let (servers, runtime) = (Servers::start(1, NEWEST), Runtime::new().unwrap());
    let (hears, deaf) = (
        connect(&servers, &runtime),
        connect_deaf(&servers, &runtime),
    );
    let mut writer = Desk::at(&hears);
    let created = [writer.created(1), writer.created(2)];
    let mut story = writer.commit(&created);
    let start = story[0].rev.get() - 2;
    servers.ask_with("ps.pet.7", "not ours");
    let status = [writer.status(1, Status::Eating)];
    story.extend(writer.commit(&status));
    deaf.node.known().seq = start;
    let reader = Desk::following(&deaf, Rev::ZERO);
    wait_until("the last change", || reader.told().last() == story.last());
    assert_eq!(reader.told(), story);
    hears.close();
    deaf.close();
}

/// A node that started beside a busy one found its newest change forgotten, and ended.
#[test]
fn of_a_past_that_is_forgotten_there_is_nothing_recent() {
    let (servers, runtime) = (Servers::start(1, NEWEST), Runtime::new().unwrap());
    let engine = connect(&servers, &runtime);
    let mut writer = Desk::at(&engine);
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
    engine.close();
}

/// Each made an epoch of its own, so that every viewer was sent away as often as there were nodes.
#[test]
fn one_history_is_ended_once_by_however_many_nodes() {
    let (servers, runtime) = (Servers::start(1, NEWEST), Runtime::new().unwrap());
    let (one, other) = (connect(&servers, &runtime), connect(&servers, &runtime));
    let epoch = || {
        let last = runtime.block_on(epoch::last(&one.node.link));
        last.unwrap().unwrap().epoch
    };
    let first = epoch();
    one.end_history().unwrap();
    let second = epoch();
    assert_ne!(first, second);
    other.end_history().unwrap();
    assert_eq!(epoch(), second);
    one.close();
    other.close();
}

/// Commits new pets until that fails with an error that `is_last`.
fn fill(engine: &NatsEngine, desk: &mut Desk, is_last: impl Fn(&StoreError) -> bool) -> StoreError {
    for some in 0..200 {
        let created = (2..102).map(|pet| desk.created(some * 100 + pet));
        let puts: Vec<Put> = created.collect();
        match engine.commit(Rev::new(u64::MAX), &puts) {
            Err(error) if is_last(&error) => return error,
            Err(StoreError::Unavailable(_)) => wait_until("the engine", || engine.is_healthy()),
            _ => {}
        }
    }
    panic!("there was room for everything");
}

/// The oldest server refuses with the same words what it keeps nothing of and what it keeps a part
/// of. The second was told as "nothing was changed".
#[test]
fn a_change_that_a_full_server_may_have_kept_is_not_told_as_refused() {
    let (mut servers, runtime) = (Servers::start(1, OLDEST), Runtime::new().unwrap());
    servers.set_room("300KB");
    let engine = connect(&servers, &runtime);
    let mut desk = Desk::at(&engine);
    let first = fill(&engine, &mut desk, |_| true);
    assert!(matches!(first, StoreError::Unknown(_)), "{first}");
    let second = fill(&engine, &mut desk, |_| true);
    assert!(matches!(second, StoreError::Full(_)), "{second}");
    engine.close();
}

/// It was told as an engine that is out of reach.
#[test]
fn a_change_that_a_server_has_no_room_for_is_refused_as_such_until_there_is() {
    let (mut servers, runtime) = (Servers::start(1, NEWEST), Runtime::new().unwrap());
    servers.set_room("300KB");
    let engine = connect(&servers, &runtime);
    let mut desk = Desk::at(&engine);
    fill(&engine, &mut desk, |error| {
        matches!(error, StoreError::Full(_))
    });
    servers.set_room("1GB");
    let status = [desk.status(2, Status::Eating)];
    let write = || engine.commit(Rev::new(u64::MAX), &status);
    wait_until("a write", || write().is_ok());
    engine.close();
}

/// Three servers that are full elect nobody any more.
#[test]
fn full_servers_are_out_of_reach_and_come_back_with_room() {
    let (mut servers, runtime) = (Servers::start(3, NEWEST), Runtime::new().unwrap());
    servers.set_room("300KB");
    let engine = connect(&servers, &runtime);
    let mut desk = Desk::at(&engine);
    let is_refused = |error: &StoreError| !matches!(error, StoreError::Conflict);
    fill(&engine, &mut desk, is_refused);
    servers.set_room("1GB");
    let status = [desk.status(2, Status::Eating)];
    let write = || engine.commit(Rev::new(u64::MAX), &status);
    wait_until("a write", || write().is_ok());
    engine.close();
}

/// It waited until the lease of the other had ended by itself, 15 s later.
#[test]
fn the_lease_of_a_node_that_stops_goes_to_another_at_once() {
    let (servers, runtime) = (Servers::start(1, NEWEST), Runtime::new().unwrap());
    let (one, other) = (connect(&servers, &runtime), connect(&servers, &runtime));
    one.campaign();
    wait_until("the first lease", || one.leads());
    other.campaign();
    one.close();
    assert!(!one.leads());
    wait_until("the second lease", || other.leads());
    other.close();
}

/// A server that was stopped as the leader goes on as one, and refuses what the leader of now has
/// heard as well and takes. Its answer comes first. Breaks when a refusal is believed at its word:
/// what was told as not made is made.
#[test]
fn a_refusal_by_a_server_that_no_longer_leads_is_not_believed() {
    let (servers, runtime) = (Servers::start(3, NEWEST), Runtime::new().unwrap());
    let engine = connect(&servers, &runtime);
    let mut desk = Desk::at(&engine);
    let created = desk.created(1);
    desk.commit(&[created]);
    for code in [10071, 10008, 10176] {
        let refusing = refuse_everything(&engine, &runtime, &PETS, code);
        for status in Status::ALL {
            let put = desk.status(1, status);
            desk.commit(&[put]);
        }
        refusing.abort();
    }
    assert_eq!(desk.told().len(), 1 + 3 * Status::ALL.len());
    engine.close();
}

/// Answers everything that `stream` is to take with `code`, beside the servers, and sooner than
/// they have stored it.
pub fn refuse_everything(
    engine: &NatsEngine,
    runtime: &Runtime,
    stream: &subjects::Stream,
    code: u64,
) -> JoinHandle<()> {
    let client = engine.node.link.client().clone();
    let changes = runtime.block_on(client.subscribe(stream.subjects));
    let mut changes = changes.unwrap();
    let error = json!({ "error": { "code": 400, "err_code": code, "description": "no" } });
    runtime.spawn(async move {
        while let Some(change) = changes.next().await {
            if let Some(asker) = change.reply {
                let answer = error.to_string().into();
                client.publish(asker, answer).await.unwrap();
            }
        }
    })
}
