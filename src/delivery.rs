//! Delivers frames to the viewers that are connected over WebSocket or SSE, and answers long polls.
//!
//! There is one worker per core: a thread with its own event loop and its own table of sockets. One of
//! them serves all viewers until its passes are long; then they share the viewers (`team`). A worker takes
//! new frames from the hub's stream, merges them into one run of bytes per encoding (`batch`), and writes
//! those shared bytes to each socket with one non-blocking write (`fan_out`). A viewer is a row of that table
//! and nothing else: no task, no buffer, no queue; so is a poll that waits (`polls`). A viewer whose socket is
//! full is skipped; once the socket takes bytes again, it gets the newest frame per topic.
//!
//! This module knows topics and frames, and not what they are about. A message from a viewer goes
//! to the `MessageHandler` that the viewer was registered with.

mod batch;
mod close_reason;
mod decoder;
mod fan_out;
mod heartbeat_range;
mod inbound;
mod pacing;
mod polls;
mod slots;
mod stream_position;
mod team;
#[cfg(test)]
mod tests;
mod timers;
mod viewer;
mod viewers;
mod worker;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::net::TcpStream;
use mio::{Poll, Waker};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

pub use self::batch::FrameBatch;
pub use self::close_reason::bye;
pub use self::decoder::{
    CloseCode, FrameDecoder, FrameHeader, Incoming, IncomingMessage, Opcode, Violation,
    close_frame, parse_control, pong_frame,
};
pub use self::fan_out::fan_out;
pub use self::heartbeat_range::{HeartbeatRange, whole_ms};
pub use self::inbound::{MessageHandler, Reply};
pub use self::polls::{PendingPoll, PollCache, PollKey, RepeatableRequest, hello};
pub use self::slots::{Transport, ViewerSlot, ViewerSlots};
use self::team::{HandedViewers, Team};
pub use self::timers::keep_alive;
pub use self::viewer::{Viewer, ViewerSocket};
pub use self::viewers::Viewers;
use self::worker::{WAKE, Worker};
use crate::hub::{Chain, Hub};
use crate::limits::{ClientAddress, ClientLimiter, RateLimit};
use crate::model::Cursor;
use crate::serve::Connection;
use crate::wire::{Encoding, SnapshotForm};

/// A viewer that has received everything up to `at`, on its way to a worker.
pub struct PendingViewer<S = TcpStream> {
    /// The socket, which has left HTTP.
    pub connection: Connection<S>,
    /// How frames are written to the socket.
    pub encoding: Encoding,
    /// The topics that the viewer subscribed to, and the last frame that it was sent.
    pub chain: Chain,
    /// The form in which the viewer receives snapshots.
    pub form: SnapshotForm,
    /// The cursor of the last frame that the viewer has received.
    pub at: Cursor,
    /// The longest time between two messages to the viewer.
    pub heartbeat: Duration,
    /// Bytes that the viewer sent before it was registered.
    pub received: Vec<u8>,
    /// Handles messages of the viewer. `None` for SSE, where whatever is received is dropped.
    pub handler: Option<Box<dyn MessageHandler>>,
    /// Where the viewer comes from.
    pub visitor: ClientAddress,
    /// Held for as long as the viewer is connected.
    pub slot: ViewerSlot,
}

/// Limits on viewers, from the configuration.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryLimits {
    /// The bounds of the time between two messages to a viewer.
    pub heartbeats: HeartbeatRange,
    /// The shortest time between the starts of two passes. Changes are merged meanwhile.
    pub pace: Duration,
    /// A viewer whose socket takes no byte for this long is dropped.
    pub write_timeout: Duration,
    /// A connection without a request is closed after this time.
    pub idle_timeout: Duration,
    /// A viewer is asked to reconnect at about this age of its connection.
    pub max_connection_age: Duration,
    /// The longest message of a viewer, in bytes.
    pub message_bytes: usize,
    /// A message has to arrive completely within this time.
    pub message_timeout: Duration,
    /// WebSocket frames that a viewer may send, on average and in a burst.
    pub message_rate: RateLimit,
}

/// Handles and limits that all workers share.
#[derive(Clone)]
pub struct WorkerContext {
    /// Where frames come from.
    pub hub: Arc<Hub>,
    /// Budget of memory for unfinished messages.
    pub limiter: Arc<ClientLimiter>,
    /// Counts viewers, and tells when they should come back after a stop.
    pub slots: ViewerSlots,
    /// Owns the futures of `Reply::Later`.
    pub tasks: TaskTracker,
    /// Runs those futures.
    pub runtime: Handle,
    /// Limits on viewers.
    pub limits: DeliveryLimits,
    /// Answers that polls share.
    pub poll_cache: Arc<PollCache>,
}

