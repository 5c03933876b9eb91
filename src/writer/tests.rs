//! The writer publishes nothing before it is durable, and nothing of a failed commit.

mod bulk;
mod gated;
mod namesakes;
mod preconditions;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::timeout;

pub use self::gated::{Disk, Rig};
use super::*;
use crate::clock::example::TestClock;
use crate::hub::REPLAY_LIMIT;
use crate::metrics::Metrics;
use crate::model::{Audience, Epoch, Pet, PetId, Profile, Rev, Status, Timestamp};
use crate::store::MemoryEngine;

pub const LIMIT: Duration = Duration::from_mins(1);

/// Invariant 1. Fails if the writer publishes before the engine commits.
#[tokio::test]
async fn no_viewer_sees_a_change_before_it_is_durable() {
    let rig = Rig::start();
    let mut stream = rig.hub.subscribe();
    let answer = rig.set(Status::Eating);
    assert_eq!(rig.begun().await, 1);
    assert_eq!(rig.hub.newest().0, Rev::new(1), "the board has not moved");
    assert!(stream.is_empty());
    assert!(!answer.is_finished());
    rig.decide(Disk::Writes);
    let frame = timeout(LIMIT, stream.recv()).await.unwrap().unwrap();
    assert_eq!(frame.rev(), Rev::new(2));
    assert_eq!(answer.await.unwrap().unwrap().cursor.rev, Rev::new(2));
}

/// Waits for an action of the writer's thread.
pub async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, waiting)
        .await
        .expect("the condition holds in time");
}

#[tokio::test]
async fn a_failed_commit_is_answered_and_not_published_and_its_rev_is_used_again() {
    let rig = Rig::start();
    let mut stream = rig.hub.subscribe();
    let answer = rig.set(Status::Eating);
    rig.begun().await;
    rig.decide(Disk::Fails);
    assert_eq!(answer.await.unwrap(), Err(WriteError::Full));
    assert!(!rig.writer.is_writable());
    rig.decide(Disk::Writes);
    until(|| rig.writer.is_writable()).await;
    let answer = rig.set(Status::Bathing);
    rig.begun().await;
    rig.decide(Disk::Writes);
    assert_eq!(answer.await.unwrap().unwrap().cursor.rev, Rev::new(2));
    let frame = timeout(LIMIT, stream.recv()).await.unwrap().unwrap();
    assert!(frame.json().contains("bathing"));
}

#[tokio::test]
async fn commands_during_an_outage_are_refused_without_asking_the_engine() {
    let rig = Rig::start();
    let answer = rig.set(Status::Eating);
    rig.begun().await;
    rig.decide(Disk::Fails);
    answer.await.unwrap().unwrap_err();
    rig.decide(Disk::Fails);
    for _ in 0..3 {
        let refused = timeout(LIMIT, rig.set(Status::Bathing)).await.unwrap();
        assert_eq!(refused.unwrap(), Err(WriteError::Full));
    }
    let pet = PetId::new(9);
    let unknown = rig
        .writer
        .commit(Command::remove(pet), ChangeSource::Staff)
        .await;
    assert_eq!(unknown, Err(WriteError::UnknownPet(pet)));
    assert!(rig.started.try_recv().is_err(), "the engine was not asked");
    assert_eq!(rig.hub.metrics().commit_failures.get(), 1);
    rig.decide(Disk::Writes);
    until(|| rig.writer.is_writable()).await;
}

/// A failed commit was in the store after it was opened again. The next change took its rev, and the
/// store and the board differed.
#[tokio::test]
async fn a_failed_commit_that_is_in_the_store_is_published_after_recovery() {
    let rig = Rig::start();
    let mut stream = rig.hub.subscribe();
    let answer = rig.set(Status::Eating);
    rig.begun().await;
    rig.decide(Disk::FailsAfterWriting);
    assert_eq!(answer.await.unwrap(), Err(WriteError::Full));
    assert!(stream.is_empty());
    rig.decide(Disk::Writes);
    let frame = timeout(LIMIT, stream.recv()).await.unwrap().unwrap();
    assert_eq!(frame.rev(), Rev::new(2));
    assert!(frame.json().contains("eating"));
    until(|| rig.writer.is_writable()).await;
    let answer = rig.set(Status::Bathing);
    rig.begun().await;
    rig.decide(Disk::Writes);
    assert_eq!(answer.await.unwrap().unwrap().cursor.rev, Rev::new(3));
}

