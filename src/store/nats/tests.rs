//! One node that hears nothing, and one that stops.

use std::time::Instant;

use tokio::runtime::Runtime;

use super::*;
use crate::model::{ChangeKind, Status};
use crate::store::contract::Desk;
use crate::store::contract::server::{NEWEST, Servers};

const LIMIT: Duration = Duration::from_secs(10);

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

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::yield_now();
    }
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
