//! The server of a peer as a child process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Resource, getrlimit};
use tempfile::TempDir;

use super::publisher::{Publisher, Publishing};
use crate::client::pool::ViewerPool;
use crate::client::progress::Progress;
use crate::client::{Stage, Target};
use crate::run::{Figures, MeasuredProcesses, Run, measure};
use crate::server::stop;

/// Ports to listen on: below those that the system gives to connections.
const PORTS: std::ops::Range<u16> = 21_500..21_600;

/// The module of nchan on Debian.
const NCHAN: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";

const DURABLE_STREAMS: &str = "durable-streams-server";

const START_LIMIT: Duration = Duration::from_secs(15);

/// Time limit for deliveries that are on their way when the measurement ends.
const DRAIN: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The least that a server can do: `limit.c`.
    Limit,
    SocketIo,
    Uws,
    Bun,
    Nchan,
    /// Electric's server: streams in files, and SSE on a reactor per core.
    DurableStreams,
}

pub struct Peer {
    child: Child,
    kind: Kind,
    address: SocketAddr,
    /// Makes the changes, if the server cannot make them itself.
    publishing: Option<Publishing>,
    _folder: TempDir,
}

/// Returns true if the peer is installed. Otherwise prints how to install it.
pub fn is_installed(kind: Kind) -> bool {
    let modules = folder().join("node_modules");
    let (is_there, name, command) = match kind {
        Kind::Limit => (
            Command::new("cc").arg("--version").output().is_ok(),
            "a C compiler for the limit",
            "apt-get install gcc libc6-dev",
        ),
        Kind::Uws => (
            modules.join("@trufflesuite/uws-js-unofficial").exists(),
            "uWebSockets.js",
            "(cd benches/peers && npm ci)",
        ),
        Kind::SocketIo => (
            modules.join("socket.io").exists() && modules.join("express").exists(),
            "Socket.IO",
            "(cd benches/peers && npm ci)",
        ),
        Kind::Bun => (
            modules.join(".bin/bun").exists(),
            "Bun",
            "(cd benches/peers && npm ci)",
        ),
        Kind::Nchan => (
            Path::new(NCHAN).exists(),
            "nchan",
            "apt-get install --no-install-recommends nginx libnginx-mod-nchan",
        ),
        Kind::DurableStreams => (
            Command::new(DURABLE_STREAMS).arg("--help").output().is_ok(),
            "durable-streams",
            "cargo install --locked durable-streams@0.1.5",
        ),
    };
    if !is_there {
        println!("{name} is not installed and left out; to install it: {command}");
    }
    is_there
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers")
}

