//! Publishes committed changes to all viewers.
//!
//! The hub follows an engine: each change is applied to the board (`state`), encoded once, and sent into
//! one tokio broadcast stream, from which the delivery workers take it. A viewer begins with a `CatchUp`
//! from its cursor: the changes since then, from memory (`backlog`) or from the store's log. A poller
//! has nothing else, and waits on a delivery worker, or in its task (`waiters`). A viewer that fell behind is resynced
//! with the newest frame per topic (`conflation`). `engine_status` knows if a shared engine responds.
//!
//! The hub knows nothing about HTTP, holds nothing for a viewer, and never waits for one.

mod backlog;
mod board;
mod catch_up;
mod chain;
mod conflation;
mod engine_status;
mod kept_states;
mod photo_index;
mod replay;
mod request_index;
mod state;
#[cfg(test)]
mod tests;
mod topic_filter;
mod waiters;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};

use tokio::sync::{Semaphore, broadcast};

pub use self::board::{Board, BoardEntry, BoardSnapshot};
pub use self::catch_up::{CatchUp, Chunk};
pub use self::chain::Chain;
use self::engine_status::EngineStatus;
pub use self::request_index::{DoneRequest, KEPT_FOR as REQUESTS_KEPT_FOR};
use self::state::HubState;
pub use self::topic_filter::{FILTER_LIMIT, TooManyPets, TopicFilter};
use self::waiters::Waiters;
use crate::metrics::Metrics;
use crate::model::{
    ActivitiesVersion, Audience, Change, Cursor, Epoch, Pet, PetId, PhotoHash, RequestId, Rev,
    Status, Timestamp,
};
use crate::store::{self, Engine, Follower, StoreError, used_photos};
pub use crate::wire::Topic;
use crate::wire::{Frame, SnapshotForm};

/// Frames that the broadcast stream holds for a worker that lags. A worker that lags further resyncs
/// its viewers.
const STREAM_CAPACITY: usize = 4096;

/// The most changes of the store's log that are replayed to one viewer; a viewer that is further behind
/// gets a snapshot. About 2 MB over the wire, sent in chunks as the viewer takes them. The log is never
/// trimmed below it.
pub const REPLAY_LIMIT: u64 = 10_000;

/// JSON of one resync. A viewer asks for more once its socket has taken that much.
const RESYNC_BYTES: usize = 32 * 1024;

/// Concurrent reads of the store's log. A thousand viewers with old cursors could otherwise occupy all
/// blocking threads.
const MAX_CONCURRENT_REPLAYS: usize = 4;

type Callback = Box<dyn Fn() + Send + Sync>;

/// The board, the backlog and the stream. One `Arc` for the whole program.
pub struct Hub {
    engine: Arc<dyn Engine>,
    state: Mutex<HubState>,
    stream: broadcast::Sender<Frame>,
    waiters: Arc<Waiters>,
    replays: Semaphore,
    encodings: Semaphore,
    engine_status: EngineStatus,
    /// Version of the rescue's own activities, which heartbeats name.
    activities: Mutex<Option<ActivitiesVersion>>,
    /// Wakes the delivery workers, which do not wait on the stream.
    on_publish: OnceLock<Callback>,
    metrics: Metrics,
}

impl Hub {
    /// Loads the board and the newest part of the log from `engine`, and follows it from there.
    /// Blocks on the disk.
    ///
    /// # Errors
    /// When the engine cannot be read.
    pub fn open(engine: Arc<dyn Engine>, metrics: Metrics) -> Result<Arc<Hub>, StoreError> {
        let (stream, _) = broadcast::channel(STREAM_CAPACITY);
        let state = HubState::load(&*engine)?;
        let rev = state.cursor().rev;
        let hub = Arc::new(Hub {
            state: Mutex::new(state),
            waiters: Arc::default(),
            replays: Semaphore::new(MAX_CONCURRENT_REPLAYS),
            encodings: Semaphore::new(1),
            engine_status: EngineStatus::default(),
            activities: Mutex::default(),
            on_publish: OnceLock::new(),
            engine,
            stream,
            metrics,
        });
        let follower: Weak<Hub> = Arc::downgrade(&hub);
        hub.engine.follow(rev, follower);
        Ok(hub)
    }

