//! The applier of a node: passes every message of the stream in order, whoever wrote it, and shows
//! what it changes.
//!
//! Messages come over a plain subscription to what the stream publishes once more. That may lose
//! some, so whatever is missing is read from the stream: when a later one comes, or when the
//! stream, which is asked every `LOOK_EVERY`, turns out to be ahead. Nothing in the servers belongs to
//! this node, so nothing there has to be found again when one of them dies.

mod clock;
mod passer;
mod silence;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Subscriber;
use futures_util::StreamExt;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use self::clock::ClockComparison;
use self::passer::Passer;
use self::silence::Silence;
use super::copies::unavailable;
use super::link::Link;
use super::node::Node;
use super::state::StreamState;
use super::subjects::PETS;
use super::{epoch, layout};
use crate::store::StoreError;

/// How often the stream is asked how far it is: often enough that an outage is known within a second.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// The first pause before the stream is asked again when it did not answer: exponential back-off up
/// to `LOOK_EVERY`.
const LOOK_AGAIN_FIRST: Duration = Duration::from_millis(50);

/// Timeout of the first question. It doubles with every failure, up to the timeout of all questions:
/// the answer of a leader that is gone never comes.
const ANSWER_FIRST: Duration = Duration::from_millis(500);
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// Looks in a row at which the stream must be behind this node, or have another epoch: a server
/// that was leader until a moment ago, or has a copy that is behind, may say so for a moment.
const LOOKS_BEHIND: u32 = 10;

pub struct Applier {
    node: Arc<Node>,
    live: Subscriber,
    passer: Passer,
    silence: Silence,
    looks_behind: u32,
    /// Looks in a row that failed.
    failures: u32,
    clock: ClockComparison,
    /// The last connection at which servers were found to be too old; 0 for none.
    too_old_at: u64,
}

impl Applier {
    /// `live` was subscribed before the snapshot was loaded that the node starts from.
    pub fn new(node: Arc<Node>, live: Subscriber) -> Self {
        Applier {
            passer: Passer::new(Arc::clone(&node)),
            silence: Silence::new(Arc::clone(&node)),
            node,
            live,
            looks_behind: 0,
            failures: 0,
            clock: ClockComparison::default(),
            too_old_at: 0,
        }
    }

    /// Runs until it is dropped.
    pub async fn run(mut self) {
        let mut next_look = Instant::now();
        let node = Arc::clone(&self.node);
        loop {
            let passed = tokio::select! {
                message = self.live.next() => match message {
                    Some(message) => self.passer.take(&mut self.live, message).await,
                    // The client has ended, and the node with it.
                    None => return,
                },
                () = sleep_until(next_look) => {
                    let looked = self.look().await;
                    next_look = Instant::now() + self.pause(looked.is_err());
                    looked
                },
                () = node.reach.suspected.notified() => {
                    next_look = Instant::now();
                    Ok(())
                }
            };
            if let Err(error) = passed {
                self.note(&error);
            }
        }
    }

    /// The pause before the next look: short after a failure, and as long as the engine is suspect.
    fn pause(&mut self, has_failed: bool) -> Duration {
        if !has_failed && self.node.reach.is_within() {
            self.failures = 0;
            return LOOK_EVERY;
        }
        let pause = LOOK_AGAIN_FIRST * 2_u32.pow(self.failures.min(8));
        self.failures += 1;
        pause.min(LOOK_EVERY)
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

    /// Asks the stream how far it is, and goes there.
    async fn look(&mut self) -> Result<(), StoreError> {
        let node = Arc::clone(&self.node);
        let asked = Instant::now();
        let within = (ANSWER_FIRST * 2_u32.pow(self.failures.min(8))).min(ANSWER_MAX);
        let asking = async {
            let answered = timeout(within, ask(&node.link)).await;
            answered.unwrap_or_else(|_| Err(unavailable(&"it does not answer")))
        };
        let mut asking = pin!(asking);
        // An answer may be long in coming; that it is time to tell viewers does not wait for it.
        let state = match timeout_at(self.silence.is_too_long_at(), &mut asking).await {
            Ok(state) => state,
            Err(_) => {
                self.silence.tell();
                asking.await
            }
        };
        let went = match state {
            Ok(state) => {
                let silence = state.silence;
                node.link.note_leader(&state.leader);
                self.clock
                    .compare(&node, asked.elapsed(), state.server_time);
                self.go_to(state).await.map(|is_there| (is_there, silence))
            }
            Err(error) => Err(error),
        };
        if let Ok((true, silence)) = went {
            self.node.reach.hear(asked);
            self.silence.hear(silence);
        }
        self.silence.explain(went.as_ref().err());
        self.silence.tell();
        went.map(drop)
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
            self.passer.begin_anew().await?;
        } else if state.last_seq < seq || self.has_other_epoch().await? {
            self.looks_behind += 1;
            if self.looks_behind < LOOKS_BEHIND {
                // What would be written now might take a number that was shown for something else.
                self.node.reach.mark_suspect();
                return Ok(false);
            }
            match state.last_seq < seq {
                true => self.begin_epoch().await?,
                false => self.passer.begin_anew().await?,
            }
        } else {
            self.passer.fill(state.last_seq).await?;
        }
        self.looks_behind = 0;
        Ok(self.node.known().seq >= state.last_seq)
    }

    /// Whether another node has begun an epoch that this one was not told of: the record of it has
    /// taken a number that this node knew for something else.
    async fn has_other_epoch(&self) -> Result<bool, StoreError> {
        let last = epoch::last(&self.node.link).await?;
        Ok(last.is_some_and(|begun| self.passer.is_of_another(begun.epoch)))
    }

    /// The stream has forgotten what was shown: what it gives out from now on has other numbers for
    /// other things, so the epoch is another.
    async fn begin_epoch(&mut self) -> Result<(), StoreError> {
        tracing::error!("the engine has forgotten changes that were shown; a new epoch begins");
        epoch::end(&self.node.link, self.node.epoch()).await?;
        self.passer.begin_anew().await
    }
}

/// How far the stream is, if its servers are still ones that are new enough.
async fn ask(link: &Link) -> Result<StreamState, StoreError> {
    layout::check_servers(link).await?;
    Ok(StreamState::ask(link, &PETS).await?)
}
