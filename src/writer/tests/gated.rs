//! A writer over an engine whose every write waits for a verdict of the test.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::LIMIT;
use crate::clock::Clock;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::model::{ChangeSource, Epoch, PetId, Profile, Rev, Status, Timestamp};
use crate::store::{
    AppliedChange, Engine, MemoryEngine, StoreError, assign_revs, delegate_photos, delegate_reads,
};
use crate::writer::{Command, Committed, QUEUE_LIMIT, Signer, WriteError, Writer, commit_all};

/// The verdict on the next commit, or on the next recovery.
pub enum Disk {
    Writes,
    Fails,
    /// Fails after it has written.
    FailsAfterWriting,
    /// Loses its last change.
    DropsWrite,
}

/// An engine that waits for a verdict before each commit and each recovery.
pub struct GatedEngine {
    pub inner: MemoryEngine,
    pub started: Sender<usize>,
    pub verdicts: Mutex<Receiver<Disk>>,
    pub is_healthy: AtomicBool,
    pub dropped_writes: AtomicU64,
    pub is_over: AtomicBool,
    pub is_shared: AtomicBool,
    /// The arguments of `trim`.
    pub trims: Mutex<Vec<(Duration, u64, usize)>>,
}

impl GatedEngine {
    fn verdict(&self) -> Disk {
        self.verdicts.lock().unwrap().recv().unwrap()
    }

    fn fails(&self) -> Result<(), StoreError> {
        self.is_healthy.store(false, Ordering::Relaxed);
        Err(StoreError::Full("no space left".to_owned()))
    }
}

delegate_photos!(GatedEngine, inner);

impl Engine for GatedEngine {
    delegate_reads!(inner);

    fn commit(&self, read: Rev, proposed: &[AppliedChange]) -> Result<Vec<Rev>, StoreError> {
        self.started.send(proposed.len()).unwrap();
        match self.verdict() {
            Disk::Writes => return self.inner.commit(read, proposed),
            Disk::FailsAfterWriting => self.inner.append(&assign_revs(read, proposed))?,
            Disk::Fails | Disk::DropsWrite => {}
        }
        Err(self.fails().unwrap_err())
    }

    fn is_shared(&self) -> bool {
        self.is_shared.load(Ordering::Relaxed)
    }

    fn is_healthy(&self) -> bool {
        self.is_healthy.load(Ordering::Relaxed)
    }

    fn recover(&self) -> Result<(), StoreError> {
        match self.verdict() {
            Disk::Fails | Disk::FailsAfterWriting => return self.fails(),
            Disk::DropsWrite => self.dropped_writes.store(1, Ordering::Relaxed),
            Disk::Writes => {}
        }
        self.is_healthy.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn end_history(&self) -> Result<(), StoreError> {
        self.is_over.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn newest(&self) -> Result<Rev, StoreError> {
        let newest = self.inner.newest()?.get();
        Ok(Rev::new(
            newest - self.dropped_writes.load(Ordering::Relaxed),
        ))
    }

    fn trim(
        &self,
        _present: Timestamp,
        history: Duration,
        kept: u64,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let trimmed = (history, kept, limit);
        self.trims.lock().unwrap().push(trimmed);
        let is_more = self.trims.lock().unwrap().len() < 3;
        Ok(if is_more { limit } else { 0 })
    }
}

/// A writer over a gated engine that holds one pet.
pub struct Rig {
    pub writer: Writer,
    pub engine: Arc<GatedEngine>,
    pub hub: Arc<Hub>,
    pub started: Receiver<usize>,
    pub verdicts: Sender<Disk>,
}

impl Rig {
    pub fn start() -> Self {
        Rig::start_with(None, Clock::system())
    }

    pub fn start_with(history: Option<Duration>, clock: Clock) -> Self {
        let (started, has_started) = channel();
        let (verdicts, verdict) = channel();
        let engine = Arc::new(GatedEngine {
            inner: MemoryEngine::new(Epoch::new(1)),
            started,
            verdicts: Mutex::new(verdict),
            is_healthy: AtomicBool::new(true),
            dropped_writes: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            is_shared: AtomicBool::new(false),
            trims: Mutex::default(),
        });
        let hub = Hub::open(engine.clone(), Metrics::new()).unwrap();
        verdicts.send(Disk::Writes).unwrap();
        let create = Command::create(Profile::default());
        commit_all(&*engine, &hub, &[create], ChangeSource::Staff).unwrap();
        has_started.recv().unwrap();
        let writer = Writer::start_with_retention(engine.clone(), Arc::clone(&hub), history, clock);
        let (writer, _thread) = writer.unwrap();
        Rig {
            writer,
            engine,
            hub,
            started: has_started,
            verdicts,
        }
    }

    pub fn set(&self, status: Status) -> JoinHandle<Result<Committed, WriteError>> {
        self.set_by(status, ChangeSource::Staff)
    }

    pub fn set_by(
        &self,
        status: Status,
        signer: impl Into<Signer>,
    ) -> JoinHandle<Result<Committed, WriteError>> {
        let (writer, signer) = (self.writer.clone(), signer.into());
        let pet = PetId::FIRST;
        let command = Command::set_status(pet, status);
        tokio::spawn(async move { writer.commit(command, signer).await })
    }

    /// Returns the number of commands in the queue.
    pub fn waiting(&self) -> usize {
        QUEUE_LIMIT - self.writer.queue.capacity()
    }

    /// Waits until a commit has begun, and returns the number of its changes.
    pub async fn begun(&self) -> usize {
        let beginning = async {
            loop {
                match self.started.try_recv() {
                    Ok(changes) => return changes,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        timeout(LIMIT, beginning).await.expect("a commit begins")
    }

    pub fn decide(&self, disk: Disk) {
        self.verdicts.send(disk).unwrap();
    }
}
