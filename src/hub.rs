//! Fan-out of committed changes to everyone watching.
//!
//! The writer publishes a change once, into one tokio broadcast stream. The senders subscribe to it
//! for those who watch over a socket; the router carries it into the mailboxes of feeds, for those
//! who poll. A viewer joins with a cursor and gets a `Feed`: what it missed, from memory or from the
//! store's log, and then what comes. One that fell behind asks for the newest of what it missed.
//!
//! It knows nothing about HTTP, and it never waits for a viewer: one that falls behind gets a new
//! snapshot, not a place to block.

mod backlog;
mod feed;
mod filter;
mod mailbox;
mod newest;
mod router;
mod state;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use tokio::sync::{Semaphore, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::feed::Feed;
pub use self::filter::{FILTER_LIMIT, Filter, TooManyPets};
use self::router::Router;
use self::state::State;
use crate::metrics::Metrics;
use crate::model::{Change, Cursor, Epoch, Pet, PetId, Rev};
use crate::store::{Engine, StoreError};
use crate::wire::Frame;

/// Frames that the broadcast stream holds for a sender or the router while it is late. If it is
/// later still, its viewers get the newest of what they missed, or a snapshot.
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
    epoch: Epoch,
    state: Mutex<State>,
    stream: broadcast::Sender<Frame>,
    router: Arc<Router>,
    replays: Semaphore,
    /// Rung after each publish, for those who do not wait on the stream themselves.
    bell: OnceLock<Box<dyn Fn() + Send + Sync>>,
    metrics: Metrics,
}

/// What brings a viewer up to date: frames to give in this order, and where it is then.
pub struct CatchUp {
    pub frames: Vec<Frame>,
    pub reaches: Rev,
    /// Whether there is nothing more; else ask again from where it reaches.
    pub is_whole: bool,
}

/// What a page is rendered from: pets, and the cursor at which all of it is true.
#[derive(Clone, Debug)]
pub struct Board {
    pub cursor: Cursor,
    /// In the order of their ids.
    pub pets: Vec<Arc<Pet>>,
}

impl Hub {
    /// Loads the board and the newest part of the log from `engine`. Blocks on the disk.
    ///
    /// # Errors
    /// Whatever the engine says when it is read.
    pub fn open(engine: Arc<dyn Engine>, metrics: Metrics) -> Result<Arc<Hub>, StoreError> {
        let epoch = engine.epoch();
        let (stream, _) = broadcast::channel(STREAM_CAPACITY);
        let state = State::load(&*engine)?;
        Ok(Arc::new(Hub {
            router: Arc::new(Router::new(state.rev())),
            state: Mutex::new(state),
            replays: Semaphore::new(REPLAYS_AT_ONCE),
            bell: OnceLock::new(),
            epoch,
            engine,
            stream,
            metrics,
        }))
    }

    /// Starts the task that carries frames from the stream to the feeds; it ends with `stop`.
    pub fn start(&self, tasks: &TaskTracker, stop: &CancellationToken) {
        let run = Arc::clone(&self.router).run(self.stream.clone());
        tasks.spawn(stop.clone().run_until_cancelled_owned(run));
    }

    /// Shows committed changes to everyone. Called by the writer alone, after the commit, in the
    /// order of their revs.
    pub fn publish(&self, changes: &[Change]) {
        for change in changes {
            let frame = Frame::of_change(self.epoch, change);
            // Sent while the board is locked: a join sees a change in the board, or in its
            // mailbox, or (and then it drops it) in both, but never in neither.
            let mut state = self.state();
            state.apply(change, frame.clone());
            // Fails only when nobody subscribed, as in tests of the writer.
            let _ = self.stream.send(frame);
            drop(state);
            let kind = change.kind.as_str();
            self.metrics.changes.with_label_values(&[kind]).inc();
        }
        if let Some(ring) = self.bell.get() {
            ring();
        }
    }

