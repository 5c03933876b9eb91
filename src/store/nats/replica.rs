//! This node's copy of the stream: its state up to the last message that was applied, and what the
//! parts of the node share.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_nats::header::NATS_BATCH_ID;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::client::NatsClient;
use super::commit::BatchPreconditions;
use super::health::{ClockDifference, EngineHealth};
use super::read;
use super::record::{PetsRecord, StoredMessage, decode_message};
use super::subjects::PETS;
use crate::model::{Change, ChangeSource, Epoch, Pet, PetId, Rev};
use crate::store::{AppliedChange, Following, Snapshot, StoreError};

/// How long a commit waits until this node has shown it, or the change that it conflicts with.
const SHOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// The last message of each subject of the stream, against which commits are decided.
#[derive(Default)]
pub struct ReplicaState {
    /// Time at which the stream was created, which identifies it.
    pub created: String,
    /// The epoch; `None` if the stream has none.
    pub epoch: Option<Epoch>,
    /// Sequence number of the last message that was applied.
    pub seq: u64,
    /// Rev of the last change.
    pub newest: Rev,
    next_pet: Option<PetId>,
    next_pet_seq: u64,
    tick_seq: u64,
    pets: HashMap<PetId, u64>,
    /// Commits in progress on this node, by op, with the sequence numbers of their messages that were
    /// applied.
    pub ops: HashMap<String, Vec<u64>>,
}

impl ReplicaState {
    /// Applies the next message. Returns the change in it, if any.
    ///
    /// # Errors
    /// `Record` if pet-store did not write the message; it then counts as applied.
    pub fn apply(&mut self, message: &StoredMessage) -> Result<Option<AppliedChange>, StoreError> {
        self.seq = message.seq;
        let op = message.header(NATS_BATCH_ID.as_ref());
        if let Some(seqs) = op.and_then(|op| self.ops.get_mut(op)) {
            seqs.push(message.seq);
        }
        match decode_message(message)? {
            PetsRecord::Pet(applied) => {
                let change = &applied.change;
                self.newest = change.rev;
                self.pets.insert(change.pet, message.seq);
                self.next_pet = Some(self.next_pet().max(change.pet.next()));
                return Ok(Some(applied));
            }
            PetsRecord::NextPet(id) => {
                self.next_pet = Some(self.next_pet().max(id));
                self.next_pet_seq = message.seq;
            }
            PetsRecord::Tick => self.tick_seq = message.seq,
            PetsRecord::Epoch(epoch) => self.epoch = Some(epoch),
            PetsRecord::Unknown => {}
        }
        Ok(None)
    }

    /// Returns the id that the next created pet gets.
    pub fn next_pet(&self) -> PetId {
        self.next_pet.unwrap_or(PetId::FIRST)
    }

    fn last_seq(&self, pet: PetId) -> u64 {
        self.pets.get(&pet).copied().unwrap_or_default()
    }

    /// Returns the preconditions of a commit that was decided at `read`.
    ///
    /// # Errors
    /// `Conflict` if one of the pets has changed since, as far as this node knows.
    pub fn preconditions(
        &self,
        read: Rev,
        proposed: &[AppliedChange],
    ) -> Result<BatchPreconditions, StoreError> {
        let (mut pets, mut written) = (Vec::new(), HashSet::new());
        for AppliedChange { change, .. } in proposed {
            let last = self.last_seq(change.pet);
            let is_first = written.insert(change.pet);
            if is_first && last > read.get() {
                return Err(StoreError::Conflict);
            }
            pets.push(is_first.then_some(last));
        }
        let mut changes = proposed.iter().map(|applied| &applied.change);
        let creates = changes.clone().any(|change| change.pet >= self.next_pet());
        let ticks = changes.any(|change| change.by == ChangeSource::Simulator);
        Ok(BatchPreconditions {
            next_pet: creates.then_some(self.next_pet_seq),
            tick: ticks.then_some(self.tick_seq),
            pets,
        })
    }
}

/// Builds a snapshot from the last message of each subject.
#[derive(Default)]
struct SnapshotBuilder {
    state: ReplicaState,
    pets: BTreeMap<PetId, Arc<Pet>>,
}

impl SnapshotBuilder {
    /// Adds the next message. A subject that changes during the read comes again.
    fn add(&mut self, message: &StoredMessage) -> Result<(), StoreError> {
        if let Some(AppliedChange { change, after }) = self.state.apply(message)? {
            match after {
                Some(pet) => self.pets.insert(change.pet, pet),
                None => self.pets.remove(&change.pet),
            };
        }
        Ok(())
    }

    /// Returns the state of the stream created at `created`, and the snapshot.
    ///
    /// # Errors
    /// `Unfinished` if there is no epoch, which an import writes last.
    fn finish(mut self, created: String) -> Result<(ReplicaState, Snapshot), StoreError> {
        if self.state.epoch.is_none() {
            return Err(StoreError::Unfinished);
        }
        self.state.created = created;
        let revs = self
            .pets
            .keys()
            .map(|pet| Rev::new(self.state.last_seq(*pet)));
        let snapshot = Snapshot {
            rev: self.state.newest,
            next_pet: self.state.next_pet(),
            revs: revs.collect(),
            pets: self.pets.into_values().map(Arc::unwrap_or_clone).collect(),
        };
        Ok((self.state, snapshot))
    }
}

/// The copy of the stream with everything that the parts of a node share.
pub struct Replica {
    /// The connection to the servers.
    pub client: NatsClient,
    state: Mutex<ReplicaState>,
    /// The follower of the engine.
    pub following: Following,
    /// Rev of the last change that the follower was shown.
    last_shown: AtomicU64,
    /// Sequence number up to which changes were shown.
    pub shown: watch::Sender<u64>,
    /// True if the engine answers.
    pub health: EngineHealth,
    /// How far the clocks differ.
    pub clock: ClockDifference,
}

