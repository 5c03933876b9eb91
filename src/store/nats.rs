//! The engine of several nodes: streams in a NATS `JetStream` cluster.
//!
//! `client` is the connection; `subjects` names what is stored, and `layout` configures it; `record`
//! encodes a change as a message. `read` gets messages from any server that has a replica. A `commit`
//! is an atomic `batch` with preconditions from this node's `replica`. The `applier` applies every
//! message of the stream in order and fills gaps, so that all nodes show the same changes with the
//! same revs. `log` reads the history, `photos` keeps files. The calls of the traits block on tasks of the runtime.

mod accounts;
mod address;
mod applier;
mod batch;
mod client;
mod commit;
mod export;
mod gap_fill;
mod health;
mod import;
mod layout;
mod lease;
mod log;
mod photos;
mod read;
mod record;
mod replica;
#[cfg(test)]
#[cfg(feature = "slow-tests")]
mod tests;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use async_nats::Subscriber;
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::accounts::AccountLog;
pub use self::address::{AddressError, ClusterAddress};
use self::applier::Applier;
use self::client::{NatsClient, unavailable};
pub use self::export::export;
pub use self::import::import;
use self::layout::{StreamState, epoch, subjects};
use self::lease::Lease;
use self::photos::PhotoBucket;
use self::replica::Replica;
use self::subjects::{PET, PETS, REPUBLISHED, SIMULATOR_LEASE, WEBHOOKS_LEASE};
use super::{
    AccountStore, AppliedChange, Duty, Engine, Follower, LogPart, PhotoStore, Recent, Snapshot,
    StoreError,
};
use crate::model::{Change, Epoch, PetId, PhotoFile, PhotoHash, Rev, Timestamp};

/// How long a start waits for a cluster that has no leader yet, and the delay between attempts.
const LEADER_TIMEOUT: Duration = Duration::from_secs(15);
const LEADER_RETRY_DELAY: Duration = Duration::from_millis(250);

/// Interval at which the follower is notified whether the engine responds.
const RESPONSIVENESS_INTERVAL: Duration = Duration::from_millis(50);

