//! The single writer: decides, commits, publishes, answers, in this order.
//!
//! Commands wait in one bounded queue. The writer's thread takes everything that waits, turns it
//! into changes against the board, commits them as one durable transaction, publishes them to the
//! hub and only then answers the callers. One sync of the disk so serves many commands, and
//! nobody is shown a change that a crash could take back.

mod command;
mod decision;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use tokio::sync::{mpsc, oneshot};

pub use self::command::{Command, Committed, WriteError};
use self::decision::Decision;
use crate::hub::Hub;
use crate::model::{By, Signature};
use crate::store::Engine;

/// Commands that may wait for the writer; the next one is answered `Busy`. At the slowest disk we
/// planned for (a sync every 2 s) this is 8 s of waiting, after which a caller is better off
/// with an answer.
const QUEUE_LIMIT: usize = 1024;

/// Commands committed in one transaction at most, so that an answer never waits for more than
/// this many others.
const BATCH_LIMIT: usize = 256;

/// Sends commands to the writer. Cheap to clone.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Queued>,
    /// Whether the last commit was written.
    is_writable: Arc<AtomicBool>,
}

enum Queued {
    Request(Request),
    /// Everything queued before it is still carried out.
    Stop,
}

/// A command that waits, and where its answer goes.
struct Request {
    command: Command,
    signature: Signature,
    answer: oneshot::Sender<Answer>,
}

type Answer = Result<Committed, WriteError>;

impl Writer {
    /// Starts the writer's thread. It ends after `stop`; join the handle to know that it has.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(
        engine: Arc<dyn Engine>,
        hub: Arc<Hub>,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (queue, queued) = mpsc::channel(QUEUE_LIMIT);
        let is_writable = Arc::new(AtomicBool::new(true));
        let told = Arc::clone(&is_writable);
        let thread = Builder::new()
            .name("writer".to_owned())
            .spawn(move || run(queued, &*engine, &hub, &told))?;
        Ok((Writer { queue, is_writable }, thread))
    }

    /// Whether the writer runs and its last commit reached the disk.
    pub fn is_writable(&self) -> bool {
        self.is_writable.load(Ordering::Relaxed) && !self.queue.is_closed()
    }

    /// Commits one command. Dropping the future does not take the command back.
    ///
    /// # Errors
    /// `Busy` at once when the queue is full, `Stopping` when the writer has ended, and what the
    /// command itself can fail with.
    pub async fn commit(&self, command: Command, signature: impl Into<Signature>) -> Answer {
        let (answer, answered) = oneshot::channel();
        let request = Request {
            command,
            signature: signature.into(),
            answer,
        };
        let queued = Queued::Request(request);
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

/// Commits `commands` as one transaction, without a writer's thread: for filling a new store
/// before anyone can write to it. Blocks on the disk.
///
/// # Errors
/// The first failure; then none of them is there.
pub fn commit_all(
    engine: &dyn Engine,
    hub: &Hub,
    commands: Vec<Command>,
    by: By,
) -> Result<(), WriteError> {
    let mut decision = Decision::new(hub);
    for command in commands {
        decision.take(command, by.into())?;
    }
    settle(engine, hub, decision)
}

fn run(
    mut queue: mpsc::Receiver<Queued>,
    engine: &dyn Engine,
    hub: &Hub,
    is_writable: &AtomicBool,
) {
    let mut batch = Vec::with_capacity(BATCH_LIMIT);
    let mut is_stopping = false;
    while !is_stopping && queue.blocking_recv_many(&mut batch, BATCH_LIMIT) > 0 {
        let mut decision = Decision::new(hub);
        let mut waiting = Vec::with_capacity(batch.len());
        for queued in batch.drain(..) {
            match queued {
                Queued::Stop => is_stopping = true,
                Queued::Request(request) => match decision.take(request.command, request.signature)
                {
                    Ok(committed) => waiting.push((request.answer, committed)),
                    Err(error) => answer(request.answer, Err(error)),
                },
            }
        }
        if waiting.is_empty() {
            continue;
        }
        let settled = settle(engine, hub, decision);
        is_writable.store(settled.is_ok(), Ordering::Relaxed);
        for (sender, committed) in waiting {
            answer(sender, settled.clone().map(|()| committed));
        }
    }
}

/// Makes the changes durable and then, and only then, shows them.
fn settle(engine: &dyn Engine, hub: &Hub, decision: Decision<'_>) -> Result<(), WriteError> {
    let changes = decision.into_changes();
    match engine.commit(&changes) {
        Ok(()) => {
            hub.metrics().commits.inc();
            hub.publish(&changes);
            Ok(())
        }
        Err(error) => {
            hub.metrics().commit_failures.inc();
            tracing::error!(%error, changes = changes.len(), "a commit failed; nothing was shown");
            Err(WriteError::Store)
        }
    }
}

fn answer(sender: oneshot::Sender<Answer>, answer: Answer) {
    // The caller may be gone; its command was still carried out.
    let _ = sender.send(answer);
}
