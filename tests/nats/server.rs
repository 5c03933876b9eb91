//! The NATS servers of a test: on free ports of loopback, with a folder of their own, and stopped by
//! process id.

pub mod ports;
mod requests;

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use self::ports::Ports;

/// The newest tested version, and the oldest supported one.
pub const NEWEST: &str = "2.15.1";
pub const OLDEST: &str = "2.12.8";
/// The version of Debian, which is too old.
pub const TOO_OLD: &str = "2.9.10";

const READY_WITHIN: Duration = Duration::from_mins(1);

/// One server, or several that form a cluster.
pub struct Servers {
    servers: Vec<Server>,
    folder: TempDir,
}

struct Server {
    ports: Ports,
    config: PathBuf,
    version: &'static str,
    child: Option<Child>,
}

impl Servers {
    /// Starts `count` servers of `version`, and waits until `JetStream` answers.
    pub fn start(count: usize, version: &'static str) -> Self {
        let mut servers = Servers::new(count, version, "");
        (0..count).for_each(|index| servers.begin(index));
        servers.wait_for_answers();
        servers
    }

    /// Starts one server with additional settings, such as credentials.
    pub fn start_with(settings: &str) -> Self {
        let mut servers = Servers::new(1, NEWEST, settings);
        servers.begin(0);
        servers
    }

    /// Creates servers that do not run yet.
    fn new(count: usize, version: &'static str, settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports: Vec<Ports> = (0..count).map(|_| Ports::find()).collect();
        let write = |index: usize| {
            let config = folder.path().join(format!("{index}.conf"));
            let text = configuration(folder.path(), index, &ports) + settings;
            std::fs::write(&config, supported_by(version, text)).unwrap();
            config
        };
        let configs: Vec<PathBuf> = (0..count).map(write).collect();
        let servers = ports.into_iter().zip(configs);
        let servers = servers.map(|(ports, config)| Server {
            ports,
            config,
            version,
            child: None,
        });
        Servers {
            servers: servers.collect(),
            folder,
        }
    }

    /// Starts an empty server of another version in place of one that was killed.
    pub fn replace(&mut self, index: usize, version: &'static str) {
        let (stored, _) = self.folders(index);
        std::fs::remove_dir_all(stored).unwrap();
        let server = &mut self.servers[index];
        server.version = version;
        let text = std::fs::read_to_string(&server.config).unwrap();
        std::fs::write(&server.config, supported_by(version, text)).unwrap();
        self.begin(index);
        self.wait_for_answers();
    }

    /// Waits until the servers have elected a leader.
    fn wait_for_answers(&self) {
        let deadline = Instant::now() + READY_WITHIN;
        let is_answer = |info: String| info.contains("account_info") && !info.contains("error\":{");
        while !self.try_ask("$JS.API.INFO", "").is_some_and(is_answer) {
            assert!(Instant::now() < deadline, "the NATS servers do not answer");
            std::thread::yield_now();
        }
    }

    /// Returns the value of `--engine`.
    pub fn address(&self) -> String {
        let servers = self.servers.iter();
        let servers = servers.map(|server| format!("127.0.0.1:{}", server.ports.clients));
        format!("nats://{}", servers.collect::<Vec<_>>().join(","))
    }

    /// Returns the value of `--engine` for one of the servers.
    pub fn address_of(&self, index: usize) -> String {
        format!("nats://127.0.0.1:{}", self.servers[index].ports.clients)
    }

    /// Starts a server that was killed, with what it had stored.
    pub fn begin(&mut self, index: usize) {
        let server = &mut self.servers[index];
        let child = Command::new(binary(server.version))
            .arg("--config")
            .arg(&server.config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let child = server.child.insert(child);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, server.ports.clients));
        let deadline = Instant::now() + READY_WITHIN;
        while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "a NATS server exited: {ended:?}");
            assert!(Instant::now() < deadline, "a NATS server did not start");
            std::thread::yield_now();
        }
    }

    /// Restarts all servers with a limit of stored bytes, such as `1GB`.
    pub fn set_max_store(&mut self, size: &str) {
        let count = self.servers.len();
        (0..count).for_each(|index| self.kill(index));
        for index in 0..count {
            let config = &self.servers[index].config;
            let text = std::fs::read_to_string(config).unwrap();
            let (before, after) = text.split_once("max_file_store: ").unwrap();
            let (_, after) = after.split_once(',').unwrap();
            std::fs::write(config, format!("{before}max_file_store: {size},{after}")).unwrap();
            self.begin(index);
        }
    }

    /// Saves a copy of what a stopped server has stored.
    pub fn save(&self, index: usize) {
        let (stored, copy) = self.folders(index);
        copy_folder(&stored, &copy);
    }

    /// Restores the saved copy.
    pub fn restore(&self, index: usize) {
        let (stored, copy) = self.folders(index);
        std::fs::remove_dir_all(&stored).unwrap();
        copy_folder(&copy, &stored);
    }

    fn folders(&self, index: usize) -> (PathBuf, PathBuf) {
        let folder = self.folder.path();
        (
            folder.join(index.to_string()),
            folder.join(format!("{index}.saved")),
        )
    }

    /// Sends a signal to a server; `STOP` and `CONT` pause and continue it.
    pub fn signal(&self, index: usize, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.id(index)).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// Returns the process id of a running server.
    pub fn id(&self, index: usize) -> u32 {
        self.servers[index].child.as_ref().expect("it runs").id()
    }

    /// Kills a server without a shutdown.
    pub fn kill(&mut self, index: usize) {
        if let Some(mut child) = self.servers[index].child.take() {
            // Fails when the server has exited by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        (0..self.servers.len()).for_each(|index| self.kill(index));
    }
}

fn configuration(folder: &Path, index: usize, ports: &[Ports]) -> String {
    let Ports {
        clients,
        route,
        monitor,
    } = &ports[index];
    let store = folder.join(index.to_string());
    let mut text = format!(
        "listen: 127.0.0.1:{clients}\nhttp: 127.0.0.1:{monitor}\nserver_name: server-{index}\n\
         jetstream: {{ store_dir: \"{}\", max_memory_store: 64MB, max_file_store: 1GB, sync_interval: always }}\n",
        store.display()
    );
    if ports.len() > 1 {
        let routes = ports
            .iter()
            .map(|ports| format!("nats://127.0.0.1:{}", ports.route));
        let routes = routes.collect::<Vec<_>>().join(", ");
        text +=
            &format!("cluster: {{ name: tests, listen: 127.0.0.1:{route}, routes: [{routes}] }}\n");
    }
    text
}

/// Removes the settings that a server of `version` does not know and would refuse.
fn supported_by(version: &str, configuration: String) -> String {
    if version == TOO_OLD {
        configuration.replace(", sync_interval: always", "")
    } else {
        configuration
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&from, &to);
        } else {
            std::fs::copy(from, to).unwrap();
        }
    }
}

pub fn binary(version: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/nats-servers");
    let binary = folder.join(format!("nats-server-{version}"));
    assert!(
        binary.exists(),
        "{}: run tests/nats/install",
        binary.display()
    );
    binary
}