    /// Publishes committed changes, in the order of their revs. Called by the engine after the commit.
    /// Changes of private pets only reach the board of staff: no viewer is woken for them.
    pub fn publish(&self, changes: &[Change]) {
        let epoch = self.epoch();
        for change in changes {
            let before = self.state().predecessors(change.pet);
            let is_announced = change.visibility.is_announced();
            let frame = is_announced.then(|| Frame::from_change(epoch, change, before));
            self.state().apply(change, frame.clone());
            if let Some(frame) = frame {
                // After `apply`: a reader that subscribes and then reads the board finds the change in
                // one of them, or in both and drops it, but never in none. Fails if nobody has subscribed.
                let _ = self.stream.send(frame);
            }
            let kind = change.kind.as_str();
            self.metrics.changes.with_label_values(&[kind]).inc();
        }
        let announced = changes
            .iter()
            .filter(|change| change.visibility.is_announced());
        let mut topics = announced.map(|change| change.pet.into()).peekable();
        if topics.peek().is_some() {
            self.wake_workers();
            self.waiters.wake(topics);
        }
    }

    fn wake_workers(&self) {
        if let Some(callback) = self.on_publish.get() {
            callback();
        }
    }

    /// Subscribes to the stream: frames published from now on arrive there, in order.
    pub fn subscribe(&self) -> broadcast::Receiver<Frame> {
        self.stream.subscribe()
    }

    /// Sets the callback that runs on the engine's thread after each publish, and when `epoch`, `gaps`,
    /// `stale_since` or `activities` changes. Only the first call has an effect: there is one set of workers.
    pub fn on_publish(&self, callback: impl Fn() + Send + Sync + 'static) {
        let _ = self.on_publish.set(Box::new(callback));
    }

    /// Returns all frames after `since`, if they are in memory.
    pub fn replay(&self, filter: &TopicFilter, since: Rev) -> Option<Chunk> {
        self.state().replay(filter, since, usize::MAX)
    }

    /// Returns the newest frame per topic after `since`, in the order of their revs, for a viewer that
    /// fell behind. At most about `RESYNC_BYTES`.
    pub fn resync(&self, filter: &TopicFilter, form: SnapshotForm, since: Rev) -> Chunk {
        self.metrics.resyncs.inc();
        let newest = self.state().conflated(filter, since, RESYNC_BYTES);
        newest.unwrap_or_else(|| {
            let snapshot = self.state().snapshot(filter);
            Chunk::of_snapshot(snapshot.cursor(), snapshot.frames(form))
        })
    }

    /// Returns true if all frames after `at` are in memory, and this node is not behind it.
    pub fn has_frames_after(&self, at: Cursor) -> bool {
        let state = self.state();
        state.is_in_backlog(at) && at.rev <= state.cursor().rev
    }

    /// Returns the frames after `at` for a poll, and the cursor that they reach: all frames if they are in
    /// memory, else the newest per topic, and a snapshot if `at` is of another epoch.
    pub fn advance(
        &self,
        filter: &TopicFilter,
        form: SnapshotForm,
        at: Cursor,
    ) -> (Vec<Frame>, Cursor) {
        let mut state = self.state();
        if let Some(chunk) = state.advance(filter, at) {
            let rev = chunk.reaches;
            return (chunk.frames, Cursor { rev, ..at });
        }
        let snapshot = state.snapshot(filter);
        drop(state);
        (snapshot.frames(form), snapshot.cursor())
    }