impl Peer {
    pub fn start(kind: Kind, run: &Run) -> anyhow::Result<Self> {
        let port = free_port()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let data = tempfile::Builder::new().prefix("peer").tempdir()?;
        let mut command = match kind {
            Kind::Limit => with_settings(Command::new(compile_limit(data.path())?), port, run),
            Kind::Uws => script("node".into(), "uws.mjs", port, run),
            Kind::SocketIo => script("node".into(), "socketio.mjs", port, run),
            Kind::Bun => script(folder().join("node_modules/.bin/bun"), "bun.mjs", port, run),
            Kind::Nchan => nginx(data.path(), port)?,
            Kind::DurableStreams => durable_streams(data.path(), port),
        };
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {kind:?}"))?;
        let mut peer = Peer {
            child,
            kind,
            address,
            publishing: None,
            _folder: data,
        };
        peer.wait_until_ready()?;
        peer.publishing = match kind {
            Kind::Nchan => {
                let publisher = Publisher::connect(address)?;
                Some(Publishing::start(publisher, "/pub", "", run))
            }
            Kind::DurableStreams => {
                let mut publisher = Publisher::connect(address)?;
                publisher.create("/board")?;
                Some(Publishing::start(publisher, "/board", "\n", run))
            }
            Kind::Limit | Kind::SocketIo | Kind::Uws | Kind::Bun => None,
        };
        Ok(peer)
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let end = Instant::now() + START_LIMIT;
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("ended before it listened: {status}");
            }
            if Instant::now() > end {
                bail!("does not listen");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Measures, and counts viewers that did not receive everything.
    pub fn measure(self, run: &Run, name: &str) -> anyhow::Result<Figures> {
        let target = Target {
            address: self.address,
            epoch: String::new(),
            says_hello: false,
            follows_log: false,
            sse_path: match self.kind {
                Kind::DurableStreams => "/board?offset=now&live=sse",
                _ => "/sse",
            },
            receive_buffer: None,
        };
        let mut pool = ViewerPool::new(target, 0, Progress::new(name))?;
        let mut figures = measure(&mut pool, &MeasuredProcesses::single(self.child.id()), run)?;
        if figures.live < run.viewers {
            let (waiting, lost) = (pool.pending_count(), pool.lost);
            let fault = pool.measurements.faults.first().map_or("", String::as_str);
            eprintln!("  {name}: {waiting} got no answer in time, {lost} were lost: {fault}");
        }
        let newest = pool.measurements.change_log.newest();
        let is_behind = |pool: &ViewerPool| {
            let live = |stage| stage == Stage::Live;
            let mut viewers = pool.viewers.iter();
            viewers.any(|viewer| live(viewer.stage) && viewer.record.last < newest)
        };
        let end = Instant::now() + DRAIN;
        while is_behind(&pool) && Instant::now() < end {
            pool.run_for(Duration::from_millis(100))?;
        }
        let lost = pool.viewers.iter().filter(|viewer| match viewer.stage {
            Stage::Live => viewer.record.last < newest || !viewer.record.gaps.is_empty(),
            Stage::Lost => viewer.record.start.is_some(),
            Stage::Connecting | Stage::Refused | Stage::Closed => false,
        });
        figures.lost = lost.count();
        Ok(figures)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.publishing = None;
        stop(&mut self.child);
    }
}

fn script(program: PathBuf, file: &str, port: u16, run: &Run) -> Command {
    let mut command = Command::new(program);
    command
        .arg(folder().join(file))
        .env("NODE_ENV", "production");
    with_settings(command, port, run)
}

/// Adds what every peer is told: port, pets, changes per second.
fn with_settings(mut command: Command, port: u16, run: &Run) -> Command {
    command
        .args([port.to_string(), run.pets.to_string()])
        .arg(run.changes_per_s.to_string());
    command
}

fn durable_streams(data: &Path, port: u16) -> Command {
    let mut command = Command::new(DURABLE_STREAMS);
    command
        .args(["--port", &port.to_string(), "--data-dir"])
        .arg(data);
    command.stderr(Stdio::null());
    command
}

/// Returns the command that starts nginx with our configuration in `data`.
fn nginx(data: &Path, port: u16) -> anyhow::Result<Command> {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(100_000);
    let configuration = std::fs::read_to_string(folder().join("nginx.conf"))?
        .replace("{MODULE}", NCHAN)
        .replace("{FOLDER}", &data.to_string_lossy())
        .replace("{FILES}", &files.to_string())
        .replace("{PORT}", &port.to_string());
    let path = data.join("nginx.conf");
    std::fs::write(&path, configuration)?;
    let mut command = Command::new("nginx");
    command.arg("-p").arg(data).arg("-c").arg(path);
    command.arg("-e").arg(data.join("error.log"));
    Ok(command)
}

fn compile_limit(folder_of_program: &Path) -> anyhow::Result<PathBuf> {
    let program = folder_of_program.join("limit");
    let source = folder().join("limit.c");
    let status = Command::new("cc")
        .args(["-O2", "-o"])
        .args([&program, &source])
        .status()?;
    anyhow::ensure!(status.success(), "cc cannot compile {}", source.display());
    Ok(program)
}

fn free_port() -> anyhow::Result<u16> {
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    PORTS.clone().find(is_free).context("no port is free")
}
