//! One commit of a node: sent as a batch, and looked for where nobody says what became of it.

use std::time::Duration;

use tokio::time::timeout;

use super::batch;
use super::expected::Expected;
use super::node::Node;
use super::state::StreamState;
use super::subjects::PETS;
use crate::model::Rev;
use crate::store::{Put, StoreError};

/// How long it is looked in the stream for what became of a commit.
const LOOKED_UP_FOR: Duration = Duration::from_secs(5);

/// Commits `puts`, decided at `read`, as one batch, and waits until this node has shown them.
pub async fn commit(node: &Node, read: Rev, puts: &[Put]) -> Result<Vec<Rev>, StoreError> {
    node.reach.check_to_write().await?;
    let commit = match Commit::begin(node, read, puts) {
        Ok(commit) => commit,
        Err(error) => {
            until_all_shown(node).await;
            return Err(error);
        }
    };
    let committed = commit.send().await;
    node.known().ops.remove(&commit.op);
    let last = committed?;
    node.reach.hear();
    node.until_shown(last).await;
    let first = last + 1 - puts.len() as u64;
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
    puts: &'a [Put],
    expected: Expected,
}

impl<'a> Commit<'a> {
    /// Has the node wait for the messages of a commit that is to be sent.
    fn begin(node: &'a Node, read: Rev, puts: &'a [Put]) -> Result<Self, StoreError> {
        let op = batch::new_op();
        let mut known = node.known();
        let expected = known.expect(read, puts)?;
        known.ops.insert(op.clone(), Vec::new());
        Ok(Commit {
            node,
            op,
            read,
            puts,
            expected,
        })
    }

    /// Sends its messages, and finds out what came of them: the number of the last.
    async fn send(&self) -> Result<u64, StoreError> {
        let messages = self.expected.compose(self.puts);
        let sent = batch::send(&self.node.link, &self.op, messages).await;
        match sent.map_err(batch::explain) {
            Err(StoreError::Unknown(reason)) => {
                // Whoever comes now is refused, and does not wait behind this one.
                self.node.reach.miss();
                tracing::warn!(op = self.op, reason, "what became of a write is looked for");
                self.look_up(reason).await
            }
            Err(StoreError::Conflict) => {
                let reason = "a server refused it for a change that is not there".to_owned();
                self.look_up(reason).await
            }
            Err(StoreError::Unavailable(reason)) => {
                // Nobody leads. Whoever comes now is refused until the engine was asked.
                self.node.reach.doubt();
                Err(StoreError::Unavailable(reason))
            }
            Err(StoreError::Full(reason)) => Err(self.explain_full(reason).await),
            sent => sent,
        }
    }

    /// Looks what became of it: whether its messages come by, or another of one of their subjects,
    /// after which they cannot be taken any more.
    ///
    /// Also of one that was refused for a conflict: a server that led until a moment ago, and does
    /// not know yet that this is over, refuses what the one that leads now takes.
    ///
    /// # Errors
    /// `Conflict`; `Unknown` when neither comes for long.
    async fn look_up(&self, reason: String) -> Result<u64, StoreError> {
        let mut shown = self.node.shown.subscribe();
        let seeing = async {
            loop {
                if let Some(seen) = self.what_is_seen() {
                    return seen;
                }
                // Fails only when the node is gone, and whoever waits with it.
                if shown.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        match timeout(LOOKED_UP_FOR, seeing).await {
            Ok(Ok(last)) => Ok(last),
            Ok(Err(beaten)) => {
                self.node.until_shown(beaten.by).await;
                Err(StoreError::Conflict)
            }
            Err(_) => Err(StoreError::Unknown(reason)),
        }
    }

    /// What became of it, as far as messages were passed: the last of its own, if all are there.
    fn what_is_seen(&self) -> Option<Result<u64, Beaten>> {
        let known = self.node.known();
        let seqs = known.ops.get(&self.op)?;
        if seqs.len() == self.expected.messages() {
            return seqs.last().copied().map(Ok);
        }
        let again = known.expect(self.read, self.puts);
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
