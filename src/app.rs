//! Builds the parts of the server, starts them in order, and stops them in reverse order.
//!
//! | started | stopped |
//! |---|---|
//! | 1. listeners, without accepting | 6. |
//! | 2. store, accounts, hub | 5. the engine is closed |
//! | 3. writer | 4. after its queue is empty |
//! | 4. delivery workers | 3. after their last viewer |
//! | 5. servers, simulator, workers of webhooks, maintenance | 2. after their last request |
//! | 6. requests are accepted | 1. no more |

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tokio::time::{timeout, timeout_at};
use tokio_util::task::TaskTracker;

use crate::app_state::AppState;
use crate::auth::Authenticator;
use crate::clock::Clock;
use crate::config::{Config, EngineChoice};
use crate::hub::{Hub, REQUESTS_KEPT_FOR};
use crate::limits::ClientLimiter;
use crate::live::WebhookWorkers;
use crate::metrics::Metrics;
use crate::model::{ActivitiesVersion, ChangeSource, Rescue, Rev};
use crate::serve::{PassedListeners, Server, adopt, listen, probe};
use crate::simulator::{self, Simulator, add_portraits, sample_pets};
use crate::store::{AccountStore, Duty, Engine, RedbEngine, StoreError, connect_cluster};
use crate::web;
use crate::writer::{self, WriteError, Writer};

/// Simultaneous connections at `--metrics-listen`: a few scrapers.
const METRICS_CONNECTIONS: usize = 16;

/// Connections are cut after this part of the grace, which leaves time to close the store.
const CONNECTION_GRACE: f32 = 0.9;

/// How long an open connection may send one more request after the stop, if its socket was passed by a
/// service manager: an upgrade then loses none that was on its way.
const DRAIN: Duration = Duration::from_millis(500);

/// The hub is read for the health of the server. A reader waits for microseconds, unless a thread that
/// holds its lock is stuck.
const HUB_TIMEOUT: Duration = Duration::from_secs(5);

/// A running server. Dropping it without `stop` leaves its tasks to the runtime.
pub struct App {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    grace: Duration,
    /// Accept loops, HTTP connections, the simulator, the workers of webhooks and the maintenance of accounts.
    tasks: TaskTracker,
    /// Handles that the requests share, and the delivery workers.
    state: Arc<AppState>,
    writer_thread: JoinHandle<()>,
    engine: Arc<dyn Engine>,
}

