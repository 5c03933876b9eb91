//! The single writer: decides, commits, publishes, answers, in this order.
//!
//! Commands wait in one bounded queue. The writer's thread takes everything that waits, turns it
//! into changes against the board, commits them as one durable transaction, which also has the
//! engine show them to the hub, and only then answers the callers. One sync of the disk so serves
//! many commands, and nobody is shown a change that a crash could take back.
//!
//! Where other nodes write too, one of them may be faster. What conflicts with that is decided
//! anew, each command for itself.
//!
//! When the disk refuses, everything that is asked is refused with it until the disk has been
//! proved to work again; see `outage`.

mod authorization;
mod command;
mod decision;
mod key;
mod outage;
mod retention;
mod run;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

pub use self::authorization::{Authorization, CommitGuard, InFlight, Signer};
pub use self::command::{Command, Committed, Expected, WriteError};
use self::decision::Decision;
pub use self::key::IdempotencyKey;
use self::run::Run;
use crate::clock::Clock;
use crate::hub::Hub;
use crate::model::ChangeSource;
use crate::store::{Engine, MAX_COMMIT_CHANGES};

/// Commands that may wait for the writer; the next one is answered `Busy`. At the slowest disk we
/// planned for (2 s a sync, and two of them a commit) this is 16 s of waiting, after which a
/// caller is better off with an answer.
const QUEUE_LIMIT: usize = 1024;

/// Commands committed in one transaction at most, so that an answer never waits for more than
/// this many others.
const BATCH_LIMIT: usize = 256;

/// Sends commands to the writer. Cheap to clone.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Queued>,
    hub: Arc<Hub>,
}

enum Queued {
    Request(Box<Request>),
    /// Everything queued before it is still carried out.
    Stop,
}

/// A command that waits, and where its answer goes.
struct Request {
    command: Command,
    key: Option<IdempotencyKey>,
    signer: Signer,
    answer: oneshot::Sender<Answer>,
}

type Answer = Result<Committed, WriteError>;

impl Writer {
    /// Starts the writer's thread, which keeps every change. It ends after `stop`; join the handle
    /// to know that it has.
    ///
    /// # Errors
    /// When the operating system gives no thread, or no clock for it.
    pub fn start(
        engine: Arc<dyn Engine>,
        hub: Arc<Hub>,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        Writer::start_keeping(engine, hub, None, Clock::system())
    }

    /// The same, and forgets changes that are more than `history` older than the newest. Counts
    /// the jumps of the wall clock of `clock`.
    ///
    /// # Errors
    /// As for `start`.
    pub fn start_keeping(
        engine: Arc<dyn Engine>,
        hub: Arc<Hub>,
        history: Option<Duration>,
        clock: Clock,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (queue, queued) = mpsc::channel(QUEUE_LIMIT);
        let run = Run::new(engine, Arc::clone(&hub), history, clock)?;
        let thread = Builder::new()
            .name("writer".to_owned())
            .spawn(move || run.carry_out(queued))?;
        Ok((Writer { queue, hub }, thread))
    }

    /// Whether the writer runs and the disk takes what it writes.
    pub fn is_writable(&self) -> bool {
        self.hub.metrics().writable.get() == 1 && self.is_running()
    }

    /// Whether the writer's thread takes commands, whatever becomes of them.
    pub fn is_running(&self) -> bool {
        !self.queue.is_closed()
    }

    /// Commits one command. Dropping the future does not take the command back.
    ///
    /// # Errors
    /// `Unavailable` at once when the engine does not answer, `Busy` when the queue is full,
    /// `Stopping` when the writer has ended, `SignedOut` or `NotInScope` when the signer's
    /// permission was revoked meanwhile, and what the command itself can fail with.
    pub async fn commit(&self, command: Command, signer: impl Into<Signer>) -> Answer {
        self.commit_once(command, None, signer).await
    }

    /// Commits one command, unless a command with the same key was committed within the last day, on
    /// any node: then the answer is that of the first command.
    ///
    /// # Errors
    /// `KeyReused` for a key of another command, and those of `commit`.
    pub async fn commit_once(
        &self,
        command: Command,
        key: Option<IdempotencyKey>,
        signer: impl Into<Signer>,
    ) -> Answer {
        // The writer may be looking for a write whose answer did not come.
        if self.hub.is_out_of_reach() {
            return Err(WriteError::Unavailable);
        }
        let (answer, answered) = oneshot::channel();
        let request = Request {
            command,
            key,
            signer: signer.into(),
            answer,
        };
        let queued = Queued::Request(Box::new(request));
        self.queue.try_send(queued).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => WriteError::Busy,
            mpsc::error::TrySendError::Closed(_) => WriteError::Stopping,
        })?;
        answered.await.unwrap_or(Err(WriteError::Stopping))
    }

    /// Ends the writer after what waits already; later commands are answered `Stopping`.
    pub async fn stop(&self) {
        // Fails only when it has ended before.
        let _ = self.queue.send(Queued::Stop).await;
    }
}

/// Commits `commands` in as few transactions as the engine takes, without a writer's thread: for
/// filling a new store before anyone can write to it. Blocks on the disk.
///
/// # Errors
/// The first failure; then nothing of that transaction, and of those after it, is there.
pub fn commit_all(
    engine: &dyn Engine,
    hub: &Hub,
    commands: &[Command],
    by: ChangeSource,
) -> Result<(), WriteError> {
    for some in commands.chunks(MAX_COMMIT_CHANGES) {
        let mut decision = Decision::new(hub);
        for command in some {
            decision.decide(command, None, by.into())?;
        }
        decision.commit(engine).map_err(|error| {
            tracing::error!(%error, "a new store could not be filled");
            WriteError::of_store(&error)
        })?;
    }
    Ok(())
}

impl Request {
    fn answer(self, answer: Answer) {
        // The caller may be gone; its command was still carried out.
        let _ = self.answer.send(answer);
    }
}
