//! The single writer: decides commands, commits and publishes their changes, and answers, in this
//! order.
//!
//! Commands wait in one bounded queue. The writer's thread takes all that wait, turns them into
//! changes (`decision`) and commits these as one durable transaction. The engine gives each change
//! its rev and hands it to the hub. Only then are the callers answered. So one fsync serves many
//! commands, and no viewer sees a change that a crash could undo.
//!
//! A command for several pets is one transaction too, and shares it with no other command.
//!
//! On a shared engine another node can change the same pet first. The commands of a batch with such
//! a conflict are decided again, each in a transaction of its own.
//!
//! Between batches the thread does its `maintenance`: it retries a store that failed, and trims the
//! log.

mod authorization;
mod command;
mod decision;
mod import;
mod key;
mod maintenance;
mod outage;
mod photo_cleanup;
mod photos;
mod retention;
#[cfg(test)]
pub(crate) mod tests;
mod trash;

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::runtime::{self, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout_at;

pub use self::authorization::{Authorization, CommitGuard, InFlightCommits, Signer};
pub use self::command::{
    Command, Committed, Expected, MAX_BULK_PETS, Namesakes, OnRefusal, StatusEdit, WriteError,
};
use self::decision::{Decided, Decision};
use self::import::PendingImport;
pub use self::key::IdempotencyKey;
use self::maintenance::Maintenance;
use crate::clock::Clock;
use crate::hub::Hub;
use crate::model::{ChangeSource, Profile, Rev};
use crate::store::{Engine, MAX_COMMIT_CREATIONS, StoreError};

/// Commands that may wait for the writer; the next one is answered `Busy`. On the slowest supported
/// disk (2 s per fsync) the last of them waits for 8 s.
const QUEUE_LIMIT: usize = 1024;

/// The most commands of one transaction, so that no answer waits for more than this many others.
const BATCH_LIMIT: usize = 256;

/// Times that a command is decided again after conflicts with other nodes, before it is answered
/// `Conflict`.
const CONFLICT_RETRIES: usize = 10;

/// Sends commands to the writer's thread. Cheap to clone.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<QueueItem>,
    hub: Arc<Hub>,
}

enum QueueItem {
    Command(Box<PendingCommand>),
    Import(Box<PendingImport>),
    /// Ends the thread after the commands before this item.
    Stop,
}

/// A command that waits for its decision, and the channel for its answer.
struct PendingCommand {
    command: Command,
    key: Option<IdempotencyKey>,
    signer: Signer,
    answer: oneshot::Sender<Result<Committed, WriteError>>,
}

impl Writer {
    /// Starts the writer's thread, which keeps all history. The thread ends after `stop`; join the
    /// handle to wait for that.
    ///
    /// # Errors
    /// If the operating system cannot start a thread, or a timer for it.
    pub fn start(
        engine: Arc<dyn Engine>,
        hub: Arc<Hub>,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        Writer::start_with_retention(engine, hub, None, Clock::system())
    }

    /// Like `start`, but trims changes from the log that are more than `history` older than the
    /// newest. Counts the jumps of the wall clock of `clock`.
    ///
    /// # Errors
    /// As for `start`.
    pub fn start_with_retention(
        engine: Arc<dyn Engine>,
        hub: Arc<Hub>,
        history: Option<Duration>,
        clock: Clock,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (queue, receiver) = mpsc::channel(QUEUE_LIMIT);
        let worker = WriterThread {
            engine: Arc::clone(&engine),
            hub: Arc::clone(&hub),
            maintenance: Maintenance::new(engine, Arc::clone(&hub), history, clock),
            timer: runtime::Builder::new_current_thread()
                .enable_time()
                .build()?,
        };
        let thread = Builder::new()
            .name("writer".to_owned())
            .spawn(move || worker.run(receiver))?;
        Ok((Writer { queue, hub }, thread))
    }

    /// Returns true if the writer runs and the store accepts writes.
    pub fn is_writable(&self) -> bool {
        self.hub.is_writable() && self.is_running()
    }

    /// Returns true if the writer's thread takes commands, even if the store refuses their changes.
    pub fn is_running(&self) -> bool {
        !self.queue.is_closed()
    }