/// Failure of a start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store could not be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sample pets could not be added.
    #[error("cannot add the sample pets: {0}")]
    Samples(#[from] WriteError),
    /// An address is in use, or is not this machine's.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The operating system gave no thread, or no file descriptor for one.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

impl App {
    /// Builds and starts the parts. Requests are accepted when this returns.
    ///
    /// # Errors
    /// The first part that could not be started.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        App::start_on(config, PassedListeners::default()).await
    }

    /// As `start`, on the sockets that were passed instead of those of the configuration.
    ///
    /// # Errors
    /// As for `start`.
    pub async fn start_on(config: Config, passed: PassedListeners) -> Result<Self, StartError> {
        let drain = passed.site.as_ref().map_or(Duration::ZERO, |_| DRAIN);
        // Before the store is opened or created: an address that is in use must not create a store.
        let (listener, address) = open_listener(config.listen, passed.site)?;
        let metrics_listener = config
            .metrics_listen
            .map(|address| open_listener(address, passed.metrics))
            .transpose()?;

        let metrics = Metrics::new();
        let mut random = simulator::seeded_random(config.simulator.seed);
        let samples = sample_pets(config.simulator.sample_pets, &mut random);
        let (engine, hub, authenticator) = open_store(&config, metrics.clone(), samples).await?;

        // The log contains the keys of requests, so changes are kept for at least as long as keys.
        let history = config.store.history;
        let history = history.map(|history| history.max(REQUESTS_KEPT_FOR));
        let writer = Writer::start_with_retention(
            Arc::clone(&engine),
            Arc::clone(&hub),
            history,
            Clock::system(),
        );
        let (writer, writer_thread) = writer.map_err(StartError::Thread)?;

        let limiter = Arc::new(ClientLimiter::new(&config.client_limits));
        metrics.add_gauge(limiter.memory_gauge());
        let state = AppState::start(
            Arc::clone(&hub),
            writer.clone(),
            authenticator.clone(),
            Arc::clone(&limiter),
            config.live,
            config.size_limits,
            config.timeouts,
        );
        let state = Arc::new(state.map_err(StartError::Thread)?);

        let app = App {
            address,
            metrics_address: metrics_listener.as_ref().map(|(_, address)| *address),
            grace: config.grace,
            tasks: TaskTracker::new(),
            state: Arc::clone(&state),
            writer_thread,
            engine: Arc::clone(&engine),
        };
        let serve = |listener, endpoint, max_connections| {
            let server = Server {
                listener,
                endpoint,
                metrics: metrics.clone(),
                max_connections,
                sizes: config.size_limits,
                timeouts: config.timeouts,
                limiter: Arc::clone(&limiter),
                drain,
            };
            let (stop, abort) = (state.stop_token(), state.abort_token());
            let running = server.run(app.tasks.clone(), stop.clone(), abort.clone());
            app.tasks.spawn(running);
        };
        if let Some((listener, _)) = metrics_listener {
            let endpoint = web::metrics_endpoint(metrics.clone());
            serve(listener, endpoint, METRICS_CONNECTIONS);
        }
        let bodies = web::BodyLimits {
            bytes: config.size_limits.body_bytes,
            time: config.timeouts.body,
        };
        let endpoint = web::endpoint(
            Arc::clone(&state),
            Arc::clone(&engine),
            bodies,
            config.service_worker,
        );
        serve(listener, endpoint, config.max_connections);

        if authenticator.staff().is_ok() {
            let workers = WebhookWorkers::new(
                Arc::clone(&hub),
                engine,
                authenticator.clone(),
                config.webhooks,
            );
            let sending = Arc::new(workers).run(state.stop_token().clone());
            app.tasks.spawn(sending);
            app.spawn_until_stop(run_maintenance(authenticator));
        }
        if let Some(period) = config.simulator.period {
            hub.campaign(Duty::Simulator);
            app.spawn_until_stop(Simulator::new(hub, writer, period, random).run());
        }
        Ok(app)
    }

    fn spawn_until_stop(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.state.stop_token().clone();
        self.tasks.spawn(stop.run_until_cancelled_owned(task));
    }

    /// Returns the address of the site, with the port that was picked for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address of `--metrics-listen`, if there is one.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Returns true if every part runs and a request is answered. Not if the store refuses writes: a
    /// restart does not make room on a disk.
    pub async fn is_healthy(&self) -> bool {
        if !self.state.has_all_threads() {
            return false;
        }
        let hub = Arc::clone(self.state.hub());
        let read = spawn_blocking(move || hub.newest());
        if !matches!(timeout(HUB_TIMEOUT, read).await, Ok(Ok(_))) {
            return false;
        }
        match probe(self.address).await {
            Ok(_) => true,
            // This process has no descriptor for the request; it has all others.
            Err(error) => is_out_of_descriptors(&error),
        }
    }

    /// Returns true if writes need staff and there is no account yet.
    pub fn has_no_staff(&self) -> bool {
        let staff = self.state.authenticator().staff();
        staff.is_ok_and(|staff| staff.accounts().is_empty())
    }

    /// Returns the link at which the first admin account is created. `None` if there are accounts, on
    /// a cluster, and after the first call.
    pub fn take_bootstrap_link(&self) -> Option<String> {
        let authenticator = self.state.authenticator();
        let token = authenticator.staff().ok()?.take_bootstrap_token()?;
        let site = match authenticator.base() {
            Some(base) => base.site(),
            None => format!("http://{}", reachable(self.address)),
        };
        Some(format!("{site}{}", web::invitation_path(&token)))
    }

    /// Stops gracefully: sends `bye` to every viewer, finishes requests, and closes the store.
    /// Connections that do not end within the grace are cut. Returns true if everything ended in
    /// time.
    pub async fn stop(self) -> bool {
        let deadline = Instant::now() + self.grace.mul_f32(CONNECTION_GRACE);
        self.state.stop();
        self.tasks.close();
        let connections = async {
            self.tasks.wait().await;
            self.state.wait_for_tasks().await;
        };
        let in_time = timeout_at(deadline.into(), connections).await.is_ok();
        if !in_time {
            tracing::warn!("cutting connections that did not end within the grace");
        }
        self.state.abort();
        self.tasks.wait().await;
        // No connection is left that could become a viewer.
        let state = Arc::clone(&self.state);
        let workers_ended = spawn_blocking(move || state.end_delivery(deadline)).await;
        if let Ok(staff) = self.state.authenticator().staff() {
            staff.close().await;
        }
        self.state.writer().stop().await;
        let (thread, engine) = (self.writer_thread, self.engine);
        let writer_ended = spawn_blocking(move || {
            let ended = thread.join();
            engine.close();
            ended
        });
        let writer_ended = writer_ended.await.is_ok_and(|ended| ended.is_ok());
        in_time && workers_ended.is_ok() && writer_ended
    }
}

