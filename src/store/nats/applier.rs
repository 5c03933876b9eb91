//! The applier of a node: passes every message of the stream in order, whoever wrote it, and shows
//! what it changes.
//!
//! Messages come over a plain subscription to what the stream publishes once more. That may lose
//! some, so whatever is missing is read from the stream: when a later one comes, or when the
//! stream, which is asked once a second, turns out to be ahead. Nothing in the servers belongs to
//! this node, so nothing there has to be found again when one of them dies.

#[cfg(test)]
mod tests;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Subscriber;
use futures_util::{FutureExt, StreamExt};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use super::hole::is_next;
use super::link::Link;
use super::message::Entry;
use super::node::Node;
use super::read::{self, StreamState};
use super::subjects::PETS;
use super::{epoch, layout};
use crate::model::{Change, Epoch, Moment};
use crate::store::StoreError;

/// How often the stream is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long the engine may be out of reach before viewers are told.
const STALE_AFTER: Duration = Duration::from_secs(5);

/// Messages that are shown together, and that are read at once to fill a hole.
const SHOWN_AT_ONCE: usize = 256;
const FILLED_AT_ONCE: usize = 256;

/// Looks in a row at which the stream must be behind this node, or have another epoch: a server
/// that was leader until a moment ago, or has a copy that is behind, may say so once.
const LOOKS_BEHIND: u32 = 3;

pub struct Applier {
    node: Arc<Node>,
    live: Subscriber,
    /// Of everything that was shown.
    epoch: Option<Epoch>,
    heard: Instant,
    heard_at: Moment,
    is_stale: bool,
    /// What the last look failed with.
    why: Option<String>,
    looks_behind: u32,
    /// Up to here changes are shown as whole pets: something before them was forgotten.
    whole_until: u64,
    /// The last connection at which servers were found to be too old; 0 for none.
    too_old_at: u64,
}

impl Applier {
    /// `live` was subscribed before the snapshot was loaded that the node starts from.
    pub fn new(node: Arc<Node>, live: Subscriber) -> Self {
        let epoch = node.known().epoch;
        Applier {
            node,
            live,
            epoch,
            heard: Instant::now(),
            heard_at: Moment::now(),
            is_stale: false,
            why: None,
            looks_behind: 0,
            whole_until: 0,
            too_old_at: 0,
        }
    }

