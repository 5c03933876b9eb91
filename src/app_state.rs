//! State that the handlers of requests share: one `AppState` for the whole program.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{AuthMode, Authenticator};
use crate::delivery::{
    Delivery, DeliveryLimits, HeartbeatRange, PendingPoll, PendingViewer, PollCache, ViewerSlots,
    WorkerContext,
};
use crate::hub::Hub;
use crate::limits::{ClientLimiter, RateLimit, SizeLimits, Timeouts};
use crate::metrics::Metrics;
use crate::model::Rescue;
use crate::writer::Writer;

/// Handles to the parts of the running program.
pub struct AppState {
    hub: Arc<Hub>,
    writer: Writer,
    authenticator: Authenticator,
    limiter: Arc<ClientLimiter>,
    heartbeats: HeartbeatRange,
    timeouts: Timeouts,
    slots: ViewerSlots,
    poll_cache: Arc<PollCache>,
    delivery: Delivery,
    /// Cancelled when the program begins to stop.
    stop: CancellationToken,
    /// Cancelled when the grace of a stop is over.
    abort: CancellationToken,
    /// Owns the tasks of sockets that leave HTTP, and of commands that came over them.
    tasks: TaskTracker,
}

/// Settings of the live routes.
#[derive(Clone, Copy, Debug)]
pub struct LiveConfig {
    /// The longest time between two messages to a viewer.
    pub heartbeat: Duration,
    /// The shortest such time that a viewer may ask for.
    pub min_heartbeat: Duration,
    /// The shortest time between two writes to the viewers of one worker.
    pub pace: Duration,
    /// Viewers at the same time, over all transports.
    pub max_viewers: usize,
    /// A viewer is asked to reconnect at about this age of its connection.
    pub max_connection_age: Duration,
    /// Frames that a WebSocket viewer may send per second, on average: messages, fragments, pings
    /// and pongs.
    pub messages_per_second: u32,
}

impl AppState {
    /// Starts the delivery workers. Must be called within the runtime that runs the commands.
    ///
    /// # Errors
    /// When the operating system gives no thread or no descriptor.
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
        let slots = ViewerSlots::new(
            config.max_viewers,
            Arc::clone(&limiter),
            metrics,
            stop.clone(),
        );
        let heartbeats = HeartbeatRange::new(config.min_heartbeat, config.heartbeat);
        let poll_cache = Arc::new(PollCache::default());
        let delivery = Delivery::start(WorkerContext {
            hub: Arc::clone(&hub),
            limiter: Arc::clone(&limiter),
            slots: slots.clone(),
            tasks: tasks.clone(),
            runtime: tokio::runtime::Handle::current(),
            limits: DeliveryLimits {
                heartbeats,
                pace: config.pace,
                write_timeout: timeouts.write,
                idle_timeout: timeouts.idle,
                max_connection_age: config.max_connection_age,
                message_bytes: sizes.message_bytes,
                message_timeout: timeouts.head,
                message_rate: RateLimit::per_second(config.messages_per_second),
            },
            poll_cache: Arc::clone(&poll_cache),
        })?;
        Ok(AppState {
            hub,
            writer,
            authenticator,
            limiter,
            heartbeats,
            timeouts,
            slots,
            poll_cache,
            delivery,
            stop,
            abort: CancellationToken::new(),
            tasks,
        })
    }

    /// Returns the hub, for reading.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Returns the metrics.
    pub fn metrics(&self) -> &Metrics {
        self.hub.metrics()
    }

    /// Returns the writer, for commands.
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Returns the authenticator.
    pub fn authenticator(&self) -> &Authenticator {
        &self.authenticator
    }

    /// Returns the settings of the rescue.
    pub fn rescue(&self) -> Arc<Rescue> {
        self.authenticator.rescue()
    }

    /// Returns who may write.
    pub fn auth(&self) -> AuthMode {
        self.authenticator.mode()
    }

    /// Returns the limits per client.
    pub fn limiter(&self) -> &ClientLimiter {
        &self.limiter
    }

    /// Returns the bounds of the longest time between two messages to a viewer.
    pub fn heartbeats(&self) -> HeartbeatRange {
        self.heartbeats
    }

    /// Returns how long a connection may wait for its client.
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// Returns the slots of viewers.
    pub fn slots(&self) -> &ViewerSlots {
        &self.slots
    }

    /// Hands a viewer to a delivery worker.
    pub fn register(&self, viewer: PendingViewer) {
        self.delivery.register(viewer);
    }

    /// Hands a poll that waits to a delivery worker.
    pub fn register_poll(&self, poll: PendingPoll) {
        self.delivery.register_poll(poll);
    }

    /// Returns the answers that polls share.
    pub fn poll_cache(&self) -> &PollCache {
        &self.poll_cache
    }

    /// Returns the token that is cancelled when the program begins to stop.
    pub fn stop_token(&self) -> &CancellationToken {
        &self.stop
    }

    /// Returns the token that is cancelled when the grace of a stop is over.
    pub fn abort_token(&self) -> &CancellationToken {
        &self.abort
    }

    /// Returns true if the program is stopping.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Spawns a task that is awaited when the program stops, and aborted after the grace.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let task = self.abort.clone().run_until_cancelled_owned(task);
        self.tasks.spawn(task);
    }

    /// Begins to stop: admits no more viewers, and sends `bye` to those that are connected.
    pub fn stop(&self) {
        self.stop.cancel();
        self.delivery.close_all();
        self.tasks.close();
    }

    /// Waits for the tasks of `spawn`. Called after `stop`.
    pub async fn wait_for_tasks(&self) {
        self.tasks.wait().await;
    }

    /// Aborts tasks and connections that did not end within the grace.
    pub fn abort(&self) {
        self.abort.cancel();
    }

    /// Ends the delivery workers, once no more viewers are registered. Blocks until their last
    /// viewer is disconnected, and not longer than until `deadline`.
    pub fn end_delivery(&self, deadline: Instant) {
        self.delivery.end(deadline);
    }

    /// Returns true if changes can be made and are delivered.
    pub fn is_working(&self) -> bool {
        self.writer.is_writable() && self.delivery.is_running()
    }

    /// Returns true if changes cannot be made only because a shared engine does not respond. All
    /// nodes are affected then, and still serve reads.
    pub fn is_engine_unreachable(&self) -> bool {
        self.hub.is_shared() && self.has_all_threads() && !self.writer.is_writable()
    }

    /// Returns true if no thread that writes or delivers has ended.
    pub fn has_all_threads(&self) -> bool {
        self.delivery.is_running() && self.writer.is_running()
    }

    /// Counts a request that was refused because the memory budget of all requests was used up.
    pub fn count_refused_memory(&self) {
        let refused = &self.metrics().refused;
        refused.with_label_values(&["buffers"]).inc();
    }

    /// Counts a change that was refused by the rate limit on writes.
    pub fn count_refused_write(&self) {
        let refused = &self.metrics().refused;
        refused.with_label_values(&["writes"]).inc();
    }
}
