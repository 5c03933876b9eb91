//! The configuration, read once from flags and environment variables.
//!
//! `ServeOptions` is what the operator wrote. `Config` is the result for one of the two modes, with a
//! section per concern, which each part of the program takes as a whole. A flag wins over its
//! environment variable. Every error names the option, the value and what is allowed.

mod engine;
mod limits;
mod parse;
mod resources;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

pub use self::engine::{EngineChoice, EngineOptions};
use self::limits::LimitOptions;
use self::parse::OptionalDuration;
pub use self::resources::{ConnectionCapacity, own_open_files};
use crate::app_state::LiveConfig;
use crate::auth::{AuthMode, BaseUrl};
use crate::limits::{ClientLimits, SizeLimits, Timeouts};
use crate::live::WebhookConfig;
use crate::model::Turn;
use crate::web::ServiceWorker;

/// The simulator's period in demo mode.
const DEMO_PERIOD: Duration = Duration::from_secs(10);

/// The flags of `demo` and `serve`.
#[derive(Args, Clone, Debug)]
pub struct ServeOptions {
    /// Address and port to listen on; port 0 picks a free port
    #[arg(long, value_name = "ADDR", env = "PET_STORE_LISTEN", default_value = "127.0.0.1:3000", value_parser = parse::listen_address)]
    listen: SocketAddr,

    /// Address and port that serve only /metrics, to everyone who can reach them. At --listen,
    /// /metrics is for this machine and for API tokens [default: none]
    #[arg(long, value_name = "ADDR", env = "PET_STORE_METRICS_LISTEN", value_parser = parse::listen_address)]
    metrics_listen: Option<SocketAddr>,

    #[command(flatten)]
    engine: EngineOptions,

    /// Folder of the store; created if it does not exist
    #[arg(
        long,
        value_name = "DIR",
        env = "PET_STORE_DATA",
        default_value = "./data"
    )]
    data: PathBuf,

    /// Public address of the site, such as <https://pets.example>, with a path if everything is to be below
    /// one. Requests from pages of other sites
    /// are refused, and with https:// cookies are sent over HTTPS only [default: the Host of each
    /// request]
    #[arg(long, value_name = "URL", env = "PET_STORE_BASE_URL", value_parser = BaseUrl::parse)]
    base_url: Option<BaseUrl>,

    /// How often each pet gets a new random status, or `off` [default: 10s in demo, off in serve]
    #[arg(long, value_name = "DURATION", env = "PET_STORE_SIMULATE", value_parser = parse::period)]
    simulate: Option<OptionalDuration>,

    /// Seed of the simulator, to repeat a run [default: random]
    #[arg(long, value_name = "N", env = "PET_STORE_SEED", allow_hyphen_values = true, value_parser = parse::seed)]
    seed: Option<u64>,

    /// Number of sample pets in an empty store (demo only)
    #[arg(long, value_name = "N", env = "PET_STORE_PETS", default_value = "6", allow_hyphen_values = true, value_parser = parse::pets)]
    pets: u32,

    /// How long to keep history, for example 90d, or `forever`. The newest 10,000 changes and those
    /// of the last 24 hours are always kept
    #[arg(long, value_name = "DURATION", env = "PET_STORE_HISTORY", default_value = "90d", value_parser = parse::history)]
    history: OptionalDuration,

    /// Maximum time between two messages to a viewer
    #[arg(long, value_name = "DURATION", env = "PET_STORE_HEARTBEAT", default_value = "15s", value_parser = parse::duration)]
    heartbeat: Duration,

    /// Shortest such time that a viewer may ask for, to notice sooner that its connection is dead
    #[arg(long, value_name = "DURATION", env = "PET_STORE_MIN_HEARTBEAT", default_value = "2s", value_parser = parse::duration)]
    min_heartbeat: Duration,

    /// How long changes may wait to be merged into one write when many are watching. Longer costs less
    /// CPU; the first change after a quiet moment never waits
    #[arg(long, value_name = "DURATION", env = "PET_STORE_PACE", default_value = "10ms", value_parser = parse::pace)]
    pace: Duration,

    /// Maximum number of viewers (live connections) [default: from the open-file limit]
    #[arg(long, value_name = "N", env = "PET_STORE_MAX_VIEWERS", allow_hyphen_values = true, value_parser = parse::connections)]
    max_viewers: Option<u32>,

    /// Drop a viewer that reads nothing for this long
    #[arg(long, value_name = "DURATION", env = "PET_STORE_WRITE_TIMEOUT", default_value = "30s", value_parser = parse::duration)]
    write_timeout: Duration,

    /// Ask a viewer to reconnect after about this long
    #[arg(long, value_name = "DURATION", env = "PET_STORE_MAX_CONNECTION_AGE", default_value = "10m", value_parser = parse::duration)]
    max_connection_age: Duration,

    /// End a person's turn at a shared device after this long without a change
    #[arg(long, value_name = "DURATION", env = "PET_STORE_TURN", default_value = "5m", value_parser = parse::duration)]
    turn: Duration,

    /// Let webhooks send to addresses of this machine and of its network. Only for receivers that you
    /// trust: whoever may edit webhooks can then send requests to every program there
    #[arg(long, env = "PET_STORE_WEBHOOKS_TO_PRIVATE_ADDRESSES")]
    webhooks_to_private_addresses: bool,

    /// Let browsers keep the last board for times without a network (a service worker). With `off`, those
    /// that have it remove it when they next open a page (serve only)
    #[arg(
        long,
        value_name = "ON|OFF",
        env = "PET_STORE_SERVICE_WORKER",
        default_value = "on"
    )]
    service_worker: ServiceWorker,

    /// Time limit for a graceful shutdown
    #[arg(long, value_name = "DURATION", env = "PET_STORE_GRACE", default_value = "10s", value_parser = parse::duration)]
    grace: Duration,

    /// Format of the log on stderr. `RUST_LOG` sets its level
    #[arg(
        long,
        value_name = "FORMAT",
        env = "PET_STORE_LOG_FORMAT",
        default_value = "text"
    )]
    log_format: LogFormat,

    #[command(flatten)]
    limits: LimitOptions,
}

