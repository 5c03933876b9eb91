//! Frames that wait for one viewer.
//!
//! A router puts them in and never waits; the viewer's feed takes them out. Beyond the limit the
//! mailbox is emptied and marked as behind: the viewer will be given a snapshot instead, which is
//! newer than anything that was thrown away.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;

use crate::wire::Frame;

/// Frames that may wait for one viewer. They are shared, so a full mailbox costs 8 bytes a frame;
/// the limit is there to stop sending what a snapshot says better.
pub const MAILBOX_LIMIT: usize = 256;

/// One viewer's waiting frames.
#[derive(Default)]
pub struct Mailbox {
    waiting: Mutex<Waiting>,
    /// Holds one permit at most, so a frame put in before anyone waits is not missed.
    filled: Notify,
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<Frame>,
    is_behind: bool,
}

/// What a viewer finds in its mailbox.
pub enum Taken {
    Frame(Frame),
    /// Frames were thrown away: take a snapshot.
    Behind,
    Empty,
}

impl Mailbox {
    /// Puts a frame in, or marks the viewer as behind when there is no room.
    pub fn put(&self, frame: Frame) {
        let mut waiting = self.waiting();
        if waiting.is_behind {
            return;
        }
        if waiting.frames.len() < MAILBOX_LIMIT {
            waiting.frames.push_back(frame);
        } else {
            waiting.fall_behind();
        }
        drop(waiting);
        self.filled.notify_one();
    }

    /// Throws away what waits: something was lost on the way here.
    pub fn fall_behind(&self) {
        self.waiting().fall_behind();
        self.filled.notify_one();
    }

    /// Takes the oldest frame. `Behind` is told once; frames put in after it are kept.
    pub fn take(&self) -> Taken {
        let mut waiting = self.waiting();
        if waiting.is_behind {
            waiting.is_behind = false;
            return Taken::Behind;
        }
        match waiting.frames.pop_front() {
            Some(frame) => Taken::Frame(frame),
            None => Taken::Empty,
        }
    }

    pub fn is_empty(&self) -> bool {
        let waiting = self.waiting();
        waiting.frames.is_empty() && !waiting.is_behind
    }

    /// Waits until something was put in since the last time. Cancel safe.
    pub async fn filled(&self) {
        self.filled.notified().await;
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("no holder of this lock panics")
    }
}

impl Waiting {
    fn fall_behind(&mut self) {
        self.frames = VecDeque::new();
        self.is_behind = true;
    }
}