    /// Returns `since` if it can be replayed: it is of this epoch and not too far behind, or ahead of
    /// this node while the engine is shared.
    fn servable(&self, since: Option<Cursor>) -> Option<Cursor> {
        let (cursor, newest) = (since?, self.state().cursor());
        let is_servable = if cursor.rev <= newest.rev {
            newest.rev.since(cursor.rev) <= REPLAY_LIMIT
        } else {
            self.engine.is_shared()
        };
        (is_servable && cursor.epoch == newest.epoch).then_some(cursor)
    }

    /// Returns the catch-up of a viewer that continues after `since`. It starts with a snapshot if there
    /// is no cursor, or if the cursor is of another epoch, of the future, or too far behind. With a
    /// shared engine, `wait_for_cursor` distinguishes a cursor of the future from one of another node.
    pub fn catch_up(self: &Arc<Self>, filter: TopicFilter, since: Option<Cursor>) -> CatchUp {
        CatchUp::new(Arc::clone(self), filter, since)
    }

    /// Returns the rev of the newest change and the id of the next pet, for the writer.
    pub fn newest(&self) -> (Rev, PetId) {
        let state = self.state();
        (state.cursor().rev, state.next_pet())
    }

    /// Returns the cursor of the newest change that visitors learned of.
    pub fn cursor(&self) -> Cursor {
        self.state().public_cursor()
    }

    /// Returns every pet that `audience` may know of, with the cursor at which all of this is true. A
    /// visitor's page names no change of a private pet, not even by its number.
    pub fn board(&self, audience: Audience) -> Board {
        let mut state = self.state();
        match audience {
            Audience::Public => Board {
                cursor: state.public_cursor(),
                pets: state.snapshot(&TopicFilter::All).pets(),
            },
            Audience::Staff => Board {
                cursor: state.cursor(),
                pets: state.pets_for(Audience::Staff),
            },
        }
    }

    /// Returns true if a pet that visitors see has this photo.
    pub fn is_public_photo(&self, hash: PhotoHash) -> bool {
        self.state().photos().contains(hash)
    }

    /// Returns the photos of all pets, also of those that visitors do not see, and of those in the trash.
    pub fn used_photos(&self) -> HashSet<PhotoHash> {
        let (board, trash) = (self.board(Audience::Staff).pets, self.trash());
        used_photos(board.iter().chain(&trash).map(|pet| &**pet))
    }

    /// Returns one pet that `audience` may know of, with the cursor at which this is true.
    pub fn pet(&self, id: PetId, audience: Audience) -> Option<(Arc<Pet>, Cursor)> {
        let state = self.state();
        let entry = state.entry(id, audience)?;
        let cursor = match audience {
            Audience::Public => state.public_cursor(),
            Audience::Staff => state.cursor(),
        };
        Some((Arc::clone(&entry.pet), cursor))
    }

    /// Returns the present status of a pet on the board, for those who may set it.
    pub fn status(&self, id: PetId) -> Option<Status> {
        let state = self.state();
        Some(state.entry(id, Audience::Staff)?.pet.status)
    }

    /// Returns one pet that `audience` may know of with the revs of its last changes, and their epoch.
    pub fn entry(&self, id: PetId, audience: Audience) -> Option<(BoardEntry, Epoch)> {
        let state = self.state();
        let entry = state.entry(id, audience)?;
        Some((entry.clone(), state.cursor().epoch))
    }

    /// Returns one pet on the board or in the trash, as `entry` does. For the writer: no reader but the
    /// pages of the trash may get a pet in the trash.
    pub fn stored(&self, id: PetId) -> Option<(BoardEntry, Epoch)> {
        let state = self.state();
        let entry = state.stored(id)?;
        Some((entry.clone(), state.cursor().epoch))
    }

    /// Returns the pets in the trash, in the order of their ids.
    pub fn trash(&self) -> Vec<Arc<Pet>> {
        self.state().trash()
    }

