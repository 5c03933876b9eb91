//! Servers without free space.

use super::cluster::TestCluster;
use crate::model::{Rev, Status};
use crate::store::contract::server::{OLDEST, Servers};
use crate::store::contract::{TestWriter, wait_until};
use crate::store::nats::NatsEngine;
use crate::store::{AppliedChange, Engine, StoreError};

/// Commits new pets until that fails with an error that `is_last`.
fn fill(
    engine: &NatsEngine,
    writer: &mut TestWriter,
    is_last: impl Fn(&StoreError) -> bool,
) -> StoreError {
    for batch in 0..200 {
        let created = (2..102).map(|pet| writer.created(batch * 100 + pet));
        let proposed: Vec<AppliedChange> = created.collect();
        match engine.commit(Rev::new(u64::MAX), &proposed) {
            Err(error) if is_last(&error) => return error,
            Err(StoreError::Unavailable(_)) => wait_until("the engine", || engine.is_healthy()),
            _ => {}
        }
    }
    panic!("the servers never ran out of space");
}

/// Waits until the engine accepts a change.
fn wait_until_writable(engine: &NatsEngine, writer: &mut TestWriter) {
    let status = [writer.status(2, Status::Eating)];
    let write = || engine.commit(Rev::new(u64::MAX), &status);
    wait_until("a write", || write().is_ok());
}

/// The oldest server reports the same error whether it stored nothing or a part. The second case was
/// answered with "nothing was changed".
#[test]
fn a_change_that_a_full_server_may_have_stored_is_not_reported_as_refused() {
    let mut cluster = TestCluster::new(Servers::start(1, OLDEST));
    cluster.servers.set_max_store("300KB");
    let engine = cluster.connect();
    let mut writer = TestWriter::new(&*engine);
    let first = fill(&engine, &mut writer, |_| true);
    assert!(matches!(first, StoreError::Unknown(_)), "{first}");
    let second = fill(&engine, &mut writer, |_| true);
    assert!(matches!(second, StoreError::Full(_)), "{second}");
}

/// The change was answered as if the engine were out of reach.
#[test]
fn a_server_without_space_refuses_changes_as_full_until_it_has_space() {
    let mut cluster = TestCluster::start(1);
    cluster.servers.set_max_store("300KB");
    let engine = cluster.connect();
    let mut writer = TestWriter::new(&*engine);
    let is_full = |error: &StoreError| matches!(error, StoreError::Full(_));
    fill(&engine, &mut writer, is_full);
    cluster.servers.set_max_store("1GB");
    wait_until_writable(&engine, &mut writer);
}

/// Three servers without space elect no leader.
#[test]
fn three_full_servers_are_out_of_reach_until_they_have_space() {
    let mut cluster = TestCluster::start(3);
    cluster.servers.set_max_store("300KB");
    let engine = cluster.connect();
    let mut writer = TestWriter::new(&*engine);
    let is_refused = |error: &StoreError| !matches!(error, StoreError::Conflict);
    fill(&engine, &mut writer, is_refused);
    cluster.servers.set_max_store("1GB");
    wait_until_writable(&engine, &mut writer);
}
