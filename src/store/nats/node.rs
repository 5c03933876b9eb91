//! What the parts of a node share: the connection, what is known, and who follows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::batch::{self, Outgoing, new_op};
use super::known::{Gathered, Known};
use super::link::Link;
use super::subjects::PETS;
use super::{layout, load, read};
use crate::model::{Change, Epoch, Moment, Rev};
use crate::store::{Following, Put, Snapshot, StoreError};

/// How long a commit waits for this node to have shown it, or what it conflicts with.
const SHOWN_WITHIN: Duration = Duration::from_secs(2);

/// How long it is looked in the stream for what became of a commit.
const LOOKED_UP_FOR: Duration = Duration::from_secs(5);

/// Silence after which nothing is sent any more.
const HEARD_WITHIN: Duration = Duration::from_secs(4);

pub struct Node {
    pub link: Link,
    known: Mutex<Known>,
    pub following: Following,
    /// The last change that was shown to the follower.
    last_shown: AtomicU64,
    /// The last message whose change was shown.
    shown: watch::Sender<u64>,
    /// When the engine last answered; `None` once it has left a write without an answer.
    heard: Mutex<Option<Instant>>,
}

impl Node {
    pub fn new(link: Link) -> Self {
        Node {
            link,
            known: Mutex::default(),
            following: Following::default(),
            last_shown: AtomicU64::new(0),
            shown: watch::Sender::new(0),
            heard: Mutex::new(Some(Instant::now())),
        }
    }

    pub fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no holder of this lock panics")
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
        let (state, gathered) =
            load::load(&self.link, &PETS, Gathered::default, |gathered, entry| {
                gathered.take(&entry)
            })
            .await?;
        self.hear();
        let (mut known, snapshot) = gathered.finish();
        known.created = state.created;
        if known.epoch.is_none() {
            return Err(StoreError::Unfinished);
        }
        Ok((known, snapshot))
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

    /// Tells the follower since when the engine is out of reach, and the log why.
    pub fn tell_reach(&self, lost_since: Option<Moment>, why: &str) {
        match lost_since {
            Some(_) => tracing::error!(why, "the engine is out of reach: viewers are told"),
            None => tracing::info!("the engine is back, and everything was caught up with"),
        }
        if let Some(follower) = self.following.get() {
            follower.out_of_reach(lost_since);
        }
    }

    /// Notes that the engine has answered, and that everything it holds was passed.
    pub fn hear(&self) {
        *self.heard.lock().expect("no holder of this lock panics") = Some(Instant::now());
    }

    /// Notes that the engine did not answer: until it does, nothing is sent.
    fn miss(&self) {
        *self.heard.lock().expect("no holder of this lock panics") = None;
    }

    /// Notes that the engine answers with something else than was expected: nothing is sent until
    /// that is cleared up.
    pub fn doubt(&self) {
        let mut heard = self.heard.lock().expect("no holder of this lock panics");
        *heard = heard.and_then(|heard| heard.checked_sub(HEARD_WITHIN));
    }

    /// Whether the engine answers.
    pub fn is_within_reach(&self) -> bool {
        let heard = *self.heard.lock().expect("no holder of this lock panics");
        self.link.is_connected() && heard.is_some_and(|heard| heard.elapsed() < HEARD_WITHIN)
    }

    /// # Errors
    /// `Unavailable` when the engine does not answer, or is still caught up with.
    pub fn check_reach(&self) -> Result<(), StoreError> {
        match self.is_within_reach() {
            true => Ok(()),
            false => Err(StoreError::Unavailable("it does not answer".to_owned())),
        }
    }

    /// Commits `puts` as one batch, and waits until this node has shown them.
    pub async fn commit(&self, read: Rev, puts: &[Put]) -> Result<Vec<Rev>, StoreError> {
        self.check_reach()?;
        // Nothing was sent yet, so nothing was written.
        let checked = layout::check_servers(&self.link).await;
        checked.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let op = new_op();
        let messages = {
            let mut known = self.known();
            let messages = known.compose(read, puts);
            if messages.is_ok() {
                known.ops.insert(op.clone(), Vec::new());
            }
            messages
        };
        let committed = match messages {
            Ok(messages) => self.send(&op, messages, read, puts).await,
            Err(error) => {
                self.until_all_shown().await;
                Err(error)
            }
        };
        self.known().ops.remove(&op);
        let last = committed?;
        self.hear();
        self.until_shown(last).await;
        let first = last + 1 - puts.len() as u64;
        Ok((first..=last).map(Rev::new).collect())
    }

