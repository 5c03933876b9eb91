//! Fan-out of committed changes to everyone watching.
//!
//! The hub follows an engine: each change is published once, into one tokio broadcast stream, from
//! which the senders take it for those who watch over a socket. A viewer begins with a `CatchUp`
//! from its cursor: what it missed, from memory or from the store's log. One who polls has nothing
//! else, and waits with it for the next change (`waiters`). One that fell behind asks for the
//! newest of what it missed. Of an engine that is elsewhere, `reach` knows whether it answers.
//!
//! It knows nothing about HTTP, it holds nothing for a viewer, and it never waits for one: who
//! falls behind gets the newest of each pet or a snapshot, not a place to block.

mod backlog;
mod catch_up;
mod newest;
mod reach;
mod requests;
mod state;
#[cfg(test)]
mod tests;
mod topic_filter;
mod waiters;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};

use tokio::sync::{Semaphore, broadcast};

pub use self::catch_up::{CatchUp, Chunk};
use self::reach::Reach;
pub use self::requests::{DoneRequest, KEPT_FOR as REQUESTS_KEPT_FOR};
pub use self::state::BoardEntry;
use self::state::{Snapshot, State};
pub use self::topic_filter::{FILTER_LIMIT, TooManyPets, TopicFilter};
use self::waiters::Waiters;
use crate::metrics::Metrics;
use crate::model::{Change, Cursor, Epoch, Pet, PetId, RequestId, Rev, Timestamp};
use crate::store::{self, Engine, Follower, StoreError};
pub use crate::wire::Topic;
use crate::wire::{Frame, SnapshotForm};

/// Frames that the broadcast stream holds for a sender while it is late. If it is later still, its
/// viewers get the newest of what they missed, or a snapshot.
const STREAM_CAPACITY: usize = 4096;

/// The longest tail of the store's log that is replayed to one viewer; a viewer who missed more
/// gets a snapshot. About 2 MB over the wire, sent in chunks as the viewer takes them. The log is
/// never trimmed below it.
pub const REPLAY_LIMIT: u64 = 10_000;

/// JSON that one who fell behind is given at once; it asks for more when it took that.
const MISSED_BYTES: usize = 32 * 1024;

/// Reads of the store's log that may run at once, so that a thousand old cursors cannot take all
/// blocking threads from the rest of the program.
const REPLAYS_AT_ONCE: usize = 4;

/// The board, the backlog and the stream. Cheap to share: one `Arc` for the whole program.
pub struct Hub {
    engine: Arc<dyn Engine>,
    state: Mutex<State>,
    stream: broadcast::Sender<Frame>,
    waiters: Arc<Waiters>,
    replays: Semaphore,
    encodings: Semaphore,
    reach: Reach,
    writability: Mutex<Writability>,
    /// Rung after each publish, for those who do not wait on the stream themselves.
    bell: OnceLock<Box<dyn Fn() + Send + Sync>>,
    metrics: Metrics,
}

/// What a page is rendered from: pets, and the cursor at which all of it is true.
#[derive(Clone, Debug)]
pub struct Board {
    pub cursor: Cursor,
    /// In the order of their ids.
    pub pets: Arc<[Arc<Pet>]>,
}

/// The two conditions under which changes cannot be written, behind the metric `writable`.
#[derive(Default)]
struct Writability {
    /// The writer has detected an outage of the store.
    store_refuses_writes: bool,
    /// A shared engine does not respond without delay.
    engine_is_silent: bool,
}