/// A node of a cluster.
pub struct NatsEngine {
    replica: Arc<Replica>,
    accounts: Arc<AccountLog>,
    photos: PhotoBucket,
    runtime: Handle,
    simulator_lease: Lease,
    webhooks_lease: Lease,
    /// Subscribed before the first snapshot is loaded; taken by the applier.
    republished: Mutex<Option<Subscriber>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl NatsEngine {
    /// Connects to the cluster at `address`, and creates the streams that do not exist. Must run in
    /// the runtime in which the engine's tasks are to run.
    ///
    /// # Errors
    /// `NoEngine`, `TooOld`, `OtherSettings`, `TooFewReplicas`, `Unfinished`, or `Unavailable` if the
    /// cluster has no leader in time.
    pub async fn connect(address: &ClusterAddress) -> Result<Self, StoreError> {
        let client = NatsClient::connect(address).await?;
        let republished = client.client().subscribe(REPUBLISHED).await;
        let republished = republished.map_err(unavailable)?;
        let (accounts, replica) = (AccountLog::new(client.clone()), Replica::new(client));
        retry_until_led(async || initialize(&replica, &accounts).await).await?;
        Ok(NatsEngine::new(replica, accounts, Some(republished)))
    }

    /// Creates the engine of a replica and accounts that are loaded.
    fn new(replica: Replica, accounts: AccountLog, republished: Option<Subscriber>) -> Self {
        NatsEngine {
            photos: PhotoBucket::new(&replica.client),
            replica: Arc::new(replica),
            accounts: Arc::new(accounts),
            runtime: Handle::current(),
            simulator_lease: Lease::new(SIMULATOR_LEASE),
            webhooks_lease: Lease::new(WEBHOOKS_LEASE),
            republished: Mutex::new(republished),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    const fn lease(&self, duty: Duty) -> &Lease {
        match duty {
            Duty::Simulator => &self.simulator_lease,
            Duty::Webhooks => &self.webhooks_lease,
        }
    }

    /// Spawns a task that ends when the engine is closed.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let task = self.stop.clone().run_until_cancelled_owned(task);
        self.tasks.spawn_on(task, &self.runtime);
    }
}

/// Connects like `NatsEngine::connect`, for callers that do not know the engine.
///
/// # Errors
/// As for `NatsEngine::connect`.
pub async fn connect(
    address: &ClusterAddress,
) -> Result<(Arc<dyn Engine>, Arc<dyn AccountStore>), StoreError> {
    let engine = Arc::new(NatsEngine::connect(address).await?);
    Ok((Arc::clone(&engine) as Arc<dyn Engine>, engine))
}

/// Tells the follower whether the engine responds without delay.
async fn report_responsiveness(replica: Arc<Replica>) {
    let mut ticks = interval(RESPONSIVENESS_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_responsive = true;
    loop {
        ticks.tick().await;
        let is_responsive = replica.health.is_responsive();
        if is_responsive != was_responsive
            && let Some(follower) = replica.following.get()
        {
            follower.set_responsive(is_responsive);
        }
        was_responsive = is_responsive;
    }
}

/// Repeats `work` until it succeeds, or fails for another reason than a missing leader.
async fn retry_until_led(work: impl AsyncFn() -> Result<(), StoreError>) -> Result<(), StoreError> {
    let deadline = Instant::now() + LEADER_TIMEOUT;
    loop {
        match work().await {
            Err(StoreError::Unavailable(_)) if Instant::now() < deadline => {
                tokio::time::sleep(LEADER_RETRY_DELAY).await;
            }
            done => return done,
        }
    }
}

/// Prepares the cluster and loads this node's copies of it.
async fn initialize(replica: &Replica, accounts: &AccountLog) -> Result<(), StoreError> {
    let client = &replica.client;
    client.check_version().await?;
    layout::ensure_streams(client).await?;
    epoch::ensure(client).await?;
    let sent = Instant::now();
    let state = StreamState::request(client, &PETS).await?;
    let took = sent.elapsed();
    replica
        .clock
        .update(&replica.following, took, state.server_time);
    accounts.load().await?;
    replica.load().await.map(drop)
}

impl PhotoStore for NatsEngine {
    fn put_photo(
        &self,
        hash: PhotoHash,
        files: &[PhotoFile],
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        self.runtime
            .block_on(photos::limited(self.photos.put(hash, files)))
    }

    fn photo(&self, hash: PhotoHash, width_px: u32) -> Result<Option<Bytes>, StoreError> {
        self.runtime
            .block_on(photos::limited(self.photos.get(hash, width_px)))
    }

    fn remove_unused_photos(
        &self,
        used: &HashSet<PhotoHash>,
        before: Timestamp,
    ) -> Result<usize, StoreError> {
        self.runtime
            .block_on(photos::limited(self.photos.remove_unused(used, before)))
    }
}

impl Engine for NatsEngine {
    fn epoch(&self) -> Epoch {
        self.replica.epoch()
    }

    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let read = self.runtime.block_on(self.replica.read_snapshot());
        read.map(|(_, snapshot)| snapshot)
    }

    fn follow(&self, after: Rev, follower: Weak<dyn Follower>) {
        let mut republished = self
            .republished
            .lock()
            .expect("no holder of this lock panics");
        // A second follower would be a bug of `app`; the first is kept.
        let Some(republished) = republished.take() else {
            return;
        };
        self.replica.following.begin(follower);
        self.replica.show_from(after);
        self.spawn(Applier::new(Arc::clone(&self.replica), republished).run());
        self.spawn(report_responsiveness(Arc::clone(&self.replica)));
    }

    fn commit(&self, read: Rev, proposed: &[AppliedChange]) -> Result<Vec<Rev>, StoreError> {
        self.runtime
            .block_on(commit::commit(&self.replica, read, proposed))
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn campaign(&self, duty: Duty) {
        let lease = self.lease(duty).clone();
        self.spawn(lease.campaign(self.replica.client.clone()));
    }

    fn is_leader(&self, duty: Duty) -> bool {
        self.lease(duty).is_held()
    }

    fn is_healthy(&self) -> bool {
        self.replica.health.is_healthy()
    }

    fn recover(&self) -> Result<(), StoreError> {
        self.replica.health.check()
    }

    fn end_history(&self) -> Result<(), StoreError> {
        let ended = epoch::end(&self.replica.client, self.replica.epoch());
        self.runtime.block_on(ended)
    }

    fn newest(&self) -> Result<Rev, StoreError> {
        Ok(self.replica.state().newest)
    }

    fn has_reached(&self, rev: Rev) -> Result<bool, StoreError> {
        let state = StreamState::request(&self.replica.client, &PETS);
        Ok(self.runtime.block_on(state)?.last_seq >= rev.get())
    }

    /// Does nothing: the stream drops the oldest messages of each pet by itself.
    fn trim(&self, _: Timestamp, _: Duration, _: u64, _: usize) -> Result<usize, StoreError> {
        Ok(0)
    }

    fn tail(&self, after: Rev, limit: usize) -> Result<Vec<Change>, StoreError> {
        let tail = log::tail(&self.replica.client, after, limit);
        self.runtime.block_on(tail)
    }

    fn remaining_after(&self, after: Rev, upto: Rev, limit: usize) -> Result<LogPart, StoreError> {
        let left = log::remaining_after(&self.replica.client, after, upto, limit);
        self.runtime.block_on(left)
    }

    fn changes_between(&self, after: Rev, before: Rev) -> Result<Vec<Change>, StoreError> {
        let (client, filter) = (&self.replica.client, format!("{PET}*"));
        let changes = log::changes_between(client, &filter, after.next().get(), before.get());
        self.runtime.block_on(changes)
    }

    fn recent(&self, upto: Rev, limit: usize) -> Result<Recent, StoreError> {
        let recent = log::recent(&self.replica.client, upto, limit);
        self.runtime.block_on(recent)
    }

    fn history(
        &self,
        pet: PetId,
        before: Option<Rev>,
        limit: usize,
    ) -> Result<Vec<Change>, StoreError> {
        let history = log::history(&self.replica.client, pet, before, limit);
        self.runtime.block_on(history)
    }

    fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.runtime.block_on(async {
            self.tasks.wait().await;
            self.simulator_lease.release(&self.replica.client).await;
            self.webhooks_lease.release(&self.replica.client).await;
        });
    }
}
