//! Commits an atomic batch, and resolves its outcome from the stream when the acknowledgement is
//! lost.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::batch;
use super::expected::Expected;
use super::node::Node;
use super::state::StreamState;
use super::subjects::PETS;
use crate::model::Rev;
use crate::store::{AppliedChange, StoreError};

/// How long the stream is searched for the outcome of a commit.
const LOOKED_UP_FOR: Duration = Duration::from_secs(5);

/// Commits `puts`, decided at `read`, as one batch, and waits until this node has shown them.
pub async fn commit(
    node: &Node,
    read: Rev,
    proposed: &[AppliedChange],
) -> Result<Vec<Rev>, StoreError> {
    node.reach.check_to_write().await?;
    let commit = match Commit::begin(node, read, proposed) {
        Ok(commit) => commit,
        Err(error) => {
            until_all_shown(node).await;
            return Err(error);
        }
    };
    node.reach.set_writing(Some(Instant::now()));
    let committed = commit.send().await;
    node.reach.set_writing(None);
    node.known().ops.remove(&commit.op);
    let last = committed?;
    // It was stored, so the engine works now.
    node.reach.hear(Instant::now());
    node.until_shown(last).await;
    let first = last + 1 - proposed.len() as u64;
    Ok((first..=last).map(Rev::new).collect())
}

/// Waits until everything that the stream has was shown, for a moment at most.
async fn until_all_shown(node: &Node) {
    let newest = StreamState::ask(&node.link, &PETS).await;
    node.until_shown(newest.map_or(0, |state| state.last_seq))
        .await;
}

struct Commit<'a> {
    node: &'a Node,
    /// Its name, by which the node knows its messages when they come by.
    op: String,
    read: Rev,
    proposed: &'a [AppliedChange],
    expected: Expected,
}

impl<'a> Commit<'a> {
    /// Has the node wait for the messages of a commit that is to be sent.
    fn begin(node: &'a Node, read: Rev, proposed: &'a [AppliedChange]) -> Result<Self, StoreError> {
        let op = batch::new_op();
        let mut known = node.known();
        let expected = known.expect(read, proposed)?;
        known.ops.insert(op.clone(), Vec::new());
        Ok(Commit {
            node,
            op,
            read,
            proposed,
            expected,
        })
    }

    /// Sends its messages, and finds out what came of them: the number of the last.
    async fn send(&self) -> Result<u64, StoreError> {
        match self.send_once().await {
            Err(StoreError::Unknown(reason)) => {
                // Whoever comes now is refused, and does not wait behind this one.
                self.node.reach.mark_suspect();
                tracing::warn!(
                    write.op = self.op,
                    reason,
                    "no ack for a write; searching the stream for it"
                );
                self.resolve(reason).await
            }
            Err(StoreError::Conflict) => {
                let reason = "a server refused it for a change that is not there".to_owned();
                self.resolve(reason).await
            }
            Err(StoreError::Unavailable(reason)) => {
                // No server leads. Whoever comes now is refused until the engine has answered.
                self.node.reach.mark_suspect();
                Err(StoreError::Unavailable(reason))
            }
            Err(StoreError::Full(reason)) => Err(self.explain_full(reason).await),
            sent => sent,
        }
    }

    /// Sends its messages, unless the outcome shows in the stream first.
    async fn send_once(&self) -> Result<u64, StoreError> {
        let messages = self.expected.compose(self.proposed);
        tokio::select! {
            biased;
            sent = batch::send(&self.node.link, &self.op, messages) => sent.map_err(batch::explain),
            last = self.until_seen() => last,
        }
    }

    /// Finds the outcome: either its messages are in the stream, or another message of one of their
    /// subjects, after which they cannot be stored any more. Sends them again whenever the engine has
    /// answered: if they were not stored, they are stored now, and otherwise their preconditions no
    /// longer hold, so that they are never stored twice.
    ///
    /// Also for one that was refused for a conflict: a server that led until a moment ago, and does
    /// not know yet that another leads, refuses what that one takes.
    ///
    /// # Errors
    /// `Conflict`; `Unknown` if the outcome does not show in time.
    async fn resolve(&self, reason: String) -> Result<u64, StoreError> {
        let sending_again = async {
            let mut asked = Instant::now();
            loop {
                self.node.reach.until_heard_after(asked).await;
                asked = Instant::now();
                let sent = self.send_once().await;
                match sent {
                    Ok(last) => return last,
                    // No error of a retry tells whether the first attempt was stored.
                    Err(error) => {
                        tracing::debug!(write.op = self.op, %error, "a write was sent again, without an ack")
                    }
                }
            }
        };
        let resolving = async {
            tokio::select! {
                biased;
                seen = self.until_seen() => seen,
                last = sending_again => Ok(last),
            }
        };
        let resolved = timeout(LOOKED_UP_FOR, resolving).await;
        resolved.unwrap_or(Err(StoreError::Unknown(reason)))
    }

    /// Waits until the outcome shows in the messages that this node passes.
    async fn until_seen(&self) -> Result<u64, StoreError> {
        let mut shown = self.node.shown.subscribe();
        loop {
            match self.what_is_seen() {
                Some(Ok(last)) => return Ok(last),
                Some(Err(beaten)) => {
                    self.node.until_shown(beaten.by).await;
                    return Err(StoreError::Conflict);
                }
                None => {}
            }
            // Fails only when the node is gone, and whoever waits with it.
            if shown.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// What became of it, as far as messages were passed: the last of its own, if all are there.
    fn what_is_seen(&self) -> Option<Result<u64, Beaten>> {
        let known = self.node.known();
        let seqs = known.ops.get(&self.op)?;
        if seqs.len() == self.expected.messages() {
            return seqs.last().copied().map(Ok);
        }
        let again = known.expect(self.read, self.proposed);
        let is_still_so = again.is_ok_and(|again| again == self.expected);
        (seqs.is_empty() && !is_still_so).then_some(Err(Beaten { by: known.seq }))
    }

    /// What it came to when there was no room for it. One server alone that comes to its limit in
    /// the middle of a batch keeps what it has of it; three of them take a batch or do not.
    async fn explain_full(&self, reason: String) -> StoreError {
        until_all_shown(self.node).await;
        match self.node.known().ops.get(&self.op) {
            Some(seqs) if seqs.is_empty() => StoreError::Full(reason),
            _ => StoreError::Unknown(reason),
        }
    }
}

/// Another message of one of the subjects was there first: at the latest `by`.
struct Beaten {
    by: u64,
}