impl Hub {
    /// Loads the board and the newest part of the log from `engine`, and follows it from there.
    /// Blocks on the disk.
    ///
    /// # Errors
    /// Whatever the engine says when it is read.
    pub fn open(engine: Arc<dyn Engine>, metrics: Metrics) -> Result<Arc<Hub>, StoreError> {
        let (stream, _) = broadcast::channel(STREAM_CAPACITY);
        let state = State::load(&*engine)?;
        let rev = state.rev();
        let hub = Arc::new(Hub {
            state: Mutex::new(state),
            waiters: Arc::default(),
            replays: Semaphore::new(REPLAYS_AT_ONCE),
            encodings: Semaphore::new(1),
            reach: Reach::default(),
            writability: Mutex::default(),
            bell: OnceLock::new(),
            engine,
            stream,
            metrics,
        });
        let follower: Weak<Hub> = Arc::downgrade(&hub);
        hub.engine.follow(rev, follower);
        Ok(hub)
    }

    /// Shows committed changes to everyone. Called by the engine that is followed, after the
    /// commit, in the order of their revs.
    pub fn publish(&self, changes: &[Change]) {
        let epoch = self.epoch();
        for change in changes {
            let frame = Frame::from_change(epoch, change);
            self.state().apply(change, frame.clone());
            // Sent after that: whoever subscribes and then looks at the board finds a change in the
            // one or the other, or (and then it drops it) in both, but never in neither. Fails only
            // when nobody has subscribed.
            let _ = self.stream.send(frame);
            let kind = change.kind.as_str();
            self.metrics.changes.with_label_values(&[kind]).inc();
        }
        self.ring();
        self.waiters
            .wake(changes.iter().map(|change| change.pet.into()));
    }

    fn ring(&self) {
        if let Some(ring) = self.bell.get() {
            ring();
        }
    }

    /// Subscribes to the one stream. Frames published from now on arrive there, in order.
    pub fn subscribe(&self) -> broadcast::Receiver<Frame> {
        self.stream.subscribe()
    }

    /// Has `ring` called after each publish, on the engine's thread, and whenever `epoch`, `gaps` or
    /// `stale_since` is another. Only the first one counts: the senders start once.
    pub fn on_publish(&self, ring: impl Fn() + Send + Sync + 'static) {
        // A second set of senders would be a defect of `app`; it keeps the first.
        let _ = self.bell.set(Box::new(ring));
    }

    /// Everything after `since`, if it is in memory.
    pub fn replay(&self, filter: &TopicFilter, since: Rev) -> Option<Chunk> {
        self.state().replay(filter, since, usize::MAX)
    }

    /// The newest status of each pet since `since`, for a viewer that fell behind: as many as make
    /// a good write, in the order of their revs.
    pub fn resync(&self, filter: &TopicFilter, form: SnapshotForm, since: Rev) -> Chunk {
        self.metrics.resyncs.inc();
        let newest = self.state().newest_after(filter, since, MISSED_BYTES);
        newest.unwrap_or_else(|| {
            let snapshot = self.state().snapshot(filter);
            Chunk::of_snapshot(snapshot.cursor(), snapshot.frames(form))
        })
    }

    /// Returns `since` if the history after it is here and short enough to be replayed, or if the
    /// engine is shared and `since` is ahead of this node.
    fn servable(&self, since: Option<Cursor>) -> Option<Cursor> {
        let (cursor, newest) = (since?, self.cursor());
        let is_servable = if cursor.rev <= newest.rev {
            newest.rev.since(cursor.rev) <= REPLAY_LIMIT
        } else {
            self.engine.is_shared()
        };
        (is_servable && cursor.epoch == newest.epoch).then_some(cursor)
    }

    /// The catch-up of a viewer that starts right after `since`, or with a snapshot when there is no
    /// cursor or it cannot be served: from another epoch, from the future, or too far behind. With
    /// a shared engine, `reach` distinguishes a cursor of the future from one of another node.
    pub fn catch_up(self: &Arc<Self>, filter: TopicFilter, since: Option<Cursor>) -> CatchUp {
        CatchUp::new(Arc::clone(self), filter, since)
    }

    /// The rev of the newest change, and the id that the next pet gets: what the writer counts on
    /// from.
    pub fn newest(&self) -> (Rev, PetId) {
        let state = self.state();
        (state.rev(), state.next_pet())
    }

