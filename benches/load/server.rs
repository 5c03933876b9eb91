//! Our own server as a child process.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::board::{Board, parse_board, request};
use crate::client::Target;

/// Kill a server that needs longer than this to stop.
const STOP_LIMIT: Duration = Duration::from_secs(15);

pub struct Settings {
    pub pets: u32,
    /// Zero turns the simulator off.
    pub changes_per_s: f64,
    pub viewers: usize,
}

/// A running `pet-store demo` with its own store; stopped when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    data: TempDir,
}

impl Server {
    pub fn start(settings: &Settings) -> anyhow::Result<Self> {
        let data = tempfile::Builder::new()
            .prefix("pet-store-load")
            .tempdir()?;
        Server::start_in(data, settings, "redb")
    }

    /// Starts a node with `--engine engine`.
    pub fn start_on(engine: &str, settings: &Settings) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        Server::start_in(data, settings, engine)
    }

    fn start_in(data: TempDir, settings: &Settings, engine: &str) -> anyhow::Result<Self> {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (child, address) = spawn(settings, engine, data.path(), anywhere)?;
        Ok(Server {
            child,
            address,
            data,
        })
    }

    /// Stops the server, and starts it again with the same address and embedded store.
    pub fn restart(&mut self, settings: &Settings) -> anyhow::Result<()> {
        stop(&mut self.child);
        (self.child, self.address) = spawn(settings, "redb", self.data.path(), self.address)?;
        Ok(())
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns the folder of its store.
    pub fn folder(&self) -> &Path {
        self.data.path()
    }

    /// Asks the server for its board.
    pub fn board(&self) -> anyhow::Result<Board> {
        parse_board(&request(self.address, "GET", "/live/state", "")?)
    }

    pub fn set_status(&self, pet: u64, status: &str) -> anyhow::Result<()> {
        let path = format!("/api/v1/pets/{pet}/status");
        let body = format!(r#"{{"status":"{status}"}}"#);
        request(self.address, "PUT", &path, &body).map(drop)
    }

    /// Returns how viewers connect.
    pub fn target(&self, board: &Board) -> Target {
        Target {
            address: self.address,
            epoch: board.epoch.clone(),
            says_hello: true,
            follows_log: false,
            sse_path: "",
            receive_buffer: None,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

fn spawn(
    settings: &Settings,
    engine: &str,
    data: &Path,
    address: SocketAddr,
) -> anyhow::Result<(Child, SocketAddr)> {
    // Another build, to compare the two: the variable that the tests of the page have too.
    let program = env::var_os("PET_STORE_BIN");
    let program = program.unwrap_or_else(|| env!("CARGO_BIN_EXE_pet-store").into());
    let mut child = Command::new(program)
        .args(["demo", "--seed", "7", "--data"])
        .arg(data)
        .args(["--engine", engine])
        .args(["--listen", &address.to_string()])
        .args(["--pets", &settings.pets.to_string()])
        .args(["--simulate", &period(settings)?])
        .args(["--max-viewers", &settings.viewers.max(1).to_string()])
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let stderr = child.stderr.take().context("stderr was asked for")?;
    match read_address(stderr) {
        Ok(address) => Ok((child, address)),
        Err(error) => {
            let _ = child.kill();
            let _ = child.wait();
            Err(error)
        }
    }
}

/// Stops a child with SIGTERM, and kills it if that takes too long.
pub fn stop(child: &mut Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // Fails only if the child has ended.
        let _ = kill_process(pid, Signal::TERM);
    }
    let end = Instant::now() + STOP_LIMIT;
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() > end {
            let _ = child.kill();
            let _ = child.wait();
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the simulator period that gives the number of changes per second.
fn period(settings: &Settings) -> anyhow::Result<String> {
    if settings.changes_per_s <= 0.0 {
        return Ok("off".to_owned());
    }
    let micros = f64::from(settings.pets) / settings.changes_per_s * 1e6;
    if micros < 10_000.0 {
        let needed = (settings.changes_per_s / 100.0).ceil();
        bail!("a pet changes at most 100 times per second: use --pets {needed} or more");
    }
    Ok(format!("{micros:.0}us"))
}

/// Waits for the line with the address of the server. Later lines are printed.
fn read_address(stderr: ChildStderr) -> anyhow::Result<SocketAddr> {
    let mut lines = BufReader::new(stderr).lines();
    for line in lines.by_ref() {
        let line = line?;
        if let Some(address) = line.strip_prefix("listening on http://") {
            let address = address.parse()?;
            std::thread::spawn(move || {
                for line in lines.map_while(Result::ok) {
                    eprintln!("  server: {line}");
                }
            });
            return Ok(address);
        }
        eprintln!("  server: {line}");
    }
    bail!("the server ended before it listened")
}
