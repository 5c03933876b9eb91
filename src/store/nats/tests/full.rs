//! Servers that have no more room.

use super::rig::Rig;
use crate::model::{Rev, Status};
use crate::store::contract::server::{OLDEST, Servers};
use crate::store::contract::{Desk, wait_until};
use crate::store::nats::NatsEngine;
use crate::store::{AppliedChange, Engine, StoreError};

/// Commits new pets until that fails with an error that `is_last`.
fn fill(engine: &NatsEngine, desk: &mut Desk, is_last: impl Fn(&StoreError) -> bool) -> StoreError {
    for some in 0..200 {
        let created = (2..102).map(|pet| desk.created(some * 100 + pet));
        let proposed: Vec<AppliedChange> = created.collect();
        match engine.commit(Rev::new(u64::MAX), &proposed) {
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
    let mut rig = Rig::over(Servers::start(1, OLDEST));
    rig.servers.set_room("300KB");
    let engine = rig.connect();
    let mut desk = Desk::at(&*engine);
    let first = fill(&engine, &mut desk, |_| true);
    assert!(matches!(first, StoreError::Unknown(_)), "{first}");
    let second = fill(&engine, &mut desk, |_| true);
    assert!(matches!(second, StoreError::Full(_)), "{second}");
}

/// It was told as an engine that is out of reach.
#[test]
fn a_change_that_a_server_has_no_room_for_is_refused_as_such_until_there_is() {
    let mut rig = Rig::start(1);
    rig.servers.set_room("300KB");
    let engine = rig.connect();
    let mut desk = Desk::at(&*engine);
    fill(&engine, &mut desk, |error| {
        matches!(error, StoreError::Full(_))
    });
    rig.servers.set_room("1GB");
    let status = [desk.status(2, Status::Eating)];
    let write = || engine.commit(Rev::new(u64::MAX), &status);
    wait_until("a write", || write().is_ok());
}

/// Three servers that are full elect nobody any more.
#[test]
fn full_servers_are_out_of_reach_and_come_back_with_room() {
    let mut rig = Rig::start(3);
    rig.servers.set_room("300KB");
    let engine = rig.connect();
    let mut desk = Desk::at(&*engine);
    let is_refused = |error: &StoreError| !matches!(error, StoreError::Conflict);
    fill(&engine, &mut desk, is_refused);
    rig.servers.set_room("1GB");
    let status = [desk.status(2, Status::Eating)];
    let write = || engine.commit(Rev::new(u64::MAX), &status);
    wait_until("a write", || write().is_ok());
}
