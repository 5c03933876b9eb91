//! Flags and environment, read once.
//!
//! `Options` is what was typed; `Config` is what it means in one of the two modes. A flag beats
//! its environment variable, which clap sees to. Every message about a bad value says what is
//! allowed; the name of the option and the value are put before it.

mod capacity;
mod engine;
mod limits;
mod memory;
mod parse;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

pub use self::engine::{EngineChoice, EngineOptions};
use self::limits::LimitOptions;
use self::parse::{Every, History, duration, every, history, listen, pets, seed, viewers};
use crate::auth::{Auth, BaseUrl};
use crate::guard::Limits;

/// The flags of `demo` and `serve`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Address and port to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", env = "PET_STORE_LISTEN", default_value = "127.0.0.1:3000", value_parser = listen)]
    listen: SocketAddr,

    /// Address and port that serve /metrics and nothing else, to everyone who can reach them; at
    /// --listen they are for this machine and for API tokens [default: none]
    #[arg(long, value_name = "ADDR", env = "PET_STORE_METRICS_LISTEN", value_parser = listen)]
    metrics_listen: Option<SocketAddr>,

    #[command(flatten)]
    engine: EngineOptions,

    /// Folder of the store; made if it is not there
    #[arg(
        long,
        value_name = "DIR",
        env = "PET_STORE_DATA",
        default_value = "./data"
    )]
    data: PathBuf,

    /// The address that visitors type, from https:// on; other sites' pages are told from ours by
    /// it, and over https cookies are for https alone [default: what browsers ask for]
    #[arg(long, value_name = "URL", env = "PET_STORE_BASE_URL", value_parser = BaseUrl::parse)]
    base_url: Option<BaseUrl>,

    /// Give every pet a new random status once per DURATION, or off [default: 10s in demo, off in serve]
    #[arg(long, value_name = "DURATION", env = "PET_STORE_SIMULATE", value_parser = every)]
    simulate: Option<Every>,

    /// Make the simulator repeatable [default: random]
    #[arg(long, value_name = "N", env = "PET_STORE_SEED", allow_hyphen_values = true, value_parser = seed)]
    seed: Option<u64>,

    /// Sample pets that an empty store gets in demo mode
    #[arg(long, value_name = "N", env = "PET_STORE_PETS", default_value = "6", allow_hyphen_values = true, value_parser = pets)]
    pets: u32,

    /// How long to keep history, for example 90d, or forever; the newest 10,000 changes, and those of
    /// the last 24 hours, always stay
    #[arg(long, value_name = "DURATION", env = "PET_STORE_HISTORY", default_value = "90d", value_parser = history)]
    history: History,

    /// At most this long between two messages to a viewer
    #[arg(long, value_name = "DURATION", env = "PET_STORE_HEARTBEAT", default_value = "15s", value_parser = duration)]
    heartbeat: Duration,

    /// Live connections accepted at once [default: from the open-file limit]
    #[arg(long, value_name = "N", env = "PET_STORE_MAX_VIEWERS", allow_hyphen_values = true, value_parser = viewers)]
    max_viewers: Option<u32>,

    /// Drop a viewer that takes no byte for so long
    #[arg(long, value_name = "DURATION", env = "PET_STORE_WRITE_TIMEOUT", default_value = "30s", value_parser = duration)]
    write_timeout: Duration,

    /// Ask a viewer to connect anew after about so long, so that a stop looks like any other minute
    #[arg(long, value_name = "DURATION", env = "PET_STORE_MAX_CONNECTION_AGE", default_value = "10m", value_parser = duration)]
    max_connection_age: Duration,

    /// How long a stop may take
    #[arg(long, value_name = "DURATION", env = "PET_STORE_GRACE", default_value = "10s", value_parser = duration)]
    grace: Duration,

    /// Format of the log on stderr; its level is RUST_LOG
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// What the program is to do, complete and valid.
#[derive(Clone, Debug)]
pub struct Config {
    pub auth: Auth,
    pub listen: SocketAddr,
    /// The address that serves `/metrics` and nothing else, to everyone; `None` for no such address.
    pub metrics_listen: Option<SocketAddr>,
    pub data: PathBuf,
    pub engine: EngineChoice,
    /// The address that visitors type, where it was told.
    pub base_url: Option<BaseUrl>,
    /// Sample pets for an empty store.
    pub sample_pets: u32,
    /// The simulator's period; `None` is off.
    pub simulate: Option<Duration>,
    pub seed: Option<u64>,
    /// How long changes are kept; `None` is for ever.
    pub history: Option<Duration>,
    pub heartbeat: Duration,
    pub max_viewers: usize,
    pub max_connections: usize,
    pub write_timeout: Duration,
    pub max_connection_age: Duration,
    /// What one visitor may take.
    pub limits: Limits,
    pub grace: Duration,
    pub log_format: LogFormat,
}

/// An option whose value is fine by itself and not in this mode.
#[derive(Debug, thiserror::Error)]
#[error(
    "invalid value '{0}' for '--listen <ADDR>': in the demo everyone is staff, so it listens on \
     loopback only, such as 127.0.0.1:3000; for another address use: pet-store serve"
)]
pub struct DemoMustBeLocal(SocketAddr);

impl Config {
    /// The demo: sample pets, the simulator on, and everyone who can reach it is staff.
    ///
    /// # Errors
    /// When it is to listen on more than loopback.
    pub fn demo(options: Options) -> Result<Self, DemoMustBeLocal> {
        if !options.listen.ip().to_canonical().is_loopback() {
            return Err(DemoMustBeLocal(options.listen));
        }
        let sample_pets = options.pets;
        let period = Every::Period(Duration::from_secs(10));
        Ok(Config::of(options, Auth::Demo, sample_pets, period))
    }

    /// For a real rescue: no sample pets, simulator off, writing needs staff.
    pub fn serve(options: Options) -> Self {
        Config::of(options, Auth::Serve, 0, Every::Off)
    }

    fn of(options: Options, auth: Auth, sample_pets: u32, simulate: Every) -> Self {
        let wanted = options.limits.max_connections;
        let capacity = capacity::of_open_files(wanted.map(|count| count as usize));
        let max_viewers = options.max_viewers.map(|viewers| viewers as usize);
        Config {
            auth,
            listen: options.listen,
            metrics_listen: options.metrics_listen,
            data: options.data,
            engine: options.engine.choice(),
            base_url: options.base_url,
            sample_pets,
            simulate: options.simulate.unwrap_or(simulate).period(),
            seed: options.seed,
            history: options.history.period(),
            heartbeat: options.heartbeat,
            // Never so many that no page can be served beside them.
            max_viewers: max_viewers
                .map_or(capacity.viewers, |viewers| viewers.min(capacity.viewers)),
            max_connections: capacity.connections,
            write_timeout: options.write_timeout,
            max_connection_age: options.max_connection_age,
            limits: options.limits.limits(capacity.connections),
            grace: options.grace,
            log_format: options.log_format,
        }
    }

    /// A demo on a free port of loopback with nothing that moves by itself: where tests start.
    pub fn quiet(data: PathBuf) -> Self {
        Config {
            auth: Auth::Demo,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            metrics_listen: None,
            data,
            engine: EngineChoice::Redb,
            base_url: None,
            sample_pets: 0,
            simulate: None,
            seed: None,
            history: None,
            heartbeat: Duration::from_secs(15),
            max_viewers: 1000,
            max_connections: 2000,
            write_timeout: Duration::from_secs(30),
            max_connection_age: Duration::from_secs(600),
            limits: Limits::default(),
            grace: Duration::from_secs(10),
            log_format: LogFormat::Text,
        }
    }
}
