//! The programs of the guide: each with its file of docs/cluster, as it is started there.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;

use super::places::Places;
use crate::cluster::server::{NEWEST, binary};
use crate::support::{Process, until};

/// A program that is asked to end when it is dropped, by its process id.
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
        // Fails when it has ended by itself.
        let _ = kill_process(id, Signal::TERM);
        let _ = self.0.wait();
    }
}

/// Waits until somebody takes connections at `address`. A node does not wait for its servers.
pub async fn until_heard(address: &str) {
    until("a server that listens", async || {
        TcpStream::connect(address).await.is_ok()
    })
    .await;
}

pub fn start_nats(places: &Places, folder: &Path, number: u16) -> Program {
    // The same for all of them, but a file that is written anew may be read half.
    let config = write(
        folder,
        &format!("nats-{number}.conf"),
        &places.read("nats.conf"),
    );
    let mut command = Command::new(binary(NEWEST));
    command
        .arg("--config")
        .arg(config)
        .env("NATS_NAME", format!("nats-{number}"))
        .env("NATS_LISTEN", places.of(24221 + number))
        .env("NATS_ROUTE", places.of(26221 + number))
        .env("NATS_STORE", folder.join(format!("nats-{number}")));
    Program::start(&mut command)
}

/// The first reads the settings of the guide; the others listen elsewhere.
pub async fn start_node(places: &Places, folder: &Path, port: u16) -> Process {
    let settings = places.read("node.env");
    let lines = settings.lines().filter(|line| !line.starts_with('#'));
    let mut settings: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once('=')).collect();
    settings.push(("PET_STORE_LISTEN", places.of(port)));
    let arguments = ["demo", "--simulate", "off", "--pets", "3"];
    Process::start_with(folder, &arguments, &settings).await
}

pub fn start_nginx(places: &Places, folder: &Path) -> Program {
    let site = write(folder, "site.conf", &places.read("nginx.conf"));
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

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}
