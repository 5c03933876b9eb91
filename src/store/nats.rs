//! The engine of several nodes: streams in a NATS JetStream cluster.
//!
//! `link` is the connection; `subjects` are the names of what is kept behind it, and `layout` how it
//! is kept; `message` is how a change is written. Messages are `read` from whichever server has a
//! copy. A `commit` is a `batch` that is compared with what this node has `known`; the `applier`
//! passes every message of the stream in order, so that all nodes show the same changes with the
//! same revs. `log` is what the stream still has of them. The traits' calls block on the tasks that
//! do this.

mod accounts;
mod address;
mod answer;
mod applier;
mod batch;
mod commit;
mod copies;
mod epoch;
mod expected;
mod gathered;
mod hole;
mod known;
mod layout;
mod lease;
mod link;
mod load;
mod log;
mod message;
mod node;
mod reach;
mod read;
mod staff;
mod state;
mod subjects;
#[cfg(test)]
mod tests;
mod transfer;

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use async_nats::Subscriber;
use tokio::runtime::Handle;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::address::{Address, AddressError};
use self::applier::Applier;
use self::lease::Lease;
use self::link::Link;
use self::log::Log;
use self::node::Node;
use self::staff::Staff;
use self::state::StreamState;
use self::subjects::{LIVE, PETS};
pub use self::transfer::{Imported, export, import};
use super::{AppliedChange, Engine, Follower, Recent, Snapshot, StoreError};
use crate::model::{Change, Epoch, PetId, Rev, Timestamp};

/// How long a start waits for a cluster that has no leader yet.
const START_WITHIN: Duration = Duration::from_secs(15);
const START_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// How often the follower's view of whether the engine answers is updated.
const RESPONSE_LOOK_EVERY: Duration = Duration::from_millis(50);

/// A node of a cluster.
pub struct NatsEngine {
    node: Arc<Node>,
    staff: Arc<Staff>,
    runtime: Handle,
    lease: Lease,
    /// Subscribed before the first snapshot is loaded; taken by the applier.
    live: Mutex<Option<Subscriber>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl NatsEngine {
    /// Connects to the cluster at `address`, and makes there what is not there yet. Must run in the
    /// runtime in which the engine's tasks are to run.
    ///
    /// # Errors
    /// `NoEngine`, `TooOld`, `OtherSettings`, `TooFewCopies`, `Unfinished`, or `Unavailable` when
    /// the cluster has no leader for long.
    pub async fn connect(address: &Address) -> Result<Self, StoreError> {
        let link = Link::open(address).await?;
        let live = link.client().subscribe(LIVE).await;
        let live = live.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let (staff, node) = (Staff::new(link.clone()), Node::new(link));
        until_led(async || begin(&node, &staff, address).await).await?;
        Ok(NatsEngine::over(node, staff, Some(live)))
    }

    /// An engine over a node and staff that know what they need to, and over what it is to follow.
    fn over(node: Node, staff: Staff, live: Option<Subscriber>) -> Self {
        NatsEngine {
            node: Arc::new(node),
            staff: Arc::new(staff),
            runtime: Handle::current(),
            lease: Lease::default(),
            live: Mutex::new(live),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let task = self.stop.clone().run_until_cancelled_owned(task);
        self.tasks.spawn_on(task, &self.runtime);
    }

    fn log(&self) -> Log<'_> {
        Log(&self.node.link)
    }
}

/// Tells the follower whether the engine answers without delay.
async fn report_responses(node: Arc<Node>) {
    let mut look = interval(RESPONSE_LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut did = true;
    loop {
        look.tick().await;
        let does = node.reach.is_responsive();
        // Repeated while it does not answer: the end of another failure may have reset the metric.
        if !(does && did)
            && let Some(follower) = node.following.get()
        {
            follower.responds(does);
        }
        did = does;
    }
}

/// Does it again as long as the cluster has no leader.
async fn until_led(work: impl AsyncFn() -> Result<(), StoreError>) -> Result<(), StoreError> {
    let deadline = Instant::now() + START_WITHIN;
    loop {
        match work().await {
            Err(StoreError::Unavailable(_)) if Instant::now() < deadline => {
                tokio::time::sleep(START_AGAIN_AFTER).await;
            }
            done => return done,
        }
    }
}

async fn begin(node: &Node, staff: &Staff, address: &Address) -> Result<(), StoreError> {
    layout::check_servers(&node.link).await?;
    layout::make(&node.link, address.replicas()).await?;
    epoch::ensure(&node.link).await?;
    let asked = Instant::now();
    let state = StreamState::ask(&node.link, &PETS).await?;
    node.note_engine_time(asked.elapsed(), state.server_time);
    staff.load().await?;
    node.load().await.map(drop)
}

impl Engine for NatsEngine {
    fn epoch(&self) -> Epoch {
        self.node.epoch()
    }

    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let gathered = self.runtime.block_on(self.node.gather());
        gathered.map(|(_, snapshot)| snapshot)
    }

    fn follow(&self, after: Rev, follower: Weak<dyn Follower>) {
        let mut live = self.live.lock().expect("no holder of this lock panics");
        // A second follower would be a defect of `app`; the first is kept.
        let Some(live) = live.take() else { return };
        self.node.following.begin(follower);
        self.node.show_from(after);
        self.spawn(Applier::new(Arc::clone(&self.node), live).run());
        self.spawn(report_responses(Arc::clone(&self.node)));
    }

    fn commit(&self, read: Rev, proposed: &[AppliedChange]) -> Result<Vec<Rev>, StoreError> {
        self.runtime
            .block_on(commit::commit(&self.node, read, proposed))
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn campaign(&self) {
        self.spawn(self.lease.clone().campaign(self.node.link.clone()));
    }

    fn leads(&self) -> bool {
        self.lease.is_held()
    }

    fn is_healthy(&self) -> bool {
        self.node.reach.is_within()
    }

    fn recover(&self) -> Result<(), StoreError> {
        self.node.reach.check()
    }

    fn end_history(&self) -> Result<(), StoreError> {
        let ended = epoch::end(&self.node.link, self.node.epoch());
        self.runtime.block_on(ended)
    }

    fn newest(&self) -> Result<Rev, StoreError> {
        Ok(self.node.known().newest)
    }

    fn has(&self, rev: Rev) -> Result<bool, StoreError> {
        let state = StreamState::ask(&self.node.link, &PETS);
        Ok(self.runtime.block_on(state)?.last_seq >= rev.get())
    }

    /// The stream drops the oldest messages of each pet by itself.
    fn trim(&self, _: Timestamp, _: Duration, _: u64, _: usize) -> Result<usize, StoreError> {
        Ok(0)
    }

    fn tail(&self, after: Rev, limit: usize) -> Result<Vec<Change>, StoreError> {
        self.runtime.block_on(self.log().tail(after, limit))
    }

    fn kept(&self, after: Rev, before: Rev) -> Result<Vec<Change>, StoreError> {
        self.runtime.block_on(self.log().kept(after, before))
    }

    fn recent(&self, upto: Rev, limit: usize) -> Result<Recent, StoreError> {
        self.runtime.block_on(self.log().recent(upto, limit))
    }

    fn history(
        &self,
        pet: PetId,
        before: Option<Rev>,
        limit: usize,
    ) -> Result<Vec<Change>, StoreError> {
        self.runtime
            .block_on(self.log().history(pet, before, limit))
    }

    fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.runtime.block_on(async {
            self.tasks.wait().await;
            self.lease.release(&self.node.link).await;
        });
    }
}
