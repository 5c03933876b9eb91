//! The live routes: what the hub publishes, brought to a viewer over WebSocket, Server-Sent Events
//! or long polling.
//!
//! Each route reads what a viewer asks for (`query`), lets it in (`places`), and gives it hello and
//! what it missed (`opening`). A poll is then answered; a socket leaves HTTP (`handoff`) and goes to
//! one of the `senders` (`arrival`), which also hear what a WebSocket viewer says (`reader`,
//! `conversation`, `commands`). No session lives on the server: the cursor in the request is the
//! whole state, so a viewer may come back over any transport. In the demo a viewer can ask for a bad
//! network on its way (`chaos`).

mod arrival;
mod chaos;
mod commands;
mod conversation;
mod echo;
mod handoff;
mod handshake;
mod opening;
mod places;
mod poll;
mod query;
mod reader;
pub mod senders;
mod sse;
mod state;
mod ws;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::commands::too_many_writes;
pub use self::echo::{Echo, Next};
pub use self::handoff::{Admission, Connection, Handoff};
pub use self::handshake::Upgrade;
pub use self::places::{Place, ViewerSlots, full_retry_seconds};
use self::poll::Answers;
pub use self::poll::poll;
pub use self::query::LiveQuery;
pub use self::reader::{NORMAL, POLICY, RESTART, Reader, close_frame};
use self::senders::Senders;
pub use self::sse::sse;
pub use self::state::state;
pub use self::ws::ws;
use crate::auth::{AuthMode, Authenticator};
use crate::error::Failure;
use crate::hub::Hub;
use crate::limits::{ClientAddress, ClientLimiter, RateLimit, SizeLimits, Timeouts};
use crate::model::{Cursor, Timestamp};
use crate::wire::Message;
use crate::writer::Writer;

/// How a viewer is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    WebSocket,
    Sse,
    Poll,
}

impl Transport {
    /// The word used in messages, metrics and addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Transport::WebSocket => "ws",
            Transport::Sse => "sse",
            Transport::Poll => "poll",
        }
    }
}

/// What every live route needs. One for the whole program, shared.
pub struct Live {
    pub hub: Arc<Hub>,
    pub writer: Writer,
    pub auth: AuthMode,
    /// Tells who asks.
    pub authenticator: Authenticator,
    pub limiter: Arc<ClientLimiter>,
    pub places: ViewerSlots,
    /// At most this long between two messages to a viewer.
    pub heartbeat: Duration,
    /// For how long a socket that watches nothing may be silent.
    pub idle_time: Duration,
    /// How long a message over WebSocket may take to arrive.
    pub message_time: Duration,
    /// Cancelled when every viewer is to be told `bye`.
    pub stop: CancellationToken,
    /// Cancelled when the time of a stop is over and whoever is still here is cut off.
    pub cut: CancellationToken,
    /// Owns the tasks of sockets that leave HTTP, and of commands that came over them.
    pub tasks: TaskTracker,
    answers: Answers,
    senders: Senders,
}

/// Settings of the live routes.
#[derive(Clone, Copy, Debug)]
pub struct LiveConfig {
    /// At most this long between two messages to a viewer.
    pub heartbeat: Duration,
    /// Simultaneous viewers.
    pub max_viewers: usize,
    /// A connection is renewed at about this age.
    pub max_connection_age: Duration,
    /// Frames that a WebSocket viewer may send per second, on average: messages, fragments, pings
    /// and pongs.
    pub messages_per_second: u32,
}

impl Live {
    /// Starts the senders. Called within the runtime that runs the commands.
    ///
    /// # Errors
    /// When the operating system gives no thread or no descriptor for a sender.
    pub fn start(
        hub: Arc<Hub>,
        writer: Writer,
        authenticator: Authenticator,
        limiter: Arc<ClientLimiter>,
        config: LiveConfig,
        sizes: SizeLimits,
        timeouts: Timeouts,
    ) -> io::Result<Self> {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let metrics = hub.metrics().clone();
        let places = ViewerSlots::new(
            config.max_viewers,
            Arc::clone(&limiter),
            metrics,
            stop.clone(),
        );
        let senders = Senders::start(senders::Context {
            hub: Arc::clone(&hub),
            writer: writer.clone(),
            authenticator: authenticator.clone(),
            limiter: Arc::clone(&limiter),
            places: places.clone(),
            tasks: tasks.clone(),
            runtime: tokio::runtime::Handle::current(),
            heartbeat: config.heartbeat,
            write_timeout: timeouts.write,
            max_connection_age: config.max_connection_age,
            message_bytes: sizes.message_bytes,
            message_time: timeouts.head,
            messages: RateLimit::per_second(config.messages_per_second),
        })?;
        Ok(Live {
            hub,
            writer,
            auth: authenticator.auth(),
            authenticator,
            limiter,
            places,
            heartbeat: config.heartbeat,
            idle_time: timeouts.idle,
            message_time: timeouts.head,
            stop,
            cut: CancellationToken::new(),
            tasks,
            answers: Answers::default(),
            senders,
        })
    }

    /// Tells every viewer `bye`, and admits no more.
    pub fn say_bye(&self) {
        self.stop.cancel();
        self.senders.say_bye();
    }

    /// Ends the senders, once no connection can join any more. Blocks until their last viewer has
    /// closed, at most until `deadline`.
    pub fn end(&self, deadline: Instant) {
        self.senders.end(deadline);
    }

    /// Whether changes can be made and reach those who watch.
    pub fn is_working(&self) -> bool {
        self.writer.is_writable() && self.senders.are_running()
    }

    /// Whether changes cannot be made only because the engine is out of reach. That is so for all
    /// nodes at once, and everyone may still read and watch.
    pub fn is_cut_off(&self) -> bool {
        let is_sound = self.senders.are_running() && self.writer.is_running();
        self.hub.is_shared() && is_sound && !self.writer.is_writable()
    }

    /// Counts a request that was refused because the memory budget of all requests was used up.
    pub fn count_refused_buffers(&self) {
        let refused = &self.hub.metrics().refused;
        refused.with_label_values(&["buffers"]).inc();
    }

    /// Lets a viewer in, and counts it.
    fn admit(
        &self,
        transport: Transport,
        query: &LiveQuery,
        visitor: ClientAddress,
    ) -> Result<Place, Failure> {
        let place = self.places.admit(transport, visitor)?;
        query.count_switch(self.hub.metrics(), transport.as_str());
        Ok(place)
    }

    /// First on every connection.
    fn hello(&self, transport: Transport, cursor: Cursor) -> Message<'static> {
        Message::Hello {
            cursor,
            transport: transport.as_str(),
            heartbeat_ms: u64::try_from(self.heartbeat.as_millis()).unwrap_or(u64::MAX),
            server_time: Timestamp::now(),
        }
    }
}

/// When nothing else was sent for the heartbeat's time.
fn heartbeat(cursor: Cursor) -> Message<'static> {
    Message::Heartbeat {
        cursor,
        server_time: Timestamp::now(),
    }
}

/// What says that the server is there, when there is nothing else to say.
fn sign_of_life(cursor: Cursor, stale_since: Option<Timestamp>) -> Message<'static> {
    match stale_since {
        Some(since) => Message::Stale { since },
        None => heartbeat(cursor),
    }
}

/// Last on a connection that the server ends on purpose.
fn bye(reason: &str, retry_ms: u64) -> Message<'_> {
    Message::Bye { reason, retry_ms }
}

/// A request that did not come over a connection of the accept loop has no socket to take over.
fn no_handoff() -> Failure {
    tracing::error!("a live request came without its connection");
    Failure::internal()
}
