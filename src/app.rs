//! Builds the parts, starts them in order, and stops them in the opposite order.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::time::timeout_at;
use tokio_util::task::TaskTracker;

use crate::app_state::AppState;
use crate::auth::Authenticator;
use crate::clock::Clock;
use crate::config::{Config, EngineChoice};
use crate::hub::{Hub, REQUESTS_KEPT_FOR};
use crate::limits::ClientLimiter;
use crate::metrics::Metrics;
use crate::model::{ChangeSource, Rev};
use crate::serve::{Server, listen};
use crate::simulator::{self, Simulator, sample_pets};
use crate::store::{AccountStore, Engine, RedbEngine, StoreError, connect_cluster};
use crate::web;
use crate::writer::{self, WriteError, Writer};

/// Connections accepted at once at `--metrics-listen`: a few scrapers.
const METRICS_CONNECTIONS: usize = 16;

/// The part of the grace after which the rest is cut off, so that the store is closed within it.
const IN_TIME: f32 = 0.9;

/// A running pet-store. Dropping it without `stop` leaves its tasks to the runtime.
pub struct App {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    state: Arc<AppState>,
    grace: Duration,
    engine: Arc<dyn Engine>,
    writer_thread: JoinHandle<()>,
    /// The accept loop, every HTTP connection, and the simulator. Sockets that left HTTP are
    /// rows of the delivery workers.
    tasks: TaskTracker,
}

/// Why the program did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the sample pets could not be added: {0}")]
    Samples(#[from] WriteError),
    #[error("cannot listen on {address}: {error}")]
    Listen {
        address: SocketAddr,
        error: io::Error,
    },
    #[error("a thread could not be started: {0}")]
    Thread(io::Error),
}

