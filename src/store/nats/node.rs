//! What the parts of a node share: the connection, what is known, and who follows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::gathered::Gathered;
use super::known::Known;
use super::link::Link;
use super::load;
use super::reach::Reach;
use super::subjects::PETS;
use crate::model::{Change, Epoch, Rev, Timestamp};
use crate::store::{Following, Snapshot, StoreError};

/// How long a commit waits for this node to have shown it, or what it conflicts with.
const SHOWN_WITHIN: Duration = Duration::from_secs(2);

pub struct Node {
    pub link: Link,
    known: Mutex<Known>,
    pub following: Following,
    /// The last change that was shown to the follower.
    last_shown: AtomicU64,
    /// The last message whose change was shown; for those who wait for it.
    pub shown: watch::Sender<u64>,
    pub reach: Reach,
    /// By how much this machine's clock is ahead of the engine's, in milliseconds.
    clock_ahead_ms: Mutex<Option<i64>>,
}

impl Node {
    pub fn new(link: Link) -> Self {
        Node {
            reach: Reach::new(link.clone()),
            link,
            known: Mutex::default(),
            following: Following::default(),
            last_shown: AtomicU64::new(0),
            shown: watch::Sender::new(0),
            clock_ahead_ms: Mutex::default(),
        }
    }

    pub fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no holder of this lock panics")
    }

    /// By how many milliseconds this machine's clock is ahead of the engine's, as far as is known.
    pub fn clock_ahead_ms(&self) -> Option<i64> {
        *self
            .clock_ahead_ms
            .lock()
            .expect("no holder of this lock panics")
    }

    /// Notes what the engine's clock showed, out of an answer that took `took`. Returns by how many
    /// milliseconds this machine's clock is ahead.
    pub fn note_engine_time(&self, took: Duration, engine_time: Option<Timestamp>) -> Option<i64> {
        let ahead_ms = (Timestamp::now().micros() - engine_time?.micros()) / 1000;
        // The engine's clock was read at some time within `took`.
        let took_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        let ahead_ms = ahead_ms - ahead_ms.clamp(0, took_ms);
        *self
            .clock_ahead_ms
            .lock()
            .expect("no holder of this lock panics") = Some(ahead_ms);
        Some(ahead_ms)
    }

    /// The epoch; before anything was loaded, one that no store has.
    pub fn epoch(&self) -> Epoch {
        self.known().epoch.unwrap_or(Epoch::new(0))
    }

    /// Everything that is true now, which the node knows from then on.
    pub async fn load(&self) -> Result<Snapshot, StoreError> {
        let (loaded, snapshot) = self.gather().await?;
        // What became of commits that are waited for does not show in what is true by now.
        *self.known() = loaded;
        Ok(snapshot)
    }

    /// Everything that is true now.
    pub async fn gather(&self) -> Result<(Known, Snapshot), StoreError> {
        let asked = Instant::now();
        let (state, gathered) =
            load::load(&self.link, &PETS, Gathered::default, |gathered, entry| {
                gathered.take(&entry)
            })
            .await?;
        self.reach.hear(asked);
        gathered.finish(state)
    }

    /// From now on, everything after `after` is shown.
    pub fn show_from(&self, after: Rev) {
        let mut known = self.known();
        // What was passed already is passed again, for the follower has not seen it.
        if known.newest > after {
            known.seq = known.seq.min(after.get());
        }
        self.last_shown.store(after.get(), Ordering::Release);
        self.shown.send_replace(known.seq);
    }

    /// Shows what was passed, and lets those go on who wait for it.
    pub fn show(&self, changes: &[Change]) {
        let last_shown = self.last_shown.load(Ordering::Acquire);
        let known = changes.partition_point(|change| change.rev.get() <= last_shown);
        let new = &changes[known..];
        if let Some(last) = new.last() {
            self.last_shown.store(last.rev.get(), Ordering::Release);
            self.following.show(new);
        }
        self.tell_shown();
    }

    /// Shows everything that was loaded, and lets those go on who wait for it.
    pub fn begin_anew(&self, snapshot: Snapshot) {
        self.last_shown.store(snapshot.rev.get(), Ordering::Release);
        if let Some(follower) = self.following.get() {
            follower.begin_anew(self.epoch(), snapshot);
        }
        self.tell_shown();
    }

    fn tell_shown(&self) {
        let seq = self.known().seq;
        self.shown.send_replace(seq);
    }

    /// Waits until the message `seq` was shown, for a moment at most.
    pub async fn until_shown(&self, seq: u64) {
        let mut shown = self.shown.subscribe();
        let waiting = shown.wait_for(|shown| *shown >= seq);
        // Later it is shown all the same; whoever asked is not kept waiting for that.
        let _ = timeout(SHOWN_WITHIN, waiting).await;
    }
}