/// The connections that `--max-connections` and `--max-viewers` ask for.
#[derive(Clone, Copy, Debug)]
pub struct WantedConnections {
    /// All connections.
    pub connections: Option<usize>,
    /// Viewers among them.
    pub viewers: Option<usize>,
}

/// Format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line of text per event.
    Text,
    /// One JSON object per line.
    Json,
}

/// The complete and valid configuration of a server.
#[derive(Clone, Debug)]
pub struct Config {
    /// People who may write.
    pub auth: AuthMode,
    /// Public address of the site, if set.
    pub base_url: Option<BaseUrl>,
    /// Address of the site.
    pub listen: SocketAddr,
    /// Address that serves only `/metrics`, to everyone; `None` for no such address.
    pub metrics_listen: Option<SocketAddr>,
    /// Simultaneous connections at `listen`.
    pub max_connections: usize,
    /// The store.
    pub store: StoreConfig,
    /// The simulator and the sample pets.
    pub simulator: SimulatorConfig,
    /// The live routes.
    pub live: LiveConfig,
    /// Limits of each client.
    pub client_limits: ClientLimits,
    /// Sizes of requests and messages.
    pub size_limits: SizeLimits,
    /// How long a connection may wait for its client.
    pub timeouts: Timeouts,
    /// Time without a change after which a person's turn at a shared device ends.
    pub turn: Duration,
    /// The workers of webhooks.
    pub webhooks: WebhookConfig,
    /// The service worker of browsers.
    pub service_worker: ServiceWorker,
    /// How long a graceful shutdown may take.
    pub grace: Duration,
    /// Format of the log.
    pub log_format: LogFormat,
}

/// Where pets and changes are stored, and for how long.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The storage engine.
    pub engine: EngineChoice,
    /// Folder of the embedded store.
    pub data: PathBuf,
    /// How long changes are kept; `None` is forever.
    pub history: Option<Duration>,
}

/// Settings of the simulator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SimulatorConfig {
    /// Number of sample pets in an empty store.
    pub sample_pets: u32,
    /// How often each pet gets a new status; `None` is off.
    pub period: Option<Duration>,
    /// Seed of the random numbers; random without one.
    pub seed: Option<u64>,
}

/// The demo was told to listen on an address that others can reach.
#[derive(Debug, thiserror::Error)]
#[error(
    "invalid value '{0}' for '--listen <ADDR>': in the demo everyone is staff, so it listens on \
     loopback only, such as 127.0.0.1:3000; for another address use: pet-store serve"
)]
pub struct DemoNotLocal(SocketAddr);