impl Replica {
    /// Creates an empty replica.
    pub fn new(client: NatsClient) -> Self {
        Replica {
            health: EngineHealth::new(client.clone()),
            client,
            state: Mutex::default(),
            following: Following::default(),
            last_shown: AtomicU64::new(0),
            shown: watch::Sender::new(0),
            clock: ClockDifference::default(),
        }
    }

    /// Locks the state.
    pub fn state(&self) -> MutexGuard<'_, ReplicaState> {
        self.state.lock().expect("no holder of this lock panics")
    }

    /// Returns the epoch; before the first load, one that no store has.
    pub fn epoch(&self) -> Epoch {
        self.state().epoch.unwrap_or(Epoch::new(0))
    }

    /// Reads the state of the stream and replaces this node's with it.
    pub async fn load(&self) -> Result<Snapshot, StoreError> {
        let (state, snapshot) = self.read_snapshot().await?;
        // The outcome of a commit in progress is not visible in a snapshot, so `ops` starts empty.
        *self.state() = state;
        Ok(snapshot)
    }

    /// Reads the state of the stream.
    ///
    /// # Errors
    /// `Unavailable` if the servers do not answer, `Unfinished` or `Record` for its content.
    pub async fn read_snapshot(&self) -> Result<(ReplicaState, Snapshot), StoreError> {
        let sent = Instant::now();
        let read = read::read_snapshot(
            &self.client,
            &PETS,
            SnapshotBuilder::default,
            |builder, message| builder.add(&message),
        );
        let (state, builder) = read.await?;
        self.health.record_answer(sent);
        builder.finish(state.created)
    }

    /// Sets the rev after which the follower is shown every change.
    pub fn show_from(&self, after: Rev) {
        let mut state = self.state();
        // Changes that were applied but not shown are applied again.
        if state.newest > after {
            state.seq = state.seq.min(after.get());
        }
        self.last_shown.store(after.get(), Ordering::Release);
        self.shown.send_replace(state.seq);
    }

    /// Shows the follower those of the applied changes that are new to it.
    pub fn show(&self, changes: &[Change]) {
        let last_shown = self.last_shown.load(Ordering::Acquire);
        let shown = changes.partition_point(|change| change.rev.get() <= last_shown);
        let new = &changes[shown..];
        if let Some(last) = new.last() {
            self.last_shown.store(last.rev.get(), Ordering::Release);
            self.following.show(new);
        }
        self.notify_shown();
    }

    /// Has the follower continue from `snapshot`, which was just loaded.
    pub fn resync(&self, snapshot: Snapshot) {
        self.last_shown.store(snapshot.rev.get(), Ordering::Release);
        if let Some(follower) = self.following.get() {
            follower.restart_from(self.epoch(), snapshot);
        }
        self.notify_shown();
    }

    fn notify_shown(&self) {
        let seq = self.state().seq;
        self.shown.send_replace(seq);
    }

    /// Waits until everything up to the sequence number `seq` was shown, at most `SHOWN_TIMEOUT`. It
    /// is shown later in any case; the caller does not have to wait for it.
    pub async fn wait_until_shown(&self, seq: u64) {
        let mut shown = self.shown.subscribe();
        let _ = timeout(SHOWN_TIMEOUT, shown.wait_for(|shown| *shown >= seq)).await;
    }
}

#[cfg(test)]
mod tests {
    use async_nats::header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE;

    use super::*;
    use crate::model::{ChangeKind, Timestamp};
    use crate::store::nats::subjects::{NEXT_PET, TICK};

    fn proposed(pet: u64, by: ChangeSource) -> AppliedChange {
        let change = Change {
            rev: Rev::ZERO,
            at: Timestamp::from_micros(0),
            by,
            author: None,
            request: None,
            visibility: crate::model::Visibility::Public,
            pet: PetId::new(pet),
            kind: ChangeKind::Gone(None),
        };
        AppliedChange::new(change, None)
    }

    #[test]
    fn each_pet_has_one_precondition_and_a_simulator_moves_the_tick() {
        let mut state = ReplicaState::default();
        state.pets.insert(PetId::FIRST, 9);
        (state.next_pet, state.tick_seq) = (Some(PetId::new(2)), 8);
        let expected = |proposed: &[AppliedChange], read| {
            let preconditions = state.preconditions(Rev::new(read), proposed).unwrap();
            let messages = preconditions.messages(proposed);
            assert_eq!(messages.len(), preconditions.message_count());
            let expected = messages.into_iter().map(|message| {
                let seq = message.headers.get(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE);
                (message.subject, seq.map(|seq| seq.as_str().to_owned()))
            });
            expected.collect::<Vec<_>>()
        };
        let message =
            |subject: &str, seq: Option<&str>| (subject.to_owned(), seq.map(str::to_owned));
        assert_eq!(
            expected(
                &[
                    proposed(1, ChangeSource::Staff),
                    proposed(1, ChangeSource::Api)
                ],
                9
            ),
            [message("ps.pet.1", Some("9")), message("ps.pet.1", None)]
        );
        assert_eq!(
            expected(&[proposed(2, ChangeSource::Staff)], 9),
            [message(NEXT_PET, Some("0")), message("ps.pet.2", Some("0"))]
        );
        assert_eq!(
            expected(&[proposed(1, ChangeSource::Simulator)], 9),
            [message(TICK, Some("8")), message("ps.pet.1", Some("9"))]
        );
        let late = state.preconditions(Rev::new(8), &[proposed(1, ChangeSource::Staff)]);
        assert_eq!(late.err(), Some(StoreError::Conflict));
    }
}
