//! Passes messages in order, and shows what they change.

use std::sync::Arc;

use async_nats::{Message, Subscriber};
use futures_util::{FutureExt, StreamExt};

use crate::model::{Change, Epoch};
use crate::store::StoreError;
use crate::store::nats::hole::is_next;
use crate::store::nats::message::Entry;
use crate::store::nats::node::Node;
use crate::store::nats::read;
use crate::store::nats::subjects::PETS;

/// Messages that are shown together, and that are read at once to fill a hole.
const SHOWN_AT_ONCE: usize = 256;
const FILLED_AT_ONCE: usize = 256;

pub struct Passer {
    node: Arc<Node>,
    /// Of everything that was shown.
    epoch: Option<Epoch>,
}

impl Passer {
    /// One that goes on from what `node` was loaded with.
    pub fn new(node: Arc<Node>) -> Self {
        let epoch = node.known().epoch;
        Passer { node, epoch }
    }

    /// Whether what was shown is of another epoch than this.
    pub fn is_of_another(&self, epoch: Epoch) -> bool {
        self.epoch != Some(epoch)
    }

    /// Passes a message that was just stored, and those that `live` has brought with it.
    pub async fn take(&mut self, live: &mut Subscriber, first: Message) -> Result<(), StoreError> {
        let mut changes = Vec::new();
        let mut next = Some(first);
        while let Some(message) = next.take() {
            if let Some(entry) = read_as(read::read_live(message)) {
                let seq = self.node.known().seq;
                if entry.seq > seq + 1 {
                    self.show(&std::mem::take(&mut changes)).await?;
                    self.fill(entry.seq).await?;
                } else if entry.seq == seq + 1 {
                    changes.extend(self.pass(&entry));
                }
            }
            if changes.len() < SHOWN_AT_ONCE {
                next = live.next().now_or_never().flatten();
            }
        }
        self.show(&changes).await
    }

    /// Reads the missing messages up to `upto` from the stream, as far as the server that answers
    /// has them. If the stream has dropped a change among them, everyone gets a snapshot.
    pub async fn fill(&mut self, upto: u64) -> Result<(), StoreError> {
        loop {
            let mut next = self.node.known().seq + 1;
            if next > upto {
                return Ok(());
            }
            let entries = {
                let link = &self.node.link;
                read::following(link, &PETS, PETS.subjects, next, FILLED_AT_ONCE).await?
            };
            if entries.is_empty() {
                return Ok(());
            }
            let mut changes = Vec::new();
            let mut has_gap = false;
            for entry in entries {
                has_gap = !is_next(next, &entry);
                if has_gap {
                    break;
                }
                next = entry.seq + 1;
                changes.extend(self.pass(&entry));
            }
            self.show(&changes).await?;
            if has_gap {
                self.resync().await?;
            }
        }
    }

    /// Passes the next message. One that no pet-store wrote is passed over, and what came before
    /// and after it is shown all the same.
    fn pass(&self, entry: &Entry) -> Option<Change> {
        read_as(self.node.known().pass(entry))?.map(|passed| passed.change)
    }

    /// Shows what was passed; or everything, if what was passed says that the epoch is another.
    async fn show(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let epoch = self.node.known().epoch;
        if epoch == self.epoch {
            self.node.show(changes);
            return Ok(());
        }
        self.begin_anew().await
    }

    /// Starts over from everything that is true now.
    pub async fn begin_anew(&mut self) -> Result<(), StoreError> {
        let snapshot = self.node.load().await?;
        self.epoch = self.node.known().epoch;
        self.node.begin_anew(snapshot);
        Ok(())
    }

    /// Continues after a gap that cannot be filled, from the present state of the stream.
    ///
    /// # Errors
    /// `Unavailable` if the server that answers has no newer state than this node; the next look then
    /// finds the gap again.
    async fn resync(&mut self) -> Result<(), StoreError> {
        let after = self.node.known().seq;
        tracing::warn!(
            stream.sequence = after,
            "the engine dropped changes before this node could read them; every viewer gets a snapshot"
        );
        let (loaded, snapshot) = self.node.gather().await?;
        if loaded.seq <= after {
            return Err(StoreError::Unavailable("its copy is behind".to_owned()));
        }
        // The messages of an unacknowledged commit may be in the gap, so its outcome is unknown.
        *self.node.known() = loaded;
        self.epoch = self.node.known().epoch;
        self.node.begin_anew(snapshot);
        Ok(())
    }
}

/// What was read, unless no pet-store wrote it, of which the log is told.
fn read_as<T>(read: Result<T, StoreError>) -> Option<T> {
    read.inspect_err(|error| tracing::error!(%error, "a message of the engine is passed over"))
        .ok()
}