/// Returns an address that a browser can open. For a listener on all addresses, that is the source
/// address of this machine's default route, else loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    // Addresses for documentation (RFC 5737, RFC 3849). Connecting a UDP socket sends nothing.
    let (any, elsewhere, loopback): (IpAddr, IpAddr, IpAddr) = match address {
        SocketAddr::V4(_) => (
            Ipv4Addr::UNSPECIFIED.into(),
            Ipv4Addr::new(192, 0, 2, 1).into(),
            Ipv4Addr::LOCALHOST.into(),
        ),
        SocketAddr::V6(_) => (
            Ipv6Addr::UNSPECIFIED.into(),
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
            Ipv6Addr::LOCALHOST.into(),
        ),
    };
    let route = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((elsewhere, 9))?;
        socket.local_addr()
    });
    let own = route.map_or(loopback, |own| own.ip());
    SocketAddr::new(own, address.port())
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    [Errno::MFILE, Errno::NFILE]
        .map(|errno| Some(errno.raw_os_error()))
        .contains(&code)
}

/// Listens on `address` if no socket was passed for it, and returns it with the port that was picked.
fn open_listener(
    address: SocketAddr,
    passed: Option<std::net::TcpListener>,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let opened = passed.map_or_else(|| listen(address), adopt);
    let listener = opened.map_err(|error| StartError::Listen { address, error })?;
    let address = listener.local_addr().unwrap_or(address);
    Ok((listener, address))
}

async fn run_maintenance(authenticator: Authenticator) {
    if let Ok(staff) = authenticator.staff() {
        staff.run_maintenance().await;
    }
}

/// Opens the engine and the accounts, and loads the hub.
async fn open_store(
    config: &Config,
    metrics: Metrics,
    samples: Vec<writer::Command>,
) -> Result<(Arc<dyn Engine>, Arc<Hub>, Authenticator), StartError> {
    let shared = match &config.store.engine {
        EngineChoice::Redb => None,
        EngineChoice::Nats(address) => Some(connect_cluster(address).await?),
    };
    let folder = config.store.data.clone();
    let (auth, base_url, turn_idle) = (config.auth, config.base_url.clone(), config.turn);
    // The port is part of the cookie's name. A picked port would be another at each start.
    let port = Some(config.listen.port()).filter(|port| *port != 0);
    let opened = spawn_blocking(move || {
        let (engine, accounts): (Arc<dyn Engine>, Arc<dyn AccountStore>) = match shared {
            Some(cluster) => cluster,
            None => both(Arc::new(RedbEngine::open(&folder)?)),
        };
        let authenticator = Authenticator::open(auth, accounts, base_url, port, turn_idle)?;
        let hub = load_hub(Arc::clone(&engine), metrics, samples)?;
        if let Ok(staff) = authenticator.staff() {
            let hub = Arc::clone(&hub);
            let follow = move |rescue: &Rescue| {
                hub.set_activities(ActivitiesVersion::new(&rescue.activities));
            };
            staff.accounts().follow_rescue(follow);
        }
        Ok((engine, hub, authenticator))
    });
    opened.await.expect("opening a store does not panic")
}

fn both<E: Engine + AccountStore>(store: Arc<E>) -> (Arc<dyn Engine>, Arc<dyn AccountStore>) {
    (Arc::clone(&store) as Arc<dyn Engine>, store)
}

/// Loads the hub, and adds `samples` to a store without history.
fn load_hub(
    engine: Arc<dyn Engine>,
    metrics: Metrics,
    mut samples: Vec<writer::Command>,
) -> Result<Arc<Hub>, StartError> {
    let hub = Hub::open(Arc::clone(&engine), metrics)?;
    if hub.newest().0 == Rev::ZERO && !samples.is_empty() {
        add_portraits(&mut samples, &*engine)?;
        match writer::commit_all(&*engine, &hub, &samples, ChangeSource::Simulator) {
            // Another node added them at the same time.
            Ok(()) | Err(WriteError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(hub)
}
