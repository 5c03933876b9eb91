//! The applier of a node: applies every message of the stream in order, whoever wrote it, and shows
//! the changes to the follower.
//!
//! Messages arrive over a core subscription to the subjects that the stream republishes. A core
//! subscription may lose messages, so the applier reads missing ones from the stream: when a later
//! message arrives, or when a poll, every `POLL_INTERVAL`, finds the stream ahead. The servers keep
//! no state for a node, so nothing has to be recovered when one of them dies.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Message, Subscriber};
use futures_util::{FutureExt, StreamExt};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::client::{NatsClient, unavailable};
use super::epoch;
use super::health::Staleness;
use super::layout::StreamState;
use super::record::StoredMessage;
use super::replica::Replica;
use super::subjects::PETS;
use crate::model::{Change, Epoch};
use crate::store::StoreError;

/// Interval of polls of the stream's state: an outage is detected within a second.
const POLL_INTERVAL: Duration = Duration::from_millis(300);

/// First delay after a failed poll: exponential back-off up to `POLL_INTERVAL`.
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// Timeout of the first poll. It doubles with every failure up to the maximum: the answer of a
/// leader that is gone never comes.
const FIRST_POLL_TIMEOUT: Duration = Duration::from_millis(500);
const MAX_POLL_TIMEOUT: Duration = Duration::from_secs(2);

/// Consecutive polls at which the stream must be behind this node, or have another epoch, before it
/// is believed: a former leader, or a replica that lags, may say so for a moment.
const POLLS_BEHIND: u32 = 10;

/// Changes shown together.
const CHANGES_SHOWN_TOGETHER: usize = 256;

/// The task that keeps a replica current.
pub struct Applier {
    /// The replica that the applier keeps current.
    pub(super) replica: Arc<Replica>,
    /// The epoch of everything that was shown.
    pub(super) epoch: Option<Epoch>,
    republished: Subscriber,
    staleness: Staleness,
    polls_behind: u32,
    failed_polls: u32,
    /// The last connection whose server was logged as too old; 0 for none.
    too_old_connection: u64,
}

impl Applier {
    /// Creates the applier of a loaded replica. `republished` was subscribed before the load.
    pub fn new(replica: Arc<Replica>, republished: Subscriber) -> Self {
        let epoch = replica.state().epoch;
        Applier {
            replica,
            epoch,
            republished,
            staleness: Staleness::new(),
            polls_behind: 0,
            failed_polls: 0,
            too_old_connection: 0,
        }
    }

    /// Runs until the future is dropped or the client has ended.
    pub async fn run(mut self) {
        let mut next_poll = Instant::now();
        let replica = Arc::clone(&self.replica);
        loop {
            let applied = tokio::select! {
                message = self.republished.next() => match message {
                    Some(message) => self.receive(message).await,
                    None => return,
                },
                () = sleep_until(next_poll) => {
                    let polled = self.poll().await;
                    next_poll = Instant::now() + self.poll_delay(polled.is_err());
                    polled
                },
                () = replica.health.suspected.notified() => {
                    next_poll = Instant::now();
                    Ok(())
                }
            };
            if let Err(error) = applied {
                self.log_error(&error);
            }
        }
    }

    /// Returns the delay before the next poll: short after a failure and while the engine is suspect.
    fn poll_delay(&mut self, has_failed: bool) -> Duration {
        if !has_failed && self.replica.health.is_healthy() {
            self.failed_polls = 0;
            return POLL_INTERVAL;
        }
        let delay = RETRY_DELAY * 2_u32.pow(self.failed_polls.min(8));
        self.failed_polls += 1;
        delay.min(POLL_INTERVAL)
    }

    /// Logs why the stream cannot be followed. A server that is too old needs the operator, who is
    /// notified once per connection.
    fn log_error(&mut self, error: &StoreError) {
        let connection = self.replica.client.connection();
        if matches!(error, StoreError::TooOld { .. }) && self.too_old_connection != connection {
            self.too_old_connection = connection;
            tracing::error!(%error, "writes are refused because the engine's server is too old");
        } else {
            tracing::debug!(%error, "the engine's stream cannot be followed for now");
        }
    }

    /// Applies a republished message, and those that arrived with it.
    async fn receive(&mut self, first: Message) -> Result<(), StoreError> {
        let mut changes = Vec::new();
        let mut next = Some(first);
        while let Some(message) = next.take() {
            if let Some(message) = valid(StoredMessage::from_republished(message)) {
                let seq = self.replica.state().seq;
                if message.seq > seq + 1 {
                    self.show(&std::mem::take(&mut changes)).await?;
                    self.fill_gap(message.seq).await?;
                } else if message.seq == seq + 1 {
                    changes.extend(self.apply(&message));
                }
            }
            if changes.len() < CHANGES_SHOWN_TOGETHER {
                next = self.republished.next().now_or_never().flatten();
            }
        }
        self.show(&changes).await
    }