/// A shared engine publishes its changes itself. After an outage the writer did so too, and viewers
/// could receive a change twice.
#[tokio::test]
async fn after_an_outage_the_writer_publishes_nothing_of_a_shared_engine() {
    let rig = Rig::start();
    rig.engine.is_shared.store(true, Ordering::Relaxed);
    let stream = rig.hub.subscribe();
    let answer = rig.set(Status::Eating);
    rig.begun().await;
    rig.decide(Disk::FailsAfterWriting);
    answer.await.unwrap().unwrap_err();
    rig.decide(Disk::Writes);
    until(|| rig.writer.is_writable()).await;
    assert!(stream.is_empty());
    assert_eq!(rig.hub.newest().0, Rev::new(1));
}

#[tokio::test]
async fn a_store_that_lost_published_changes_is_never_written_again() {
    let rig = Rig::start();
    let answer = rig.set(Status::Eating);
    rig.begun().await;
    rig.decide(Disk::Fails);
    answer.await.unwrap().unwrap_err();
    rig.decide(Disk::DropsWrite);
    let refused = timeout(LIMIT, rig.set(Status::Bathing)).await.unwrap();
    assert_eq!(refused.unwrap(), Err(WriteError::Store));
    assert!(!rig.writer.is_writable());
    assert_eq!(
        rig.hub.newest().0,
        Rev::new(1),
        "the board keeps published changes"
    );
    let is_over = rig.engine.is_over.load(Ordering::Relaxed);
    assert!(is_over, "a restart begins a new history");
}

#[tokio::test]
async fn a_failed_read_makes_the_writer_recover_the_store() {
    let rig = Rig::start();
    rig.engine.is_healthy.store(false, Ordering::Relaxed);
    rig.decide(Disk::Writes);
    until(|| rig.engine.is_healthy()).await;
    until(|| rig.writer.is_writable()).await;
}

#[tokio::test]
async fn commands_that_wait_for_the_disk_share_one_commit() {
    let rig = Rig::start();
    let first = rig.set(Status::Eating);
    assert_eq!(rig.begun().await, 1);
    let waiting: Vec<_> = (0..50).map(|_| rig.set(Status::Playing)).collect();
    until(|| rig.writer.queue.capacity() <= QUEUE_LIMIT - 50).await;
    rig.decide(Disk::Writes);
    assert_eq!(rig.begun().await, 50);
    rig.decide(Disk::Writes);
    first.await.unwrap().unwrap();
    for (number, answer) in waiting.into_iter().enumerate() {
        let rev = answer.await.unwrap().unwrap().cursor.rev;
        assert_eq!(rev.get(), number as u64 + 3, "in the order of the commands");
    }
}

/// Invariant 5. Fails if the queue grows.
#[tokio::test]
async fn a_full_queue_is_answered_immediately() {
    let rig = Rig::start();
    let _first = rig.set(Status::Eating);
    rig.begun().await;
    let _waiting: Vec<_> = (0..QUEUE_LIMIT).map(|_| rig.set(Status::Playing)).collect();
    until(|| rig.writer.queue.capacity() == 0).await;
    let refused = timeout(LIMIT, rig.set(Status::Bathing)).await.unwrap();
    assert_eq!(refused.unwrap(), Err(WriteError::Busy));
    for _ in 0..=QUEUE_LIMIT / BATCH_LIMIT {
        rig.decide(Disk::Writes);
    }
}

#[tokio::test]
async fn the_log_is_trimmed_in_small_steps_and_keeps_what_viewers_may_replay() {
    let history = Duration::from_hours(1);
    let rig = Rig::start_with(Some(history), Clock::system());
    until(|| rig.engine.trims.lock().unwrap().len() == 3).await;
    let step = (history, REPLAY_LIMIT, maintenance::TRIM_STEP);
    assert_eq!(*rig.engine.trims.lock().unwrap(), [step; 3]);
    let forever = Rig::start();
    let answer = forever.set(Status::Eating);
    forever.begun().await;
    forever.decide(Disk::Writes);
    answer.await.unwrap().unwrap();
    assert_eq!(*forever.engine.trims.lock().unwrap(), []);
}

#[tokio::test]
async fn a_jump_of_the_wall_clock_is_counted_with_its_length() {
    let turned = TestClock::at(Timestamp::EARLIEST);
    let rig = Rig::start_with(None, turned.clock());
    turned.jump(-300);
    until(|| rig.hub.metrics().clock_jumps.get() == 1).await;
    let metrics = rig.hub.metrics().encode();
    assert!(
        metrics.contains("petstore_clock_last_jump_seconds -300"),
        "{metrics}"
    );
}

