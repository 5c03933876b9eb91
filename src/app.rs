//! Builds the parts, starts them in order, and stops them in the opposite order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::hub::Hub;
use crate::live::{Limits, Live};
use crate::metrics::Metrics;
use crate::model::{By, Rev};
use crate::serve::{Server, listen};
use crate::simulator::{self, Simulator, sample_pets};
use crate::store::{Engine, RedbEngine, StoreError};
use crate::web;
use crate::writer::{self, WriteError, Writer};

/// A running pet-store. Dropping it without `stop` leaves its tasks to the runtime.
pub struct App {
    address: SocketAddr,
    live: Arc<Live>,
    grace: Duration,
    writer_thread: JoinHandle<()>,
    /// The accept loop, every HTTP connection, and the simulator. Sockets that left HTTP are tasks of
    /// `live`.
    tasks: TaskTracker,
    /// The hub's routers, which run until the last viewer is gone.
    routers: TaskTracker,
    stop_routers: CancellationToken,
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
    /// Opens the store, and accepts requests from the moment this returns.
    ///
    /// # Errors
    /// The first part that could not be started; those before it are stopped.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        // Before the store is opened, or made: an address that is taken should cost nothing.
        let listener = listen(config.listen).map_err(|error| StartError::Listen {
            address: config.listen,
            error,
        })?;
        let address = listener.local_addr().unwrap_or(config.listen);
        let metrics = Metrics::new();
        let mut random = simulator::random(config.seed);
        let samples = sample_pets(config.sample_pets, &mut random);
        let folder = config.data.clone();
        let counted = metrics.clone();
        let opening = tokio::task::spawn_blocking(move || open(&folder, counted, samples));
        let (engine, hub) = opening.await.expect("opening a store does not panic")?;
        let (writer, writer_thread) =
            Writer::start(Arc::clone(&engine), Arc::clone(&hub)).map_err(StartError::Thread)?;
        let limits = Limits {
            heartbeat: config.heartbeat,
            max_viewers: config.max_viewers,
            write_timeout: config.write_timeout,
        };
        let live = Live::start(Arc::clone(&hub), writer.clone(), config.auth, limits);
        let live = Arc::new(live.map_err(StartError::Thread)?);
        let app = App {
            address,
            live: Arc::clone(&live),
            grace: config.grace,
            writer_thread,
            tasks: TaskTracker::new(),
            routers: TaskTracker::new(),
            stop_routers: CancellationToken::new(),
        };
        hub.start(&app.routers, &app.stop_routers);
        let server = Server {
            listener,
            endpoint: web::site(Arc::clone(&live), engine),
            metrics,
            max_connections: config.max_connections,
            write_timeout: config.write_timeout,
        };
        let accepting = server.run(app.tasks.clone(), live.stop.clone());
        app.tasks.spawn(accepting);
        if let Some(period) = config.simulate {
            let running = Simulator::new(hub, writer, period, random).run();
            let running = live.stop.clone().run_until_cancelled_owned(running);
            app.tasks.spawn(running);
        }
        Ok(app)
    }

    /// Where it listens; with port 0 asked for, the port that was picked.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells every viewer `bye`, finishes what was asked, and closes the store, within the grace.
    /// True when everything ended in time.
    pub async fn stop(self) -> bool {
        self.live.say_bye();
        self.tasks.close();
        self.live.tasks.close();
        let live = Arc::clone(&self.live);
        let ending = async {
            self.tasks.wait().await;
            self.live.tasks.wait().await;
            tokio::task::spawn_blocking(move || live.end()).await
        };
        let in_time = timeout(self.grace, ending).await.is_ok();
        self.stop_routers.cancel();
        self.routers.close();
        self.routers.wait().await;
        self.live.writer.stop().await;
        let thread = self.writer_thread;
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        if !in_time {
            tracing::warn!("some connections did not end within the grace and were cut");
        }
        in_time && joined.is_ok_and(|ended| ended.is_ok())
    }
}

/// Opens the store and loads the hub; a store in which nothing ever happened gets `samples`.
fn open(
    folder: &std::path::Path,
    metrics: Metrics,
    samples: Vec<writer::Command>,
) -> Result<(Arc<dyn Engine>, Arc<Hub>), StartError> {
    let engine: Arc<dyn Engine> = Arc::new(RedbEngine::open(folder)?);
    let hub = Hub::open(Arc::clone(&engine), metrics.clone())?;
    if hub.newest().0 != Rev::ZERO || samples.is_empty() {
        return Ok((engine, hub));
    }
    writer::commit_all(&*engine, &hub, samples, By::Simulator)?;
    // Loaded anew: of changes that no router carried, no heartbeat's cursor would ever know.
    let hub = Hub::open(Arc::clone(&engine), metrics)?;
    Ok((engine, hub))
}
