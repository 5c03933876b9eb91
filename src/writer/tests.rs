//! The order of the writer: nothing is shown before it is durable, and a failure shows nothing.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::metrics::Metrics;
use crate::model::{Change, Epoch, Pet, PetId, Profile, Rev, Status};
use crate::store::{MemoryEngine, Snapshot, StoreError};

const LIMIT: Duration = Duration::from_secs(10);

/// What the disk does with the next commit.
enum Disk {
    Writes,
    Fails,
}

/// An engine whose commits wait until the test says what becomes of them.
struct Gated {
    inner: MemoryEngine,
    started: Sender<usize>,
    verdicts: Mutex<Receiver<Disk>>,
}

impl Engine for Gated {
    fn epoch(&self) -> Epoch {
        self.inner.epoch()
    }

    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.inner.snapshot()
    }

    fn commit(&self, changes: &[Change]) -> Result<(), StoreError> {
        self.started.send(changes.len()).unwrap();
        match self.verdicts.lock().unwrap().recv().unwrap() {
            Disk::Writes => self.inner.commit(changes),
            Disk::Fails => Err(StoreError::Write("no space left".to_owned())),
        }
    }

    fn tail(&self, after: Rev, limit: usize) -> Result<Vec<Change>, StoreError> {
        self.inner.tail(after, limit)
    }

    fn history(
        &self,
        pet: PetId,
        before: Option<Rev>,
        limit: usize,
    ) -> Result<Vec<Change>, StoreError> {
        self.inner.history(pet, before, limit)
    }
}

/// A writer over a gated engine that holds one pet.
struct Rig {
    writer: Writer,
    hub: Arc<Hub>,
    started: Receiver<usize>,
    verdicts: Sender<Disk>,
}

impl Rig {
    fn start() -> Self {
        let (started, has_started) = channel();
        let (verdicts, verdict) = channel();
        let engine = Arc::new(Gated {
            inner: MemoryEngine::new(Epoch::new(1)),
            started,
            verdicts: Mutex::new(verdict),
        });
        let hub = Hub::open(engine.clone(), Metrics::new()).unwrap();
        verdicts.send(Disk::Writes).unwrap();
        let create = Command::create(Profile::default());
        commit_all(&*engine, &hub, vec![create], By::Staff).unwrap();
        has_started.recv().unwrap();
        let (writer, _thread) = Writer::start(engine, Arc::clone(&hub)).unwrap();
        Rig {
            writer,
            hub,
            started: has_started,
            verdicts,
        }
    }

    fn set(&self, status: Status) -> tokio::task::JoinHandle<Answer> {
        let writer = self.writer.clone();
        let pet = PetId::FIRST;
        let command = Command::SetStatus { pet, status };
        tokio::spawn(async move { writer.commit(command, By::Staff).await })
    }

    /// Waits until a commit has begun; how many changes it has.
    async fn begun(&self) -> usize {
        loop {
            match self.started.try_recv() {
                Ok(changes) => return changes,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }

    fn decide(&self, disk: Disk) {
        self.verdicts.send(disk).unwrap();
    }
}

/// Rule 1. Breaks when the hub is told before the engine.
#[tokio::test]
async fn nobody_sees_a_change_before_it_is_durable() {
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

#[tokio::test]
async fn a_failed_commit_is_answered_shown_to_nobody_and_its_rev_is_used_again() {
    let rig = Rig::start();
    let mut stream = rig.hub.subscribe();
    let answer = rig.set(Status::Eating);
    rig.begun().await;
    rig.decide(Disk::Fails);
    assert_eq!(answer.await.unwrap(), Err(WriteError::Store));
    assert!(!rig.writer.is_writable());
    let answer = rig.set(Status::Bathing);
    rig.begun().await;
    rig.decide(Disk::Writes);
    assert_eq!(answer.await.unwrap().unwrap().cursor.rev, Rev::new(2));
    assert!(rig.writer.is_writable());
    let frame = timeout(LIMIT, stream.recv()).await.unwrap().unwrap();
    assert!(frame.json().contains("bathing"));
}

#[tokio::test]
async fn commands_that_wait_while_the_disk_is_busy_share_one_commit() {
    let rig = Rig::start();
    let first = rig.set(Status::Eating);
    assert_eq!(rig.begun().await, 1);
    let waiting: Vec<_> = (0..50).map(|_| rig.set(Status::Playing)).collect();
    while rig.writer.queue.capacity() > QUEUE_LIMIT - 50 {
        tokio::task::yield_now().await;
    }
    rig.decide(Disk::Writes);
    assert_eq!(rig.begun().await, 50);
    rig.decide(Disk::Writes);
    first.await.unwrap().unwrap();
    for (number, answer) in waiting.into_iter().enumerate() {
        let rev = answer.await.unwrap().unwrap().cursor.rev;
        assert_eq!(rev.get(), number as u64 + 3, "in the order they were asked");
    }
}

/// Rule 5. Breaks when the queue grows instead.
#[tokio::test]
async fn a_full_queue_is_answered_at_once() {
    let rig = Rig::start();
    let _first = rig.set(Status::Eating);
    rig.begun().await;
    let _waiting: Vec<_> = (0..QUEUE_LIMIT).map(|_| rig.set(Status::Playing)).collect();
    let filling = async {
        while rig.writer.queue.capacity() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, filling).await.expect("the queue is full");
    let refused = timeout(LIMIT, rig.set(Status::Bathing)).await.unwrap();
    assert_eq!(refused.unwrap(), Err(WriteError::Busy));
    for _ in 0..=QUEUE_LIMIT / BATCH_LIMIT {
        rig.decide(Disk::Writes);
    }
}

#[test]
fn a_batch_decides_against_what_it_decided_before() {
    let engine = MemoryEngine::new(Epoch::new(1));
    let hub = Hub::open(Arc::new(MemoryEngine::new(Epoch::new(1))), Metrics::new()).unwrap();
    let pet = PetId::FIRST;
    let commands = vec![
        Command::create(Profile::default()),
        Command::SetStatus {
            pet,
            status: Status::Eating,
        },
        Command::Edit {
            pet,
            patch: crate::model::ProfilePatch::default(),
        },
        Command::Remove { pet },
        Command::create(Profile::default()),
    ];
    commit_all(&engine, &hub, commands, By::Staff).unwrap();
    let edited = &engine.tail(Rev::new(2), 1).unwrap()[0];
    let crate::model::ChangeKind::Pet(record) = &edited.kind else {
        panic!("an edit carries the pet");
    };
    assert_eq!(
        record.status,
        Status::Eating,
        "set a moment before, in the same batch"
    );
    let ids: Vec<PetId> = hub
        .board()
        .pets
        .iter()
        .map(|pet: &Arc<Pet>| pet.id)
        .collect();
    assert_eq!(ids, [PetId::new(2)]);
    let removed = Command::SetStatus {
        pet,
        status: Status::Eating,
    };
    let refused = commit_all(&engine, &hub, vec![removed], By::Staff);
    assert_eq!(refused, Err(WriteError::UnknownPet(pet)));
}
