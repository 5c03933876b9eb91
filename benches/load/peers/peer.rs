//! The server of a peer as a child process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;

use super::nchan::{self, Publisher};
use crate::client::pool::ViewerPool;
use crate::client::progress::Progress;
use crate::client::{Stage, Target};
use crate::run::{Figures, MeasuredProcesses, Run, measure};
use crate::server::stop;

/// Ports to listen on: below those that the system gives to connections.
const PORTS: std::ops::Range<u16> = 21_500..21_600;

const START_LIMIT: Duration = Duration::from_secs(15);

/// Time limit for deliveries that are on their way when the measurement ends.
const DRAIN: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    SocketIo,
    Bun,
    Nchan,
}

pub struct Peer {
    child: Child,
    address: SocketAddr,
    /// Makes the changes, if the server cannot make them itself.
    publisher: Option<Publisher>,
    _folder: TempDir,
}

/// Returns true if the peer is installed. Otherwise prints how to install it.
pub fn is_installed(kind: Kind) -> bool {
    let modules = folder().join("node_modules");
    let (is_there, name, command) = match kind {
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
            Path::new(nchan::MODULE).exists(),
            "nchan",
            "apt-get install --no-install-recommends nginx libnginx-mod-nchan",
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
            Kind::SocketIo => script("node".into(), "socketio.mjs", port, run),
            Kind::Bun => script(folder().join("node_modules/.bin/bun"), "bun.mjs", port, run),
            Kind::Nchan => nchan::command(&folder().join("nginx.conf"), data.path(), port)?,
        };
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {kind:?}"))?;
        let mut peer = Peer {
            child,
            address,
            publisher: None,
            _folder: data,
        };
        peer.wait_until_ready()?;
        if kind == Kind::Nchan {
            peer.publisher = Some(Publisher::start(address, run)?);
        }
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
            Stage::Connecting | Stage::Closed => false,
        });
        figures.lost = lost.count();
        Ok(figures)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.publisher = None;
        stop(&mut self.child);
    }
}

fn script(program: PathBuf, file: &str, port: u16, run: &Run) -> Command {
    let mut command = Command::new(program);
    command
        .arg(folder().join(file))
        .args([port.to_string(), run.pets.to_string()])
        .arg(run.changes_per_s.to_string())
        .env("NODE_ENV", "production");
    command
}

fn free_port() -> anyhow::Result<u16> {
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    PORTS.clone().find(is_free).context("no port is free")
}