    /// Returns up to `limit` changes of one pet, newest first. Blocks on the disk or the network.
    ///
    /// # Errors
    /// As for `Engine::history`.
    pub fn newest_changes(&self, pet: PetId, limit: usize) -> Result<Vec<Change>, StoreError> {
        self.engine.history(pet, None, limit)
    }

    /// Returns the request with this key, if it was carried out less than a day before `now`.
    pub fn done_request(&self, id: &RequestId, now: Timestamp) -> Option<DoneRequest> {
        self.state().requests().get(id, now)
    }

    /// Returns the snapshot for `filter` at this moment.
    pub fn snapshot(&self, filter: &TopicFilter) -> BoardSnapshot {
        self.state().snapshot(filter)
    }

    /// Returns a recent snapshot for `filter`, and keeps it for readers that are led to it.
    pub fn keep_state(&self, filter: &TopicFilter) -> BoardSnapshot {
        self.state().keep_snapshot(filter)
    }

    /// Returns the snapshot for `filter` at `cursor`, if it is kept or the newest.
    pub fn kept_state(&self, filter: &TopicFilter, cursor: Cursor) -> Option<BoardSnapshot> {
        self.state().kept_snapshot(filter, cursor)
    }

    /// Returns the frames of `snapshot`. A large one is encoded on a blocking thread, once for all
    /// who ask.
    pub async fn encode_snapshot(
        &self,
        snapshot: &BoardSnapshot,
        form: SnapshotForm,
    ) -> Vec<Frame> {
        if let Some(frames) = snapshot.frames_now(form) {
            return frames;
        }
        // One at a time: whoever waits for the same snapshot occupies no thread.
        let _permit = self.encodings.acquire().await;
        if let Some(frames) = snapshot.frames_now(form) {
            return frames;
        }
        let owned = snapshot.clone();
        let encoding = tokio::task::spawn_blocking(move || owned.frames(form));
        // Fails if the program is stopping.
        encoding.await.unwrap_or_else(|_| snapshot.frames(form))
    }

    /// Returns the epoch of all frames that are published from now on.
    pub fn epoch(&self) -> Epoch {
        self.state().cursor().epoch
    }

    /// Returns the number of gaps in the history so far. After a new gap, each viewer must be resynced.
    pub fn gaps(&self) -> u64 {
        self.state().gaps()
    }

    /// Returns the version of the rescue's own activities, if it has some.
    pub fn activities(&self) -> Option<ActivitiesVersion> {
        *self.lock_activities()
    }

    /// Sets the version of the rescue's own activities. Viewers get a heartbeat with it.
    pub fn set_activities(&self, version: Option<ActivitiesVersion>) {
        let before = std::mem::replace(&mut *self.lock_activities(), version);
        if before != version {
            self.wake_workers();
        }
    }

    fn lock_activities(&self) -> MutexGuard<'_, Option<ActivitiesVersion>> {
        let lock = self.activities.lock();
        lock.expect("no holder of this lock panics")
    }

    /// Returns the metrics.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    fn state(&self) -> MutexGuard<'_, HubState> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

impl Follower for Hub {
    fn show(&self, changes: &[Change]) {
        self.publish(changes);
    }

    fn set_unreachable_since(&self, since: Option<Timestamp>) {
        self.engine_status.set_stale_since(since);
        self.wake_workers();
    }

    fn set_responsive(&self, does: bool) {
        self.set_engine_responds(does);
    }

    fn set_clock_offset(&self, ahead_ms: i64) {
        self.metrics.clock_difference.set(ahead_ms as f64 / 1000.0);
    }

    /// In the same epoch, every viewer is resynced: there is a gap before `snapshot`. In another epoch,
    /// viewers are told to reconnect, and get a snapshot then.
    fn restart_from(&self, epoch: Epoch, snapshot: store::Snapshot) {
        self.state().replace(epoch, snapshot);
        self.wake_workers();
        self.waiters.wake_all();
    }
}
