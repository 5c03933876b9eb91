//! A store, a hub and a writer on a simulated disk, with one viewer that receives every message.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use pet_store::hub::Hub;
use pet_store::metrics::Metrics;
use pet_store::model::{Audience, ChangeSource, PetId, Profile, Status};
use pet_store::store::{Engine, IoObserver, RedbEngine};
use pet_store::wire::Frame;
use pet_store::writer::{Command, Committed, WriteError, Writer, commit_all};
use tokio::sync::broadcast::Receiver;

use super::ledger::{Ledger, status_fact};

/// Pets on the board of every rig.
pub const PETS: u64 = 3;

/// The parts of a server that depend on the disk.
pub struct Rig {
    pub engine: Arc<RedbEngine>,
    pub hub: Arc<Hub>,
    pub writer: Writer,
    pub ledger: Ledger,
    stream: Receiver<Frame>,
    thread: JoinHandle<()>,
}

impl Rig {
    /// A new store in `folder` with three pets.
    pub fn start(folder: &Path, disk: Arc<dyn IoObserver>) -> Self {
        let engine = Arc::new(RedbEngine::open_observed(folder, disk).unwrap());
        let hub = Hub::open(engine.clone(), Metrics::new()).unwrap();
        let stream = hub.subscribe();
        let pets = (0..PETS).map(|_| Command::create(Profile::default()));
        commit_all(
            &*engine,
            &hub,
            &pets.collect::<Vec<_>>(),
            ChangeSource::Staff,
        )
        .unwrap();
        let (writer, thread) = Writer::start(engine.clone(), Arc::clone(&hub)).unwrap();
        Rig {
            engine,
            hub,
            writer,
            ledger: Ledger::default(),
            stream,
            thread,
        }
    }

    /// Sets the status of a pet, another one each `turn`.
    pub async fn set(&mut self, turn: usize) -> Result<Committed, WriteError> {
        let pet = PetId::new(turn as u64 % PETS + 1);
        let status = Status::FOUR[turn % Status::FOUR.len()];
        let command = Command::set_status(pet, status);
        let committed = self.writer.commit(command, ChangeSource::Staff).await?;
        let fact = status_fact(pet.get(), status.as_str());
        self.ledger.acknowledge(committed.cursor.rev.get(), fact);
        Ok(committed)
    }

    /// Stops everything and closes the store. The ledger then has every published message.
    pub async fn stop(self) -> Ledger {
        let (mut ledger, mut stream) = (self.ledger, self.stream);
        self.writer.stop().await;
        let ended = tokio::task::spawn_blocking(move || self.thread.join());
        ended.await.unwrap().unwrap();
        while let Ok(frame) = stream.try_recv() {
            ledger.show(&serde_json::from_str(frame.json()).unwrap());
        }
        drop((self.writer, self.hub));
        let engine = Arc::try_unwrap(self.engine);
        assert!(engine.is_ok(), "the store is closed");
        ledger
    }

    /// Returns true if the store can be read.
    pub fn can_read(&self) -> bool {
        let newest = self.engine.newest();
        newest.is_ok() && self.hub.board(Audience::Public).pets.len() as u64 == PETS
    }
}
