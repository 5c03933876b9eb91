//! The workers, and which of them serves which socket.
//!
//! One worker serves all viewers until its passes are long: a second core costs cache misses and
//! wake-ups, and only a long pass is shorter if it is shared. Then twice as many workers serve, up to
//! all of them. Sockets are shared in blocks of neighbouring numbers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::close_reason::CloseReason;
use super::timers::Heartbeats;
use super::viewer::{Viewer, ViewerSocket as _};
use super::viewers::BLOCK_ROWS;
use super::worker::Worker;
use super::{Mailbox, PendingPoll, WorkerMessage};
use crate::model::{Epoch, Timestamp};

/// A pass that is worth sharing.
const LONG_PASS: Duration = Duration::from_millis(10);

/// Long passes in a row after which more workers serve. One alone may have been interrupted by
/// another process.
const LONG_PASSES: u32 = 2;

/// The mailboxes of all workers.
pub struct Team {
    mailboxes: Box<[Arc<Mailbox>]>,
    /// Number of workers that serve viewers: the first ones.
    serving: AtomicUsize,
}

impl Team {
    /// Creates a team of which the first worker serves.
    pub fn new(mailboxes: Vec<Arc<Mailbox>>) -> Self {
        Team {
            mailboxes: mailboxes.into(),
            serving: AtomicUsize::new(1),
        }
    }

    /// Returns the mailboxes of all workers.
    pub fn mailboxes(&self) -> &[Arc<Mailbox>] {
        &self.mailboxes
    }

    /// Returns the number of workers that serve viewers.
    pub fn serving(&self) -> usize {
        self.serving.load(Ordering::Acquire)
    }

    /// Returns the worker that serves the socket with this number.
    pub fn owner(&self, socket: usize) -> usize {
        socket / BLOCK_ROWS % self.serving()
    }

    /// Lets twice as many workers serve, if there were `serving`. Each of them hands over what it no
    /// longer owns once it is woken.
    pub fn grow(&self, serving: usize) {
        self.resize(serving, (serving * 2).min(self.mailboxes.len()));
    }

    /// Lets one worker serve again, if there were `serving`.
    pub fn shrink(&self, serving: usize) {
        self.resize(serving, 1);
    }

    fn resize(&self, from: usize, to: usize) {
        let swapped = self
            .serving
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed);
        if from != to && swapped.is_ok() {
            tracing::debug!(from, to, "delivery workers");
            self.mailboxes[..from.max(to)]
                .iter()
                .for_each(|mailbox| mailbox.wake());
        }
    }

    /// Wakes the workers that serve.
    pub fn wake(&self) {
        self.mailboxes[..self.serving()]
            .iter()
            .for_each(|mailbox| mailbox.wake());
    }

    /// Registers a poll with the worker that serves its socket.
    pub fn register_poll(&self, poll: PendingPoll) {
        let socket = poll.deferred.connection.stream.number();
        self.send_to_owner(socket, WorkerMessage::RegisterPoll(Box::new(poll)));
    }

    /// Sends a message to the worker that serves this socket, or to another one if that has ended.
    pub fn send_to_owner(&self, socket: usize, mut message: WorkerMessage) {
        let (owner, count) = (self.owner(socket), self.mailboxes.len());
        for mailbox in (owner..owner + count).map(|turn| &self.mailboxes[turn % count]) {
            match mailbox.send(message) {
                Ok(()) => return,
                Err(returned) => message = returned,
            }
        }
    }
}

/// Viewers that another worker served until now.
pub struct HandedViewers {
    /// The epoch of what they were sent.
    epoch: Epoch,
    /// When the engine stopped responding, as far as they were told.
    stale_since: Option<Timestamp>,
    viewers: Vec<Viewer>,
}

/// Lets more workers serve if passes are long.
pub fn share_long_passes(worker: &mut Worker, took: Duration) {
    worker.long_passes = if took < LONG_PASS {
        0
    } else {
        worker.long_passes + 1
    };
    if worker.long_passes >= LONG_PASSES {
        worker.team.grow(worker.serving);
    }
}

/// Lets one worker serve again when half of the crowd has left that made more workers serve.
pub fn release_others(worker: &Worker) {
    if worker.index == 0 && worker.count() * worker.serving < worker.crowd / 2 {
        worker.team.shrink(worker.serving);
    }
}

/// Hands over the viewers and the polls that other workers own, since another number of workers serves.
pub fn hand_over(worker: &mut Worker) {
    let before = std::mem::replace(&mut worker.serving, worker.team.serving());
    worker.long_passes = 0;
    worker.crowd = if worker.serving > before {
        worker.count() * before
    } else {
        0
    };
    if worker.is_stopping {
        return;
    }
    worker.polls.hand_over();
    let workers = worker.team.mailboxes().len();
    let mut handed: Vec<Vec<Viewer>> = (0..workers).map(|_| Vec::new()).collect();
    for row in worker.viewers.rows() {
        let owner = worker.team.owner(row);
        if owner != worker.index
            && let Some(mut viewer) = worker.viewers.take(row)
            && worker
                .inbox
                .poll
                .registry()
                .deregister(viewer.socket())
                .is_ok()
        {
            handed[owner].push(viewer);
        }
    }
    for (mailbox, viewers) in worker.team.mailboxes().iter().zip(handed) {
        if !viewers.is_empty() {
            // A worker that has ended would not serve them: they reconnect.
            let _ = mailbox.send(WorkerMessage::HandOver(HandedViewers {
                epoch: worker.position.at.epoch,
                stale_since: worker.position.stale_since,
                viewers,
            }));
        }
    }
}

/// Continues with the viewers of another worker.
pub fn take_over(worker: &mut Worker, handed: HandedViewers) {
    let now = Instant::now();
    for viewer in handed.viewers {
        let Ok(row) = worker.insert(viewer, now) else {
            continue;
        };
        if handed.epoch != worker.position.at.epoch {
            worker.close(row, CloseReason::NewEpoch);
            continue;
        }
        worker.catch_up(row);
        if handed.stale_since != worker.position.stale_since
            && let Some(viewer) = worker.viewers.get_mut(row)
        {
            let mut heartbeats = Heartbeats::new(&worker.position, &worker.context.hub);
            let outcome = heartbeats.send(viewer, now);
            worker.viewers.settle(row, outcome);
        }
        if worker.is_stopping {
            worker.close(row, CloseReason::Stopping);
        }
    }
}