    /// Commits one command. Dropping the future does not cancel the command.
    ///
    /// # Errors
    /// `Unavailable` immediately if the engine does not respond, `Busy` if the queue is full,
    /// `Stopping` if the writer has ended, `SignedOut` or `NotInScope` if the signer's permission
    /// was revoked meanwhile, and the errors of the command itself.
    pub async fn commit(
        &self,
        command: Command,
        signer: impl Into<Signer>,
    ) -> Result<Committed, WriteError> {
        self.commit_once(command, None, signer).await
    }

    /// Commits one command, unless any node committed a command with the same key within the last
    /// day: then returns the outcome of the first command.
    ///
    /// # Errors
    /// `KeyReused` for the key of another command, and the errors of `commit`.
    pub async fn commit_once(
        &self,
        command: Command,
        key: Option<IdempotencyKey>,
        signer: impl Into<Signer>,
    ) -> Result<Committed, WriteError> {
        let (answer, outcome) = oneshot::channel();
        let pending = PendingCommand {
            command,
            key,
            signer: signer.into(),
            answer,
        };
        self.enqueue(QueueItem::Command(Box::new(pending)))?;
        outcome.await.unwrap_or(Err(WriteError::Stopping))
    }

    /// Adds all `pets`, at most `MAX_COMMIT_CREATIONS`, in one transaction, or none of them. Pets that were
    /// added with the same `key` of a form within the last day are not added again.
    ///
    /// # Errors
    /// As for `commit`.
    pub async fn import(
        &self,
        pets: Vec<Profile>,
        key: &str,
        signer: impl Into<Signer>,
    ) -> Result<(), WriteError> {
        let (answer, outcome) = oneshot::channel();
        let pending = PendingImport {
            pets,
            key: key.to_owned(),
            signer: signer.into(),
            answer,
        };
        self.enqueue(QueueItem::Import(Box::new(pending)))?;
        outcome.await.unwrap_or(Err(WriteError::Stopping))
    }

    fn enqueue(&self, item: QueueItem) -> Result<(), WriteError> {
        // The thread may be busy resolving a commit whose acknowledgement was lost.
        if self.hub.is_engine_unresponsive() {
            return Err(WriteError::Unavailable);
        }
        self.queue.try_send(item).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => WriteError::Busy,
            mpsc::error::TrySendError::Closed(_) => WriteError::Stopping,
        })
    }

    /// Ends the writer after the commands that wait already; later ones are answered `Stopping`.
    pub async fn stop(&self) {
        // Fails only if the thread has ended.
        let _ = self.queue.send(QueueItem::Stop).await;
    }
}

/// Commits `commands`, each for one pet, in few transactions, without a writer's thread: fills a new
/// store before anyone else can write to it. Blocks on the disk.
///
/// # Errors
/// The first failure; that transaction and those after it are then not in the store.
pub fn commit_all(
    engine: &dyn Engine,
    hub: &Hub,
    commands: &[Command],
    by: ChangeSource,
) -> Result<(), WriteError> {
    for chunk in commands.chunks(MAX_COMMIT_CREATIONS) {
        let mut decision = Decision::new(hub);
        for command in chunk {
            decision.decide(command, None, by.into())?;
        }
        decision.commit(engine).map_err(|error| {
            tracing::error!(%error, "cannot fill the new store");
            WriteError::from_store(&error)
        })?;
    }
    Ok(())
}

/// The state of the writer's thread.
struct WriterThread {
    engine: Arc<dyn Engine>,
    hub: Arc<Hub>,
    maintenance: Maintenance,
    /// Limits the wait for commands to the time until the next maintenance.
    timer: Runtime,
}

impl WriterThread {
    /// Carries out what is queued until `Stop`, or until every `Writer` is dropped.
    fn run(mut self, mut queue: mpsc::Receiver<QueueItem>) {
        let mut batch = Vec::with_capacity(BATCH_LIMIT);
        loop {
            let due = self.maintenance.next_due();
            let received = self.timer.block_on(async {
                let receiving = queue.recv_many(&mut batch, BATCH_LIMIT);
                timeout_at(due.into(), receiving).await
            });
            let is_closed = received == Ok(0);
            if is_closed || self.process(batch.drain(..)) {
                self.maintenance.close();
                return;
            }
            self.maintenance.run();
        }
    }

