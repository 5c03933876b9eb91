//! How many requests of a large audience of the log reach the program behind nginx and Varnish, as in
//! `docs/networks`? At 2 changes a second.
//!
//! A reader asks the next address immediately, as a page does. A reader that misses, repeats or reorders a
//! change ends the scenario.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rustix::process::{Resource, getrlimit};
use tempfile::TempDir;

use super::print_figure;
use crate::board::request;
use crate::check::loss;
use crate::client::pool::ViewerPool;
use crate::client::progress::Progress;
use crate::client::{Target, Transport};
use crate::report::micros;
use crate::run::{MeasuredProcesses, Run, Watch, ensure_no_losses, measure};
use crate::server::{Server, Settings, stop};

const CHANGES_PER_S: f64 = 2.0;
const PETS: u32 = 100;
const SECONDS: u64 = 20;

/// Ports to listen on: below those that the system gives to connections.
const PORTS: std::ops::Range<u16> = 21_600..21_700;

const START_LIMIT: Duration = Duration::from_secs(15);

/// Readers wait for their first answer while others connect.
const CONNECTING: usize = 2000;

/// Requests that reached the program, in its metrics.
const REQUESTS: &str = "petstore_http_request_duration_seconds_count{route=\"/live/log\"";

/// A cache with its configuration of the guide, in a folder of its own.
struct Cache {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

pub fn run(readers: usize) -> anyhow::Result<()> {
    println!("\n{readers} readers of the log at {CHANGES_PER_S} changes/s");
    for (name, command) in [("Varnish", varnish as Configure), ("nginx", nginx)] {
        measure_behind(name, command, readers).with_context(|| name.to_owned())?;
    }
    Ok(())
}

/// Writes the configuration into a folder, and returns the command that listens on the first address and
/// forwards to the second.
type Configure = fn(&Path, SocketAddr, SocketAddr) -> anyhow::Result<Command>;

fn measure_behind(name: &str, configure: Configure, readers: usize) -> anyhow::Result<()> {
    let server = Server::start(&Settings {
        pets: PETS,
        changes_per_s: CHANGES_PER_S,
        viewers: 1,
    })?;
    let cache = Cache::start(configure, server.address)?;
    let board = server.board()?;
    let target = Target {
        address: cache.address,
        ..server.target(&board)
    };
    let mut pool = ViewerPool::new(target, board.rev, Progress::new(name))?;
    pool.max_connecting = CONNECTING;
    let run = Run {
        transport: Transport::Log,
        viewers: readers,
        changes_per_s: CHANGES_PER_S,
        pets: PETS,
        seconds: SECONDS,
        watch: Watch::All,
    };
    let (begun, before) = (Instant::now(), requests(&server)?);
    let figures = measure(&mut pool, &MeasuredProcesses::single(server.pid()), &run)?;
    let reached = (requests(&server)? - before) as f64 / begun.elapsed().as_secs_f64();
    let report = loss::settle(&mut pool, &server.board()?, loss::SETTLE_LIMIT)?;
    ensure_no_losses(&report)?;
    ensure!(
        report.skipped == 0,
        "{} changes were skipped",
        report.skipped
    );
    ensure!(
        figures.live == readers,
        "only {} of {readers} connected",
        figures.live
    );
    let seconds = figures.measured.as_secs_f64();
    let share = figures.server_cpu.as_secs_f64() / seconds * 100.0;
    print_figure(
        &format!("{name}: requests/s that reach the program"),
        format!("{reached:.1}"),
    );
    print_figure("the program's share of a core", format!("{share:.1} %"));
    print_figure(
        "p50, p99",
        format!("{}, {}", micros(figures.p50), micros(figures.p99)),
    );
    let delivered = figures.deliveries as f64 / seconds;
    print_figure(
        "changes delivered per second; missed, repeated",
        format!("{delivered:.0}; 0, 0"),
    );
    Ok(())
}

/// Returns how many requests for the log the program has answered.
fn requests(server: &Server) -> anyhow::Result<u64> {
    let metrics = request(server.address, "GET", "/metrics", "")?;
    let counts = metrics.lines().filter(|line| line.starts_with(REQUESTS));
    let counts = counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    Ok(counts.sum())
}

impl Cache {
    fn start(configure: Configure, upstream: SocketAddr) -> anyhow::Result<Self> {
        let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
        let port = PORTS.clone().find(is_free).context("no port is free")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let folder = tempfile::Builder::new().prefix("cache").tempdir()?;
        let mut command = configure(folder.path(), address, upstream)?;
        command.stdin(Stdio::null()).stdout(Stdio::null());
        // Varnish says each step on stderr.
        let child = command.stderr(Stdio::null()).spawn();
        let cache = Cache {
            child: child.context("apt-get install nginx varnish")?,
            address,
            _folder: folder,
        };
        let end = Instant::now() + START_LIMIT;
        while TcpStream::connect(address).is_err() {
            ensure!(Instant::now() < end, "does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(cache)
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

/// Returns a file of the guide, in which each text is replaced.
fn documented(name: &str, replaced: &[(&str, &str)]) -> anyhow::Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/networks")
        .join(name);
    let mut text = std::fs::read_to_string(path)?;
    for (old, new) in replaced {
        ensure!(text.contains(old), "{name} has no {old}");
        text = text.replace(old, new);
    }
    Ok(text)
}

fn varnish(folder: &Path, address: SocketAddr, upstream: SocketAddr) -> anyhow::Result<Command> {
    let (host, port) = (upstream.ip(), upstream.port());
    let backend = format!(".host = \"{host}\"; .port = \"{port}\";");
    let rules = documented(
        "varnish.vcl",
        &[(".host = \"127.0.0.1\"; .port = \"3000\";", &backend)],
    )?;
    let path = folder.join("pets.vcl");
    std::fs::write(&path, rules)?;
    let mut command = Command::new("/usr/sbin/varnishd");
    command.args(["-F", "-j", "none", "-n"]).arg(folder);
    command.args(["-a", &address.to_string(), "-f"]).arg(path);
    command.args(["-s", "malloc,64m", "-p", "listen_depth=4096"]);
    // Varnish closes the connections of requests that do not fit its queue, of which 20 do unless told otherwise.
    command.args(["-p", "thread_queue_limit=20000"]);
    Ok(command)
}

fn nginx(folder: &Path, address: SocketAddr, upstream: SocketAddr) -> anyhow::Result<Command> {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(100_000);
    let place = folder.to_string_lossy();
    let site = documented(
        "nginx.conf",
        &[
            ("listen 80;", &format!("listen {address} backlog=4096;")),
            ("127.0.0.1:3000", &upstream.to_string()),
            ("/var/cache/nginx", &place),
        ],
    )?;
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let folders = kinds.map(|kind| format!("{kind}_temp_path {place}/{kind};"));
    let configuration = format!(
        "daemon off; worker_processes 1; worker_rlimit_nofile {files}; pid {place}/nginx.pid;\n\
         error_log {place}/error.log crit; events {{ worker_connections {files}; }}\n\
         http {{ access_log off; keepalive_requests 1000000000; {}\n{site}}}",
        folders.join("\n")
    );
    let path = folder.join("nginx.conf");
    std::fs::write(&path, configuration)?;
    let mut command = Command::new("/usr/sbin/nginx");
    command.args(["-e", "stderr", "-c"]).arg(path);
    Ok(command)
}