    /// Applies the next message. Returns its change. A message that pet-store did not write is
    /// skipped; the messages around it are applied.
    pub(super) fn apply(&self, message: &StoredMessage) -> Option<Change> {
        let applied = valid(self.replica.state().apply(message))?;
        applied.map(|applied| applied.change)
    }

    /// Shows applied changes; or a snapshot, if a message among them began another epoch.
    pub(super) async fn show(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        if self.replica.state().epoch == self.epoch {
            self.replica.show(changes);
            return Ok(());
        }
        self.resync().await
    }

    /// Continues from the current state of the stream.
    async fn resync(&mut self) -> Result<(), StoreError> {
        let snapshot = self.replica.load().await?;
        self.epoch = self.replica.state().epoch;
        self.replica.resync(snapshot);
        Ok(())
    }

    /// Requests the state of the stream and catches up with it.
    async fn poll(&mut self) -> Result<(), StoreError> {
        let replica = Arc::clone(&self.replica);
        let sent = Instant::now();
        let limit = FIRST_POLL_TIMEOUT * 2_u32.pow(self.failed_polls.min(8));
        let request = timeout(limit.min(MAX_POLL_TIMEOUT), request_state(&replica.client));
        let mut request = pin!(request);
        // Viewers are notified in time, even if the answer takes longer.
        let in_time = timeout_at(self.staleness.deadline(), &mut request).await;
        let answer = if let Ok(answer) = in_time {
            answer
        } else {
            self.staleness.report(&replica.following);
            request.await
        };
        let caught_up = match answer.unwrap_or_else(|_| Err(unavailable("it does not answer"))) {
            Ok(state) => {
                replica.client.set_leader(&state.leader);
                let took = sent.elapsed();
                replica
                    .clock
                    .update(&replica.following, took, state.server_time);
                let quorum_age = state.quorum_age;
                self.catch_up(state)
                    .await
                    .map(|is_current| is_current.then_some(quorum_age))
            }
            Err(error) => Err(error),
        };
        if let Ok(Some(quorum_age)) = caught_up {
            replica.health.record_answer(sent);
            self.staleness.set_current(quorum_age);
        }
        self.staleness.set_cause(caught_up.as_ref().err());
        self.staleness.report(&replica.following);
        caught_up.map(drop)
    }

    /// Catches up with a stream in `state`. Returns true if everything up to it was applied.
    async fn catch_up(&mut self, state: StreamState) -> Result<bool, StoreError> {
        let (is_same_stream, seq) = {
            let own = self.replica.state();
            (own.created == state.created, own.seq)
        };
        if !is_same_stream {
            tracing::warn!("the engine's stream was created again; every viewer gets a snapshot");
            epoch::ensure(&self.replica.client).await?;
            self.resync().await?;
        } else if state.last_seq < seq || self.has_other_epoch().await? {
            self.polls_behind += 1;
            if self.polls_behind < POLLS_BEHIND {
                // A write might get a sequence number that was shown for another change.
                self.replica.health.mark_suspect();
                return Ok(false);
            }
            if state.last_seq < seq {
                self.begin_epoch().await?;
            } else {
                self.resync().await?;
            }
        } else {
            self.fill_gap(state.last_seq).await?;
        }
        self.polls_behind = 0;
        Ok(self.replica.state().seq >= state.last_seq)
    }

    /// Returns true if another node began an epoch that this node has not applied, because the
    /// epoch's record has a sequence number that this node knew for another message.
    async fn has_other_epoch(&self) -> Result<bool, StoreError> {
        let last = epoch::last(&self.replica.client).await?;
        Ok(last.is_some_and(|last| self.epoch != Some(last.epoch)))
    }

    /// Begins another epoch, because the stream lost changes that were shown and will give their
    /// sequence numbers to others.
    async fn begin_epoch(&mut self) -> Result<(), StoreError> {
        tracing::error!("the engine lost changes that were shown to viewers; a new epoch begins");
        epoch::end(&self.replica.client, self.replica.epoch()).await?;
        self.resync().await
    }
}

/// Requests the state of the stream from a server that is new enough.
async fn request_state(client: &NatsClient) -> Result<StreamState, StoreError> {
    client.check_version().await?;
    Ok(StreamState::request(client, &PETS).await?)
}

/// Returns the value that was read; logs an invalid message.
pub(super) fn valid<T>(read: Result<T, StoreError>) -> Option<T> {
    read.inspect_err(|error| tracing::error!(%error, "skipped an invalid message of the engine"))
        .ok()
}
