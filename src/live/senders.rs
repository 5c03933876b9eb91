//! Delivery to everyone who watches over WebSocket or SSE.
//!
//! There is a sender per core: a thread with an event loop of its own and a table of sockets. It
//! takes what is new from the hub's stream, merges it into one run of bytes per encoding, and
//! walks its table with one non-blocking write of those shared bytes per viewer. A viewer is a row
//! in the table and nothing else: no task, no buffer, no queue. One whose socket is full is skipped,
//! and when it takes bytes again it is given the newest status of each pet it missed.
//!
//! How a pass is paced is in `pace`, what a viewer is in `viewer`, who watches what in `table`.

mod batch;
mod delivery;
mod fan_out;
mod farewell;
mod listening;
mod pace;
mod sender;
mod table;
#[cfg(test)]
mod tests;
mod upkeep;
mod viewer;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::net::TcpStream;
use mio::{Poll, Waker};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

pub use self::batch::Batch;
use self::sender::{Sender, WAKE};
pub use self::table::Table;
pub use self::viewer::{Socket, Viewer};
use super::handoff::Connection;
use super::places::{Place, ViewerSlots};
use crate::auth::{Authenticator, SocketPrincipal};
use crate::hub::{Filter, Hub};
use crate::limits::{ClientAddress, ClientLimiter, RateLimit};
use crate::model::Cursor;
use crate::wire::{Encoding, SnapshotForm};
use crate::writer::Writer;

/// A viewer that was given everything up to `at`, and is given the rest by a sender.
pub struct Newcomer<S = TcpStream> {
    pub connection: Connection<S>,
    pub encoding: Encoding,
    pub filter: Filter,
    pub form: SnapshotForm,
    pub at: Cursor,
    /// What it said so far, if anything.
    pub said: Vec<u8>,
    /// Why its commands are refused.
    pub speaker: SocketPrincipal,
    pub visitor: ClientAddress,
    pub place: Place,
}

/// What all senders share.
#[derive(Clone)]
pub struct Context {
    pub hub: Arc<Hub>,
    pub writer: Writer,
    pub authenticator: Authenticator,
    pub limiter: Arc<ClientLimiter>,
    pub places: ViewerSlots,
    /// Where commands that viewers sent are carried out.
    pub tasks: TaskTracker,
    pub runtime: Handle,
    pub heartbeat: Duration,
    pub write_timeout: Duration,
    /// A connection is renewed at about this age.
    pub max_connection_age: Duration,
    /// Of a command.
    pub message_bytes: usize,
    /// How long one may take to arrive.
    pub message_time: Duration,
    /// How often a viewer may say something.
    pub messages: RateLimit,
}

/// A word to a sender's thread. As many wait as viewers join at this moment or have a command in
/// flight, both of which the places bound.
enum Note {
    Join(Box<Newcomer>),
    /// The answer to a command of the viewer in this row, if it is still the same one.
    Answer {
        row: usize,
        number: u64,
        frame: Bytes,
    },
    /// Tell everyone `bye`, also those who join from now on.
    SayBye,
    /// End once the table is empty, at most then.
    End {
        deadline: Instant,
    },
    /// A mistake in a sender.
    #[cfg(test)]
    Fail,
}

/// The threads. Stopped by `say_bye` and then `end`.
pub struct Senders {
    inboxes: Box<[Arc<Inbox>]>,
    next: AtomicUsize,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// How a sender is reached from other threads.
struct Inbox {
    notes: mpsc::Sender<Note>,
    waker: Waker,
    /// Whether it was woken and has not looked yet, so that a burst costs one wake-up.
    is_rung: AtomicBool,
}

impl Senders {
    /// Starts a thread per core.
    ///
    /// # Errors
    /// When the operating system gives no thread or no descriptor.
    pub fn start(context: Context) -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let mut inboxes = Vec::with_capacity(cores);
        let mut threads = Vec::with_capacity(cores);
        for _ in 0..cores {
            let poll = Poll::new()?;
            let (sender, notes) = mpsc::channel();
            let inbox = Arc::new(Inbox {
                notes: sender,
                waker: Waker::new(poll.registry(), WAKE)?,
                is_rung: AtomicBool::new(false),
            });
            let sender = Sender::new(poll, context.clone(), notes, Arc::clone(&inbox));
            let named = thread::Builder::new().name("sender".to_owned());
            threads.push(named.spawn(|| sender.run())?);
            inboxes.push(inbox);
        }
        let inboxes: Box<[_]> = inboxes.into();
        let rung = inboxes.clone();
        context
            .hub
            .on_publish(move || rung.iter().for_each(|inbox| inbox.ring()));
        Ok(Senders {
            inboxes,
            next: AtomicUsize::new(0),
            threads: Mutex::new(threads),
        })
    }

    /// Gives a viewer to a sender, each in turn.
    pub fn join(&self, newcomer: Newcomer) {
        let mut note = Note::Join(Box::new(newcomer));
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let count = self.inboxes.len();
        for inbox in (turn..turn + count).map(|turn| &self.inboxes[turn % count]) {
            match inbox.send(note) {
                Ok(()) => return,
                Err(returned) => note = returned,
            }
        }
    }

    /// Whether every thread is there.
    pub fn are_running(&self) -> bool {
        let threads = self.threads.lock().expect("no holder of this lock panics");
        threads.iter().all(|thread| !thread.is_finished())
    }

    /// Tells every viewer `bye` and closes its connection.
    pub fn say_bye(&self) {
        for inbox in &self.inboxes {
            // One that has ended has no viewers.
            let _ = inbox.send(Note::SayBye);
        }
    }

    /// Ends the threads, once nobody can join any more. Blocks until the last viewer has closed
    /// or ran out of time, at most until `deadline`.
    pub fn end(&self, deadline: Instant) {
        for inbox in &self.inboxes {
            // One that has ended need not be told.
            let _ = inbox.send(Note::End { deadline });
        }
        let mut threads = self.threads.lock().expect("no holder of this lock panics");
        for thread in threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a sender's thread panicked");
            }
        }
    }
}

impl Inbox {
    /// Gives the note back when the sender has ended.
    fn send(&self, note: Note) -> Result<(), Note> {
        self.notes.send(note).map_err(|returned| returned.0)?;
        self.ring();
        Ok(())
    }

    fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel)
            && let Err(error) = self.waker.wake()
        {
            tracing::error!(%error, "a sender could not be woken");
        }
    }
}
