//! Commits an atomic batch, and resolves its outcome from the stream when the ack is lost.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::batch::{self, BatchMessage, batch_error};
use super::layout::StreamState;
use super::record::encode_change;
use super::replica::Replica;
use super::subjects::{NEXT_PET, PETS, TICK};
use crate::model::Rev;
use crate::store::{AppliedChange, StoreError};

/// How long the outcome of a commit is searched for.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

/// The sequence numbers of the last messages that a commit was decided on; 0 for none.
#[derive(Debug, PartialEq, Eq)]
pub struct BatchPreconditions {
    /// The record of the next id, if a pet is created.
    pub next_pet: Option<u64>,
    /// The record of the tick, if the simulator commits: of two nodes that both believe to hold the
    /// lease, only one can move it.
    pub tick: Option<u64>,
    /// The pet of each change; `None` if an earlier change of the batch is about the same pet.
    pub pets: Vec<Option<u64>>,
}

impl BatchPreconditions {
    /// Returns the number of messages of the commit.
    pub fn message_count(&self) -> usize {
        usize::from(self.next_pet.is_some()) + usize::from(self.tick.is_some()) + self.pets.len()
    }

    /// Returns the messages that commit `proposed`: the records that it moves, then its changes.
    pub fn messages(&self, proposed: &[AppliedChange]) -> Vec<BatchMessage> {
        let mut messages = Vec::with_capacity(self.message_count());
        if let Some(seq) = self.next_pet {
            let next = proposed
                .iter()
                .map(|applied| applied.change.pet.next())
                .max();
            let next = next.map(|id| id.to_string()).unwrap_or_default();
            messages.push(BatchMessage::new(NEXT_PET, next.into_bytes()).expect_subject_at(seq));
        }
        if let Some(seq) = self.tick {
            messages.push(BatchMessage::new(TICK, b"tick".to_vec()).expect_subject_at(seq));
        }
        let leading = messages.len();
        for (applied, expected) in proposed.iter().zip(&self.pets) {
            let message = encode_change(applied, leading);
            messages.push(match expected {
                Some(seq) => message.expect_subject_at(*seq),
                None => message,
            });
        }
        messages
    }
}

/// Commits `proposed`, decided at `read`, and waits until this node has shown it. Returns the revs.
///
/// # Errors
/// See `Engine::commit`.
pub async fn commit(
    replica: &Replica,
    read: Rev,
    proposed: &[AppliedChange],
) -> Result<Vec<Rev>, StoreError> {
    replica.health.check_writable().await?;
    let commit = match Commit::begin(replica, read, proposed) {
        Ok(commit) => commit,
        Err(error) => {
            wait_until_current(replica).await;
            return Err(error);
        }
    };
    replica.health.set_writing(Some(Instant::now()));
    let committed = commit.run().await;
    replica.health.set_writing(None);
    replica.state().ops.remove(&commit.op);
    let last = committed?;
    // The engine has just stored something.
    replica.health.record_answer(Instant::now());
    replica.wait_until_shown(last).await;
    let first = last + 1 - proposed.len() as u64;
    Ok((first..=last).map(Rev::new).collect())
}

/// Waits, for a limited time, until this node has shown everything in the stream.
async fn wait_until_current(replica: &Replica) {
    let state = StreamState::request(&replica.client, &PETS).await;
    let last = state.map_or(0, |state| state.last_seq);
    replica.wait_until_shown(last).await;
}

/// A commit in progress.
struct Commit<'a> {
    replica: &'a Replica,
    /// The name by which the replica recognizes the messages of this commit.
    op: String,
    read: Rev,
    proposed: &'a [AppliedChange],
    preconditions: BatchPreconditions,
}

impl<'a> Commit<'a> {
    /// Registers the commit with the replica, which then records its messages.
    fn begin(
        replica: &'a Replica,
        read: Rev,
        proposed: &'a [AppliedChange],
    ) -> Result<Self, StoreError> {
        let op = batch::new_op();
        let mut state = replica.state();
        let preconditions = state.preconditions(read, proposed)?;
        state.ops.insert(op.clone(), Vec::new());
        Ok(Commit {
            replica,
            op,
            read,
            proposed,
            preconditions,
        })
    }

