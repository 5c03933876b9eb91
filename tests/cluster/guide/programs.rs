//! Starts the programs of the guide, each with its file of docs/cluster.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;

use super::ports::GuidePorts;
use crate::cluster::server::{NEWEST, binary};
use crate::support::{Process, until, within};

/// A program that is stopped with SIGTERM when it is dropped.
pub struct Program(Child);

impl Program {
    fn start(command: &mut Command) -> Self {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
        Program(quiet.stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let id = Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        // Fails when the program has exited by itself.
        let _ = kill_process(id, Signal::TERM);
        let _ = self.0.wait();
    }
}

/// Waits until a server listens at `address`. A node does not wait for its servers.
pub async fn wait_until_listening(address: &str) {
    until("a server that listens", async || {
        TcpStream::connect(address).await.is_ok()
    })
    .await;
}

pub fn start_nats(ports: &GuidePorts, folder: &Path, number: u16) -> Program {
    // Each server has its own file, since one that is overwritten may be read half.
    let config = write(
        folder,
        &format!("nats-{number}.conf"),
        &ports.read("nats.conf"),
    );
    let mut command = Command::new(binary(NEWEST));
    command
        .arg("--config")
        .arg(config)
        .env("NATS_NAME", format!("nats-{number}"))
        .env("NATS_LISTEN", ports.address(24221 + number))
        .env("NATS_ROUTE", ports.address(26221 + number))
        .env("NATS_MONITOR", ports.address(28221 + number))
        .env("NATS_STORE", folder.join(format!("nats-{number}")));
    Program::start(&mut command)
}

/// Starts a node with the documented settings, listening at the replacement of `port`.
pub async fn start_node(ports: &GuidePorts, folder: &Path, port: u16) -> Process {
    let settings = ports.read("node.env");
    let lines = settings.lines().filter(|line| !line.starts_with('#'));
    let mut settings: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once('=')).collect();
    settings.push(("PET_STORE_LISTEN", ports.address(port)));
    let arguments = ["demo", "--simulate", "off", "--pets", "3"];
    Process::start_with(folder, &arguments, &settings).await
}

pub fn start_nginx(ports: &GuidePorts, folder: &Path) -> Program {
    let site = write(folder, "site.conf", &ports.read("nginx.conf"));
    let at = folder.display();
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let folders = kinds.map(|kind| format!("{kind}_temp_path {at}/{kind};\n"));
    let config = format!(
        "daemon off; pid {at}/nginx.pid; error_log {at}/error.log;\nevents {{ multi_accept on; }}\n\
         http {{ access_log off;\n{}include {}; }}\n",
        folders.concat(),
        site.display()
    );
    let config = write(folder, "nginx.conf", &config);
    let log = folder.join("error.log");
    Program::start(
        Command::new("nginx")
            .arg("-e")
            .arg(log)
            .arg("-c")
            .arg(config),
    )
}

/// Runs `commands` in bash in `folder`, with both programs in the `PATH`, and kills the processes that
/// they started. Returns their output.
pub async fn run_commands(folder: &Path, commands: &str) -> String {
    let programs = folder.join("bin");
    std::fs::create_dir_all(&programs).unwrap();
    for (name, program) in [
        ("nats-server", binary(NEWEST)),
        ("pet-store", PathBuf::from(env!("CARGO_BIN_EXE_pet-store"))),
    ] {
        std::os::unix::fs::symlink(program, programs.join(name)).unwrap();
    }
    let path = std::env::var("PATH").unwrap();
    let script = format!("set -e\ntrap 'jobs -p >pids' EXIT\n{commands}");
    let running = tokio::process::Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("no_proxy", "127.0.0.1")
        .output();
    let ran = within("the commands of the guide", running).await.unwrap();
    kill_started(folder);
    let output = String::from_utf8(ran.stdout).unwrap();
    let errors = String::from_utf8(ran.stderr).unwrap();
    assert!(ran.status.success(), "{output}\n{errors}");
    output
}

/// Kills the processes that `run_commands` has started in `folder`.
fn kill_started(folder: &Path) {
    let pids = std::fs::read_to_string(folder.join("pids")).unwrap_or_default();
    for pid in pids.lines().filter_map(|pid| pid.parse().ok()) {
        // Fails when the program has exited by itself.
        let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
    }
}

pub fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}