    /// Sends `messages`, and finds out what came of them: the number of the last.
    async fn send(
        &self,
        op: &str,
        messages: Vec<Outgoing>,
        read: Rev,
        puts: &[Put],
    ) -> Result<u64, StoreError> {
        let expected = expectations(&messages);
        let sent = batch::send(&self.link, op, messages).await;
        match sent.map_err(batch::explain) {
            Err(StoreError::Unknown(reason)) => {
                // Whoever comes now is refused, and does not wait behind this one.
                self.miss();
                tracing::warn!(op, reason, "what became of a write is looked for");
                self.look_up(op, &expected, (read, puts), reason).await
            }
            Err(StoreError::Conflict) => {
                let reason = "a server refused it for a change that is not there".to_owned();
                self.look_up(op, &expected, (read, puts), reason).await
            }
            Err(StoreError::Unavailable(reason)) => {
                // Nobody leads. Whoever comes now is refused until the engine was asked.
                self.doubt();
                Err(StoreError::Unavailable(reason))
            }
            Err(StoreError::Full(reason)) => Err(self.explain_full(op, reason).await),
            sent => sent,
        }
    }

    /// Looks what became of a commit: whether its messages come by, or another of one of their
    /// subjects, after which they cannot be taken any more.
    ///
    /// Also of one that was refused for a conflict: a server that led until a moment ago, and does
    /// not know yet that this is over, refuses what the one that leads now takes.
    ///
    /// # Errors
    /// `Conflict`; `Unknown` when neither comes for long.
    async fn look_up(
        &self,
        op: &str,
        expected: &[Option<u64>],
        (read, puts): (Rev, &[Put]),
        reason: String,
    ) -> Result<u64, StoreError> {
        let mut shown = self.shown.subscribe();
        let what_is_seen = || {
            let known = self.known();
            let seqs = known.ops.get(op)?;
            if seqs.len() == expected.len() {
                return seqs.last().copied().map(Ok);
            }
            let again = known.compose(read, puts);
            let is_still_so = again.is_ok_and(|again| expectations(&again) == expected);
            (seqs.is_empty() && !is_still_so).then_some(Err((StoreError::Conflict, known.seq)))
        };
        let seeing = async {
            loop {
                if let Some(seen) = what_is_seen() {
                    return seen;
                }
                // Fails only when the node is gone, and whoever waits with it.
                if shown.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        match timeout(LOOKED_UP_FOR, seeing).await {
            Ok(Ok(last)) => Ok(last),
            Ok(Err((conflict, seq))) => {
                self.until_shown(seq).await;
                Err(conflict)
            }
            Err(_) => Err(StoreError::Unknown(reason)),
        }
    }

    /// What a commit came to that there was no room for. One server alone that comes to its limit in
    /// the middle of a batch keeps what it has of it; three of them take a batch or do not.
    async fn explain_full(&self, op: &str, reason: String) -> StoreError {
        self.until_all_shown().await;
        match self.known().ops.get(op) {
            Some(seqs) if seqs.is_empty() => StoreError::Full(reason),
            _ => StoreError::Unknown(reason),
        }
    }

    /// Waits until everything that the stream has was shown, for a moment at most.
    async fn until_all_shown(&self) {
        let newest = read::state(&self.link, &PETS).await;
        self.until_shown(newest.map_or(0, |state| state.last_seq))
            .await;
    }

    /// Waits until the message `seq` was shown, for a moment at most.
    async fn until_shown(&self, seq: u64) {
        let mut shown = self.shown.subscribe();
        let waiting = shown.wait_for(|shown| *shown >= seq);
        // Later it is shown all the same; whoever asked is not kept waiting for that.
        let _ = timeout(SHOWN_WITHIN, waiting).await;
    }
}

/// What the last message of each subject must be.
fn expectations(messages: &[Outgoing]) -> Vec<Option<u64>> {
    messages.iter().map(|message| message.expected).collect()
}