#[test]
fn a_command_is_decided_against_earlier_commands_of_its_batch() {
    let engine = Arc::new(MemoryEngine::new(Epoch::new(1)));
    let hub = Hub::open(engine.clone(), Metrics::new()).unwrap();
    let pet = PetId::FIRST;
    let commands = vec![
        Command::create(Profile::default()),
        Command::set_status(pet, Status::Eating),
        Command::edit(pet, crate::model::ProfilePatch::default()),
        Command::remove(pet),
        Command::create(Profile::default()),
    ];
    commit_all(&*engine, &hub, &commands, ChangeSource::Staff).unwrap();
    let edited = &engine.tail(Rev::new(2), 1).unwrap()[0];
    let crate::model::ChangeKind::Pet(record) = &edited.kind else {
        panic!("an edit carries the pet");
    };
    assert_eq!(
        record.status,
        Status::Eating,
        "set earlier in the same batch"
    );
    let ids: Vec<PetId> = hub
        .board(Audience::Public)
        .pets
        .iter()
        .map(|pet: &Arc<Pet>| pet.id)
        .collect();
    assert_eq!(ids, [PetId::new(2)]);
    let removed = Command::set_status(pet, Status::Eating);
    let refused = commit_all(&*engine, &hub, &[removed], ChangeSource::Staff);
    assert_eq!(refused, Err(WriteError::UnknownPet(pet)));
}

/// A permission that a test revokes.
#[derive(Clone, Default)]
struct Revocable {
    is_revoked: Arc<AtomicBool>,
    is_unreachable: Arc<AtomicBool>,
    in_flight: Arc<InFlightCommits>,
}

impl Revocable {
    fn revoke(&self) {
        self.is_revoked.store(true, Ordering::SeqCst);
        self.in_flight.wait();
    }

    fn signer(&self) -> Signer {
        Signer::new(ChangeSource::Staff.into(), Box::new(self.clone()))
    }
}

impl Authorization for Revocable {
    fn refresh(&self) -> Result<(), WriteError> {
        if self.is_unreachable.load(Ordering::SeqCst) {
            return Err(WriteError::Unavailable);
        }
        Ok(())
    }

    fn check(&self) -> Result<CommitGuard, WriteError> {
        let guard = self.in_flight.enter();
        if self.is_revoked.load(Ordering::SeqCst) {
            return Err(WriteError::SignedOut);
        }
        Ok(guard)
    }
}

/// Invariant 10. The permission was checked only when the handler started.
#[tokio::test]
async fn a_command_whose_permission_ends_while_it_waits_is_refused() {
    let rig = Rig::start();
    let permission = Revocable::default();
    let first = rig.set(Status::Eating);
    rig.begun().await;
    let waiting = rig.set_by(Status::Bathing, permission.signer());
    let allowed = rig.set_by(Status::Playing, Revocable::default().signer());
    until(|| rig.writer.queue.capacity() == QUEUE_LIMIT - 2).await;
    permission.revoke();
    rig.decide(Disk::Writes);
    first.await.unwrap().unwrap();
    assert_eq!(
        rig.begun().await,
        1,
        "only the allowed command is committed"
    );
    assert_eq!(waiting.await.unwrap(), Err(WriteError::SignedOut));
    rig.decide(Disk::Writes);
    assert_eq!(allowed.await.unwrap().unwrap().cursor.rev, Rev::new(3));
}

/// Invariant 10. A sign-out was answered, and a change of that session was published afterwards.
#[tokio::test]
async fn a_revocation_is_answered_after_commits_that_were_checked_before_it() {
    let rig = Rig::start();
    let permission = Revocable::default();
    let answer = rig.set_by(Status::Eating, permission.signer());
    rig.begun().await;
    let (revoking, hub) = (permission.clone(), Arc::clone(&rig.hub));
    let revocation = std::thread::spawn(move || {
        revoking.revoke();
        hub.newest().0
    });
    until(|| permission.is_revoked.load(Ordering::SeqCst)).await;
    rig.decide(Disk::Writes);
    answer.await.unwrap().unwrap();
    let shown = tokio::task::spawn_blocking(|| revocation.join().unwrap());
    assert_eq!(shown.await.unwrap(), Rev::new(2), "the commit came first");
}

#[tokio::test]
async fn a_command_is_refused_while_revocations_of_other_nodes_are_unknown() {
    let rig = Rig::start();
    let permission = Revocable::default();
    permission.is_unreachable.store(true, Ordering::SeqCst);
    let refused = rig.set_by(Status::Eating, permission.signer()).await;
    assert_eq!(refused.unwrap(), Err(WriteError::Unavailable));
    let simulated = rig.set(Status::Bathing);
    rig.begun().await;
    rig.decide(Disk::Writes);
    simulated.await.unwrap().unwrap();
}