    /// Runs until it is dropped.
    pub async fn run(mut self) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let passed = tokio::select! {
                message = self.live.next() => match message {
                    Some(message) => self.take(message).await,
                    // The client has ended, and the node with it.
                    None => return,
                },
                _ = look.tick() => self.look().await,
            };
            if let Err(error) = passed {
                self.note(&error);
            }
        }
    }

    /// Notes why the log could not be followed. Servers that are too old do not pass by themselves:
    /// whoever runs the node reads of them, once for each connection.
    fn note(&mut self, error: &StoreError) {
        let connection = self.node.link.connection();
        if matches!(error, StoreError::TooOld { .. }) && self.too_old_at != connection {
            self.too_old_at = connection;
            tracing::error!(%error, "the engine is not written to");
        } else {
            tracing::debug!(%error, "the engine's log cannot be followed for a moment");
        }
    }

    /// Passes a message that was just stored, and those that came with it.
    async fn take(&mut self, first: async_nats::Message) -> Result<(), StoreError> {
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
                next = self.live.next().now_or_never().flatten();
            }
        }
        self.show(&changes).await
    }

    /// Passes what is missing up to `upto`, out of the stream, as far as the server that answers
    /// has it.
    async fn fill(&mut self, upto: u64) -> Result<(), StoreError> {
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
            for entry in entries {
                if !is_next(next, &entry) {
                    // How far the stream was then is not known before the next look.
                    self.whole_until = u64::MAX;
                    // A commit may be among what was forgotten.
                    self.node.known().ops.clear();
                }
                next = entry.seq + 1;
                changes.extend(self.pass(&entry));
            }
            self.show(&changes).await?;
        }
    }

    /// Passes the next message. One that no pet-store wrote is passed over, and what came before
    /// and after it is shown all the same.
    fn pass(&self, entry: &Entry) -> Option<Change> {
        let passed = read_as(self.node.known().pass(entry))??;
        Some(match entry.seq <= self.whole_until {
            true => passed.into_whole(),
            false => passed.change,
        })
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

    /// Asks the stream how far it is, and goes there.
    async fn look(&mut self) -> Result<(), StoreError> {
        let node = Arc::clone(&self.node);
        let mut asking = pin!(ask(&node.link));
        // An answer may be long in coming; that it is time to tell viewers does not wait for it.
        let state = match timeout_at(self.heard + STALE_AFTER, &mut asking).await {
            Ok(state) => state,
            Err(_) => {
                self.tell_reach();
                asking.await
            }
        };
        let went = match state {
            Ok(state) => {
                let silence = state.silence;
                self.go_to(state).await.map(|is_there| (is_there, silence))
            }
            Err(error) => Err(error),
        };
        if let Ok((true, silence)) = went {
            self.node.reach.hear();
            self.heard = Instant::now().checked_sub(silence).unwrap_or(self.heard);
            let silence_micros = i64::try_from(silence.as_micros()).unwrap_or_default();
            self.heard_at = Moment::from_micros(Moment::now().micros() - silence_micros);
        }
        self.why = went.as_ref().err().map(StoreError::to_string);
        self.tell_reach();
        went.map(drop)
    }

    /// Has viewers told when the engine has been out of reach for too long, and when it is back.
    fn tell_reach(&mut self) {
        let is_stale = self.heard.elapsed() >= STALE_AFTER;
        if is_stale != self.is_stale {
            self.is_stale = is_stale;
            let why = self.why.as_deref().unwrap_or("it does not answer");
            self.node.tell_reach(is_stale.then_some(self.heard_at), why);
        }
    }

    /// Whether everything up to `state` was passed.
    async fn go_to(&mut self, state: StreamState) -> Result<bool, StoreError> {
        let (created, seq) = {
            let known = self.node.known();
            (known.created.clone(), known.seq)
        };
        if state.created != created {
            tracing::warn!("the engine's stream was made anew; everyone is given a snapshot");
            epoch::ensure(&self.node.link).await?;
            self.begin_anew().await?;
        } else if state.last_seq < seq || self.has_other_epoch().await? {
            self.looks_behind += 1;
            if self.looks_behind < LOOKS_BEHIND {
                // What would be written now might take a number that was shown for something else.
                self.node.reach.doubt();
                return Ok(false);
            }
            match state.last_seq < seq {
                true => self.begin_epoch().await?,
                false => self.begin_anew().await?,
            }
        } else {
            // Asked after the hole was found: what was forgotten in it had later messages by then.
            self.whole_until = self.whole_until.min(state.last_seq);
            self.fill(state.last_seq).await?;
        }
        self.looks_behind = 0;
        Ok(self.node.known().seq >= state.last_seq)
    }

    /// Whether another node has begun an epoch that this one was not told of: the record of it has
    /// taken a number that this node knew for something else.
    async fn has_other_epoch(&self) -> Result<bool, StoreError> {
        let last = epoch::last(&self.node.link).await?;
        Ok(last.is_some_and(|begun| Some(begun.epoch) != self.epoch))
    }

    /// The stream has forgotten what was shown: what it gives out from now on has other numbers for
    /// other things, so the epoch is another.
    async fn begin_epoch(&mut self) -> Result<(), StoreError> {
        tracing::error!("the engine has forgotten changes that were shown; a new epoch begins");
        epoch::end(&self.node.link, self.node.epoch()).await?;
        self.begin_anew().await
    }

    /// Starts over from everything that is true now.
    async fn begin_anew(&mut self) -> Result<(), StoreError> {
        let snapshot = self.node.load().await?;
        self.epoch = self.node.known().epoch;
        self.whole_until = 0;
        self.node.begin_anew(snapshot);
        Ok(())
    }
}

/// What was read, unless no pet-store wrote it, of which the log is told.
fn read_as<T>(read: Result<T, StoreError>) -> Option<T> {
    read.inspect_err(|error| tracing::error!(%error, "a message of the engine is passed over"))
        .ok()
}

/// How far the stream is, if its servers are still ones that are new enough.
async fn ask(link: &Link) -> Result<StreamState, StoreError> {
    layout::check_servers(link).await?;
    Ok(read::state(link, &PETS).await?)
}