    /// Commits what was queued, imports last, and returns true if it is the last.
    fn process(&mut self, items: impl Iterator<Item = QueueItem>) -> bool {
        let mut is_stopping = false;
        let (mut batches, mut imports) = (Vec::<Vec<PendingCommand>>::new(), Vec::new());
        for item in items {
            match item {
                QueueItem::Stop => is_stopping = true,
                QueueItem::Import(pending) => imports.push(*pending),
                QueueItem::Command(pending) => match batches.last_mut() {
                    Some(batch) if !pending.command.is_bulk() && !batch[0].command.is_bulk() => {
                        batch.push(*pending);
                    }
                    _ => batches.push(vec![*pending]),
                },
            }
        }
        for batch in batches {
            for conflicting in self.commit_batch(batch) {
                self.commit_alone(conflicting);
            }
        }
        for pending in imports {
            pending.commit(self);
        }
        is_stopping
    }

    /// Decides `commands` and commits them as one transaction. Returns the commands of a batch that
    /// conflicts with another node's commit.
    fn commit_batch(&mut self, commands: Vec<PendingCommand>) -> Vec<PendingCommand> {
        let hub = Arc::clone(&self.hub);
        let refreshed = refresh_authorizations(&commands);
        let mut authorizations = commands
            .iter()
            .filter_map(|pending| pending.signer.authorization());
        let status_age = authorizations.next().and_then(Authorization::status_age);
        let mut decision = Decision::new(&hub).with_status_age(status_age);
        let (mut decided, mut guards) = (Vec::new(), Vec::new());
        for pending in commands {
            let outcome = pending.check(&refreshed).and_then(|guard| {
                guards.extend(guard);
                let signature = pending.signer.signature.clone();
                decision.decide(&pending.command, pending.key.as_ref(), signature)
            });
            match outcome {
                Ok(Decided::Done(committed)) => pending.answer(Ok(committed)),
                Ok(Decided::Changes(places)) => decided.push((pending, places)),
                Err(error) => pending.answer(Err(error)),
            }
        }
        let committed = self.commit(&decision);
        // Revocations that waited for this commit are answered now.
        drop(guards);
        match committed {
            Ok(revs) => {
                for (pending, places) in decided {
                    pending.answer(Ok(decision.committed(&places, &revs)));
                }
                Vec::new()
            }
            Err(WriteError::Conflict) => decided.into_iter().map(|(pending, _)| pending).collect(),
            Err(error) => {
                for (pending, _) in decided {
                    pending.answer(Err(error.clone()));
                }
                Vec::new()
            }
        }
    }

    /// Decides and commits one command until it no longer conflicts. A command of the simulator is
    /// not retried: the conflict means that another node runs the simulator too.
    fn commit_alone(&mut self, pending: PendingCommand) {
        let retries = if pending.signer.signature.by == ChangeSource::Simulator {
            0
        } else {
            CONFLICT_RETRIES
        };
        let mut conflicting = vec![pending];
        for _ in 0..retries {
            conflicting = self.commit_batch(conflicting);
        }
        for pending in conflicting {
            pending.answer(Err(WriteError::Conflict));
        }
    }

    /// Commits the changes of `decision`. During an outage, refuses them immediately.
    fn commit(&mut self, decision: &Decision<'_>) -> Result<Vec<Rev>, WriteError> {
        let count = decision.len();
        if count == 0 {
            return Ok(Vec::new());
        }
        self.maintenance.check_writable(count)?;
        decision
            .commit(&*self.engine)
            .map_err(|error| match &error {
                StoreError::Conflict => WriteError::Conflict,
                // No outage: the next change may be accepted.
                StoreError::Rejected(_) => {
                    tracing::error!(%error, "the engine rejected a change; it was not published");
                    WriteError::Rejected
                }
                _ => self.maintenance.begin_outage(&error, count),
            })
    }
}

/// Fetches the revocations of other nodes, if a command of the batch has a permission that another
/// node can revoke.
fn refresh_authorizations(commands: &[PendingCommand]) -> Result<(), WriteError> {
    let mut authorizations = commands
        .iter()
        .filter_map(|pending| pending.signer.authorization());
    authorizations.next().map_or(Ok(()), Authorization::refresh)
}

impl PendingCommand {
    /// Checks the permission of the signer, if it is one that can be revoked.
    fn check(&self, refreshed: &Result<(), WriteError>) -> Result<Option<CommitGuard>, WriteError> {
        let Some(authorization) = self.signer.authorization() else {
            return Ok(None);
        };
        refreshed.clone()?;
        authorization.check().map(Some)
    }

    fn answer(self, outcome: Result<Committed, WriteError>) {
        // Fails if the caller is gone; the command was carried out anyway.
        let _ = self.answer.send(outcome);
    }
}