    /// Sends the messages and resolves their outcome. Returns the sequence number of the last.
    async fn run(&self) -> Result<u64, StoreError> {
        match self.send().await {
            Err(StoreError::Unknown(reason)) => {
                // Until the engine answers again, further commits fail immediately.
                self.replica.health.mark_suspect();
                tracing::warn!(
                    write.op = self.op,
                    reason,
                    "no ack for a write; searching the stream for it"
                );
                self.resolve(reason).await
            }
            Err(StoreError::Conflict) => {
                let reason = "refused for a change that is not in the stream".to_owned();
                self.resolve(reason).await
            }
            Err(StoreError::Unavailable(reason)) => {
                // There is no leader. Until the engine answers, further commits fail immediately.
                self.replica.health.mark_suspect();
                Err(StoreError::Unavailable(reason))
            }
            Err(StoreError::Full(reason)) => Err(self.resolve_full(reason).await),
            sent => sent,
        }
    }

    /// Sends the messages and waits for the ack, or for the outcome to show in the stream.
    async fn send(&self) -> Result<u64, StoreError> {
        let messages = self.preconditions.messages(self.proposed);
        tokio::select! {
            biased;
            sent = batch::send(&self.replica.client, &self.op, messages) => sent.map_err(batch_error),
            last = self.wait_for_outcome() => last,
        }
    }

    /// Resolves an unknown outcome: either the messages of the commit are in the stream, or another
    /// message of one of their subjects is, after which they cannot be stored any more. Sends them
    /// again whenever the engine has answered: if they were not stored, they are stored now, and
    /// otherwise their preconditions no longer hold, so they are never stored twice.
    ///
    /// A conflict is resolved in the same way: a server that led until a moment ago, and does not know
    /// yet that another leads, refuses what the new leader accepts.
    ///
    /// # Errors
    /// `Conflict`; `Unknown` if the outcome does not show in time.
    async fn resolve(&self, reason: String) -> Result<u64, StoreError> {
        let retry = async {
            let mut sent_at = Instant::now();
            loop {
                self.replica.health.wait_for_answer_after(sent_at).await;
                sent_at = Instant::now();
                match self.send().await {
                    Ok(last) => return last,
                    // The error of a retry does not show whether an earlier attempt was stored.
                    Err(error) => tracing::debug!(
                        write.op = self.op,
                        %error,
                        "a write that was sent again has failed; its outcome is still unknown"
                    ),
                }
            }
        };
        let resolve = async {
            tokio::select! {
                biased;
                outcome = self.wait_for_outcome() => outcome,
                last = retry => Ok(last),
            }
        };
        let resolved = timeout(RESOLVE_TIMEOUT, resolve).await;
        resolved.unwrap_or(Err(StoreError::Unknown(reason)))
    }

    /// Waits until the messages that this node applies show the outcome.
    async fn wait_for_outcome(&self) -> Result<u64, StoreError> {
        let mut shown = self.replica.shown.subscribe();
        loop {
            match self.outcome() {
                Some(Ok(last)) => return Ok(last),
                Some(Err(conflict)) => {
                    self.replica.wait_until_shown(conflict).await;
                    return Err(StoreError::Conflict);
                }
                None => {}
            }
            // Fails only when the node has ended, and the caller with it.
            if shown.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Returns the outcome as far as messages were applied: the sequence number of the commit's last
    /// message, or one by which another message of its subjects was stored first.
    fn outcome(&self) -> Option<Result<u64, u64>> {
        let state = self.replica.state();
        let seqs = state.ops.get(&self.op)?;
        if seqs.len() == self.preconditions.message_count() {
            return seqs.last().copied().map(Ok);
        }
        let current = state.preconditions(self.read, self.proposed);
        let still_hold = current.is_ok_and(|current| current == self.preconditions);
        (seqs.is_empty() && !still_hold).then_some(Err(state.seq))
    }

    /// Resolves a commit for which there was no space. A single server that reaches its limit in the
    /// middle of a batch keeps a part of the batch; three servers store all of it or nothing.
    async fn resolve_full(&self, reason: String) -> StoreError {
        wait_until_current(self.replica).await;
        match self.replica.state().ops.get(&self.op) {
            Some(seqs) if seqs.is_empty() => StoreError::Full(reason),
            _ => StoreError::Unknown(reason),
        }
    }
}