/// A message to a worker. The mailbox is bounded by the number of viewers that are being registered
/// or have a reply in flight, each of which holds a slot.
enum WorkerMessage {
    Register(Box<PendingViewer>),
    RegisterPoll(Box<PendingPoll>),
    /// The frame of a `Reply::Later` to the viewer in this row, if it still has this id.
    Reply {
        row: usize,
        viewer_id: u64,
        frame: Bytes,
    },
    HandOver(HandedViewers),
    /// Sends `bye` to all viewers, also to those that are registered from now on.
    CloseAll,
    /// Ends the thread once it has no viewers, and not later than the deadline.
    End {
        deadline: Instant,
    },
    /// Panics, to test the recovery.
    #[cfg(test)]
    Panic,
}

/// The receiving side of a worker's mailbox, and the event loop that it wakes.
struct Inbox {
    poll: Poll,
    messages: mpsc::Receiver<WorkerMessage>,
}

/// Handle to the worker threads. Stopped by `close_all` and then `end`.
pub struct Delivery {
    team: Arc<Team>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// The sending side of a worker's mailbox.
struct Mailbox {
    messages: mpsc::Sender<WorkerMessage>,
    waker: Waker,
    /// Set while a wake-up is pending, so that a burst of messages costs one system call.
    is_woken: AtomicBool,
}

impl Delivery {
    /// Starts one worker thread per core.
    ///
    /// # Errors
    /// When the operating system gives no thread or no descriptor.
    pub fn start(context: WorkerContext) -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let (mut mailboxes, mut inboxes) = (Vec::new(), Vec::new());
        for _ in 0..cores {
            let (mailbox, inbox) = Mailbox::new()?;
            mailboxes.push(mailbox);
            inboxes.push(inbox);
        }
        let team = Arc::new(Team::new(mailboxes));
        let mut threads = Vec::with_capacity(cores);
        for (index, inbox) in inboxes.into_iter().enumerate() {
            let worker = Worker::new(index, inbox, context.clone(), Arc::clone(&team))?;
            let thread = thread::Builder::new().name("delivery".to_owned());
            threads.push(thread.spawn(|| worker.run())?);
        }
        let woken = Arc::clone(&team);
        context.hub.on_publish(move || woken.wake());
        Ok(Delivery {
            team,
            threads: Mutex::new(threads),
        })
    }

    /// Registers a viewer with the worker that serves its socket.
    pub fn register(&self, viewer: PendingViewer) {
        let socket = viewer.connection.stream.number();
        let register = WorkerMessage::Register(Box::new(viewer));
        self.team.send_to_owner(socket, register);
    }

    /// Registers a poll with the worker that serves its socket.
    pub fn register_poll(&self, poll: PendingPoll) {
        self.team.register_poll(poll);
    }

    /// Returns true if no worker has ended.
    pub fn is_running(&self) -> bool {
        let threads = self.threads.lock().expect("no holder of this lock panics");
        threads.iter().all(|thread| !thread.is_finished())
    }

    /// Sends `bye` to every viewer and closes its connection.
    pub fn close_all(&self) {
        for mailbox in self.team.mailboxes() {
            // A worker that has ended has no viewers.
            let _ = mailbox.send(WorkerMessage::CloseAll);
        }
    }

    /// Ends the threads. Blocks until the last viewer is disconnected, and not longer than until
    /// `deadline`. Called when no more viewers are registered.
    pub fn end(&self, deadline: Instant) {
        for mailbox in self.team.mailboxes() {
            // Fails if the worker has ended already.
            let _ = mailbox.send(WorkerMessage::End { deadline });
        }
        let mut threads = self.threads.lock().expect("no holder of this lock panics");
        for thread in threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a delivery worker panicked");
            }
        }
    }
}

impl Mailbox {
    fn new() -> io::Result<(Arc<Self>, Inbox)> {
        let poll = Poll::new()?;
        let (sender, messages) = mpsc::channel();
        let mailbox = Arc::new(Mailbox {
            messages: sender,
            waker: Waker::new(poll.registry(), WAKE)?,
            is_woken: AtomicBool::new(false),
        });
        Ok((mailbox, Inbox { poll, messages }))
    }

    /// Sends a message and wakes the worker. Returns the message if the worker has ended.
    fn send(&self, message: WorkerMessage) -> Result<(), WorkerMessage> {
        self.messages.send(message).map_err(|returned| returned.0)?;
        self.wake();
        Ok(())
    }

    fn wake(&self) {
        if !self.is_woken.swap(true, Ordering::AcqRel)
            && let Err(error) = self.waker.wake()
        {
            tracing::error!(%error, "a delivery worker could not be woken");
        }
    }
}