    /// Where the newest change is.
    pub fn cursor(&self) -> Cursor {
        self.state().cursor()
    }

    /// Every pet, and the cursor this is true at.
    pub fn board(&self) -> Board {
        let mut state = self.state();
        Board {
            cursor: state.cursor(),
            pets: state.snapshot(&TopicFilter::All).pets(),
        }
    }

    /// One pet, and the cursor this is true at.
    pub fn pet(&self, id: PetId) -> Option<(Arc<Pet>, Cursor)> {
        let state = self.state();
        let entry = state.pets().get(&id)?;
        Some((Arc::clone(&entry.pet), state.cursor()))
    }

    /// One pet with the revs of its last changes, and their epoch.
    pub fn entry(&self, id: PetId) -> Option<(BoardEntry, Epoch)> {
        let state = self.state();
        Some((state.pets().get(&id)?.clone(), state.epoch()))
    }

    /// The request with this key, if it was carried out less than a day before `now`.
    pub fn done_request(&self, id: &RequestId, now: Timestamp) -> Option<DoneRequest> {
        self.state().requests().get(id, now)
    }

    /// The snapshot for `filter` at this moment.
    pub fn snapshot(&self, filter: &TopicFilter) -> Snapshot {
        self.state().snapshot(filter)
    }

    /// Sets whether the store accepts writes: the writer detects the begin and the end of an outage.
    pub fn set_store_accepts_writes(&self, does: bool) {
        self.update_writability(|writability| writability.store_refuses_writes = !does);
    }

    /// Returns true if changes can be written: the store accepts writes, and the engine responds.
    pub fn is_writable(&self) -> bool {
        self.metrics.writable.get() == 1
    }

    fn update_writability(&self, update: impl FnOnce(&mut Writability)) {
        let writability = self.writability.lock();
        let mut writability = writability.expect("no holder of this lock panics");
        update(&mut writability);
        let is_writable = !writability.store_refuses_writes && !writability.engine_is_silent;
        self.metrics.writable.set(i64::from(is_writable));
    }

    /// The frames of `snapshot`. A large one is encoded off the async workers, once for all who ask.
    pub async fn frames_of(&self, snapshot: &Snapshot, form: SnapshotForm) -> Vec<Frame> {
        if let Some(frames) = snapshot.frames_now(form) {
            return frames;
        }
        // One at a time, so that those who wait for it take no thread.
        let _turn = self.encodings.acquire().await;
        if let Some(frames) = snapshot.frames_now(form) {
            return frames;
        }
        let owned = snapshot.clone();
        let encoding = tokio::task::spawn_blocking(move || owned.frames(form));
        match encoding.await {
            Ok(frames) => frames,
            // The program is stopping.
            Err(_) => snapshot.frames(form),
        }
    }

    /// The epoch of everything that is shown from now on.
    pub fn epoch(&self) -> Epoch {
        self.state().epoch()
    }

    /// Number of gaps in the history so far. After a new gap, each viewer must be resynced with
    /// `resync`.
    pub fn gaps(&self) -> u64 {
        self.state().gaps()
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

impl Follower for Hub {
    fn show(&self, changes: &[Change]) {
        self.publish(changes);
    }

    fn out_of_reach(&self, since: Option<Timestamp>) {
        self.reach.set(since);
        self.ring();
    }

    fn responds(&self, does: bool) {
        self.update_writability(|writability| writability.engine_is_silent = !does);
    }

    fn clock_compared(&self, ahead_ms: i64) {
        self.metrics.clock_difference.set(ahead_ms as f64 / 1000.0);
    }

    /// In the same epoch, every viewer is given a snapshot: there is a gap before this one. In another
    /// epoch, viewers are told to reconnect, and are given a snapshot then.
    fn begin_anew(&self, epoch: Epoch, snapshot: store::Snapshot) {
        self.state().replace(epoch, snapshot);
        self.ring();
        self.waiters.wake_all();
    }
}