    /// Subscribes to the one stream. Frames published from now on arrive there, in order.
    pub fn subscribe(&self) -> broadcast::Receiver<Frame> {
        self.stream.subscribe()
    }

    /// Has `ring` called after each publish, on the writer's thread. Only the first one counts:
    /// the senders start once.
    pub fn on_publish(&self, ring: impl Fn() + Send + Sync + 'static) {
        // A second set of senders would be a defect of `app`; it keeps the first.
        let _ = self.bell.set(Box::new(ring));
    }

    /// Everything after `since`, if it is in memory.
    pub fn replay(&self, filter: &Filter, since: Rev) -> Option<CatchUp> {
        let state = self.state();
        let frames = state.backlog().after(since)?;
        let wanted = frames.filter(|frame| frame.pet().is_none_or(|pet| filter.wants(pet)));
        Some(CatchUp {
            frames: wanted.cloned().collect(),
            reaches: state.rev(),
            is_whole: true,
        })
    }

    /// The newest status of each pet since `since`, for a viewer that fell behind: as many as make
    /// a good write, in the order of their revs.
    pub fn missed(&self, filter: &Filter, since: Rev) -> CatchUp {
        self.metrics.resyncs.inc();
        let state = self.state();
        if let Some((frames, is_whole)) = state.newest().after(since, filter, MISSED_BYTES) {
            let last = frames.last().map_or(since, Frame::rev);
            return CatchUp {
                reaches: if is_whole { state.rev() } else { last },
                frames,
                is_whole,
            };
        }
        drop(state);
        self.catch_up_by_snapshot(filter)
    }

    /// The whole board, for a viewer that starts, or whose place in the history is unknown.
    fn catch_up_by_snapshot(&self, filter: &Filter) -> CatchUp {
        let frame = self.snapshot(filter);
        CatchUp {
            reaches: frame.rev(),
            frames: vec![frame],
            is_whole: true,
        }
    }

    /// `since`, if the history from there on is here and short enough to be replayed.
    pub fn servable(&self, since: Option<Cursor>) -> Option<Rev> {
        let newest = self.state().rev();
        let cursor = since?;
        let is_servable = cursor.epoch == self.epoch
            && cursor.rev <= newest
            && newest.since(cursor.rev) <= REPLAY_LIMIT;
        is_servable.then_some(cursor.rev)
    }

    /// A feed that starts right after `since`, or with a snapshot when there is no cursor or it
    /// cannot be served: from another epoch, from the future, or too far behind.
    pub fn join(self: &Arc<Self>, filter: Filter, since: Option<Cursor>) -> Feed {
        Feed::join(Arc::clone(self), filter, since)
    }

    /// The rev of the newest change, and the id that the next pet gets: what the writer counts on
    /// from.
    pub fn newest(&self) -> (Rev, PetId) {
        let state = self.state();
        (state.rev(), state.next_pet())
    }

    /// Where the newest change is.
    pub fn cursor(&self) -> Cursor {
        self.at(self.state().rev())
    }

    /// Every pet, and the cursor this is true at.
    pub fn board(&self) -> Board {
        let state = self.state();
        Board {
            cursor: self.at(state.rev()),
            pets: state.pets().values().cloned().collect(),
        }
    }

    /// One pet, and the cursor this is true at.
    pub fn pet(&self, id: PetId) -> Option<(Arc<Pet>, Cursor)> {
        let state = self.state();
        let pet = state.pets().get(&id)?;
        Some((Arc::clone(pet), self.at(state.rev())))
    }

    /// The snapshot message for `filter`, encoded at most once per rev.
    pub fn snapshot(&self, filter: &Filter) -> Frame {
        let snapshot = self.state().snapshot(filter);
        // Encoded without the lock that the writer needs; others who want it wait for this one.
        snapshot.encode(self.epoch)
    }

    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    fn at(&self, rev: Rev) -> Cursor {
        Cursor {
            epoch: self.epoch,
            rev,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }
}