impl App {
    /// Builds the parts and starts them in order: store, writer, live routes, servers, background
    /// tasks. Requests are accepted when this returns.
    ///
    /// # Errors
    /// The first part that could not be started.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        // Before the store is opened or created: an address that is in use must not create a store.
        let (listener, address) = open_listener(config.listen)?;
        let metrics_listener = config.metrics_listen.map(open_listener).transpose()?;
        let metrics = Metrics::new();
        let mut random = simulator::random(config.simulator.seed);
        let samples = sample_pets(config.simulator.sample_pets, &mut random);
        let (engine, hub, authenticator) = open(&config, metrics.clone(), samples).await?;
        let (writer, writer_thread) = Writer::start_with_retention(
            Arc::clone(&engine),
            Arc::clone(&hub),
            // The log contains the keys of requests, so changes are kept for at least as long as keys.
            config
                .store
                .history
                .map(|history| history.max(REQUESTS_KEPT_FOR)),
            Clock::system(),
        )
        .map_err(StartError::Thread)?;
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
            state: Arc::clone(&state),
            grace: config.grace,
            engine: Arc::clone(&engine),
            writer_thread,
            tasks: TaskTracker::new(),
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
            };
            let running = server.run(
                app.tasks.clone(),
                state.stop_token().clone(),
                state.abort_token().clone(),
            );
            app.tasks.spawn(running);
        };
        if let Some((listener, _)) = metrics_listener {
            let site = web::metrics_endpoint(metrics.clone());
            serve(listener, site, METRICS_CONNECTIONS);
        }
        let bodies = web::BodyLimits {
            bytes: config.size_limits.body_bytes,
            time: config.timeouts.body,
        };
        let site = web::endpoint(Arc::clone(&state), engine, bodies);
        serve(listener, site, config.max_connections);
        if authenticator.staff().is_ok() {
            app.spawn_until_stop(run_maintenance(authenticator));
        }
        if let Some(period) = config.simulator.period {
            hub.campaign();
            app.spawn_until_stop(Simulator::new(hub, writer, period, random).run());
        }
        Ok(app)
    }

    fn spawn_until_stop(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.state.stop_token().clone();
        self.tasks.spawn(stop.run_until_cancelled_owned(task));
    }

    /// Where it listens; with port 0 asked for, the port that was picked.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of `--metrics-listen`, if there is one.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Whether nobody is staff yet where staff are needed.
    pub fn lacks_staff(&self) -> bool {
        let staff = self.state.authenticator().staff();
        staff.is_ok_and(|staff| staff.accounts().is_empty())
    }

    /// The address at which the first admin is made; none when there are accounts, on a cluster,
    /// and at the second time of asking.
    pub fn founding_link(&self) -> Option<String> {
        let authenticator = self.state.authenticator();
        let secret = authenticator.staff().ok()?.take_bootstrap_token()?;
        let origin = match authenticator.base() {
            Some(base) => base.origin().to_owned(),
            None => format!("http://{}", reachable(self.address)),
        };
        Some(format!("{origin}{}", web::invitation_path(&secret)))
    }

    /// Tells every viewer `bye`, finishes what was asked, and closes the store, within the grace.
    /// True when everything ended in time.
    pub async fn stop(self) -> bool {
        let deadline = Instant::now() + self.grace.mul_f32(IN_TIME);
        self.state.stop();
        self.tasks.close();
        let ended = async {
            self.tasks.wait().await;
            self.state.wait_for_tasks().await;
        };
        let in_time = timeout_at(deadline.into(), ended).await.is_ok();
        // Whoever is still here took no byte, or sent half a body. Aborted, so that no viewer is
        // registered any more.
        self.state.abort();
        self.tasks.wait().await;
        let state = Arc::clone(&self.state);
        let ended = tokio::task::spawn_blocking(move || state.end_delivery(deadline)).await;
        if let Ok(staff) = self.state.authenticator().staff() {
            staff.close().await;
        }
        self.state.writer().stop().await;
        let (thread, engine) = (self.writer_thread, self.engine);
        let joined = tokio::task::spawn_blocking(move || {
            let joined = thread.join();
            engine.close();
            joined
        });
        let joined = joined.await;
        if !in_time {
            tracing::warn!("some connections did not end within the grace and were cut");
        }
        in_time && ended.is_ok() && joined.is_ok_and(|ended| ended.is_ok())
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

/// Listens on `address`, and returns the address with the port that was picked.
fn open_listener(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let listener = listen(address).map_err(|error| StartError::Listen { address, error })?;
    let address = listener.local_addr().unwrap_or(address);
    Ok((listener, address))
}

async fn run_maintenance(authenticator: Authenticator) {
    if let Ok(staff) = authenticator.staff() {
        staff.run_maintenance().await;
    }
}

/// Opens the engine, lets staff in, and loads the hub.
async fn open(
    config: &Config,
    metrics: Metrics,
    samples: Vec<writer::Command>,
) -> Result<(Arc<dyn Engine>, Arc<Hub>, Authenticator), StartError> {
    let shared = match &config.store.engine {
        EngineChoice::Redb => None,
        EngineChoice::Nats(address) => Some(connect_cluster(address).await?),
    };
    let folder = config.store.data.clone();
    let (auth, base_url) = (config.auth, config.base_url.clone());
    // A port that is picked at each start would rename the cookie each time.
    let port = Some(config.listen.port()).filter(|port| *port != 0);
    let opening = tokio::task::spawn_blocking(move || {
        let (engine, accounts): (Arc<dyn Engine>, Arc<dyn AccountStore>) = match shared {
            Some(cluster) => cluster,
            None => both(Arc::new(RedbEngine::open(&folder)?)),
        };
        let authenticator = Authenticator::open(auth, accounts, base_url, port)?;
        let hub = fill(Arc::clone(&engine), metrics, samples)?;
        Ok((engine, hub, authenticator))
    });
    opening.await.expect("opening a store does not panic")
}

fn both<E: Engine + AccountStore>(store: Arc<E>) -> (Arc<dyn Engine>, Arc<dyn AccountStore>) {
    (Arc::clone(&store) as Arc<dyn Engine>, store)
}

/// Loads the hub; a store in which nothing ever happened gets `samples`.
fn fill(
    engine: Arc<dyn Engine>,
    metrics: Metrics,
    samples: Vec<writer::Command>,
) -> Result<Arc<Hub>, StartError> {
    let hub = Hub::open(Arc::clone(&engine), metrics)?;
    if hub.newest().0 == Rev::ZERO && !samples.is_empty() {
        match writer::commit_all(&*engine, &hub, &samples, ChangeSource::Simulator) {
            // Another node gave them to it in the same moment.
            Ok(()) | Err(WriteError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(hub)
}