impl ServeOptions {
    /// Takes the addresses of the site and of the metrics from sockets that are open already.
    pub fn listen_on(&mut self, [site, metrics]: [Option<SocketAddr>; 2]) {
        self.listen = site.unwrap_or(self.listen);
        self.metrics_listen = metrics.or(self.metrics_listen);
    }

    /// Returns the numbers that the operator asked for.
    pub fn wanted_connections(&self) -> WantedConnections {
        let count = |count: Option<u32>| count.map(|count| count as usize);
        WantedConnections {
            connections: count(self.limits.max_connections),
            viewers: count(self.max_viewers),
        }
    }
}

impl Config {
    /// Returns the configuration of the demo: sample pets, simulator on, everyone is staff.
    ///
    /// # Errors
    /// `DemoNotLocal` if it would listen on more than loopback.
    pub fn demo(options: ServeOptions) -> Result<Self, DemoNotLocal> {
        if !options.listen.ip().to_canonical().is_loopback() {
            return Err(DemoNotLocal(options.listen));
        }
        let simulator = SimulatorConfig {
            sample_pets: options.pets,
            period: Some(DEMO_PERIOD),
            seed: None,
        };
        Ok(Config::new(options, AuthMode::Demo, simulator))
    }

    /// Returns the configuration for a rescue: no sample pets, simulator off, writes need staff.
    pub fn serve(options: ServeOptions) -> Self {
        Config::new(options, AuthMode::Serve, SimulatorConfig::default())
    }

    /// Applies `options` to the defaults of a mode.
    fn new(options: ServeOptions, auth: AuthMode, defaults: SimulatorConfig) -> Self {
        let limits = options.limits;
        let wanted = limits.max_connections.map(|count| count as usize);
        let capacity = ConnectionCapacity::detect(wanted);
        let wanted = options.max_viewers.map(|count| count as usize);
        // More would leave no connection for pages.
        let max_viewers = wanted.map_or(capacity.viewers, |count| count.min(capacity.viewers));
        Config {
            auth,
            base_url: options.base_url,
            listen: options.listen,
            metrics_listen: options.metrics_listen,
            max_connections: capacity.connections,
            store: StoreConfig {
                engine: options.engine.choice(),
                data: options.data,
                history: options.history.0,
            },
            simulator: SimulatorConfig {
                period: options
                    .simulate
                    .map_or(defaults.period, |OptionalDuration(period)| period),
                seed: options.seed,
                ..defaults
            },
            live: LiveConfig {
                heartbeat: options.heartbeat,
                min_heartbeat: options.min_heartbeat,
                pace: options.pace,
                max_viewers,
                max_connection_age: options.max_connection_age,
                messages_per_second: limits.max_messages_per_second,
            },
            client_limits: limits.client_limits(capacity.connections),
            size_limits: SizeLimits {
                head_bytes: limits.max_head as usize,
                head_fields: limits.max_head_fields as usize,
                body_bytes: limits.max_body as usize,
                message_bytes: limits.max_message as usize,
            },
            timeouts: Timeouts {
                head: limits.head_timeout,
                body: limits.body_timeout,
                idle: limits.idle_timeout,
                write: options.write_timeout,
            },
            turn: options.turn,
            webhooks: WebhookConfig {
                to_private_addresses: options.webhooks_to_private_addresses,
                ..WebhookConfig::default()
            },
            service_worker: options.service_worker,
            grace: options.grace,
            log_format: options.log_format,
        }
    }

    /// Returns the configuration that tests start from: a demo on a free port of loopback, without
    /// sample pets and simulator.
    pub fn quiet(data: PathBuf) -> Self {
        Config {
            auth: AuthMode::Demo,
            base_url: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            metrics_listen: None,
            max_connections: 2000,
            store: StoreConfig {
                engine: EngineChoice::Redb,
                data,
                history: None,
            },
            simulator: SimulatorConfig::default(),
            live: LiveConfig {
                heartbeat: Duration::from_secs(15),
                min_heartbeat: Duration::from_secs(2),
                pace: Duration::from_millis(10),
                max_viewers: 1000,
                max_connection_age: Duration::from_mins(10),
                messages_per_second: 50,
            },
            client_limits: ClientLimits::default(),
            size_limits: SizeLimits::default(),
            timeouts: Timeouts::default(),
            turn: Turn::IDLE,
            webhooks: WebhookConfig::default(),
            service_worker: ServiceWorker::On,
            grace: Duration::from_secs(10),
            log_format: LogFormat::Text,
        }
    }
}
