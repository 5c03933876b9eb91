//! The real binary as a child process.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use reqwest::{Client, Response};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::wait::{until, within};

/// A running server; killed when dropped.
pub struct Process {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    /// Its address, with `http://`.
    pub base: String,
    pub client: Client,
}

/// Returns the command that runs the binary in `folder`, with no other environment variables.
fn command(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    command_by(&[], folder, arguments, environment)
}

/// As `command`, but `starter` starts the binary and is replaced by it (`exec`).
fn command_by(
    starter: &[&str],
    folder: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Command {
    let binary = env!("CARGO_BIN_EXE_pet-store");
    let words = [starter, &[binary], arguments].concat();
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .env_clear()
        .envs(environment.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// As `command`, with up to two sockets that were opened before, and their names.
fn command_on(
    sockets: &[(&TcpListener, &str)],
    folder: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Command {
    // The shell moves the sockets to the descriptors of the protocol, and becomes the binary.
    let script = "export LISTEN_PID=$$; exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null";
    let mut command = command_by(&["/bin/sh", "-c", script], folder, arguments, environment);
    let names: Vec<&str> = sockets.iter().map(|(_, name)| *name).collect();
    command.env("LISTEN_FDS", sockets.len().to_string());
    command.env("LISTEN_FDNAMES", names.join(":"));
    let copy = |index: usize| {
        sockets
            .get(index)
            .map(|(socket, _)| socket.try_clone().unwrap())
    };
    copy(0).map(|site| command.stdin(OwnedFd::from(site)));
    copy(1).map(|second| command.stdout(OwnedFd::from(second)));
    command
}

/// As `refused`, with sockets that were opened before.
pub async fn refused_on(
    sockets: &[(&TcpListener, &str)],
    folder: &Path,
    arguments: &[&str],
) -> (i32, Vec<String>) {
    let output = command_on(sockets, folder, arguments, &[]).output();
    let output = within("a refusal", output).await.unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let lines = text.lines().map(str::to_owned).collect();
    (output.status.code().unwrap(), lines)
}

/// Starts the binary and kills it immediately, at any point of its work.
pub async fn interrupted(folder: &Path, arguments: &[&str]) {
    let mut child = command(folder, arguments, &[]).spawn().unwrap();
    tokio::task::yield_now().await;
    within("the end of the process", child.kill())
        .await
        .unwrap();
}

/// Runs the binary to its end. Returns its exit code and the lines of stderr.
pub async fn ran(folder: &Path, arguments: &[&str]) -> (i32, Vec<String>) {
    refused(folder, arguments, &[]).await
}

/// As `ran`, but as a user for whom the modes of files apply, if the test runs as root.
pub async fn ran_as_nobody(folder: &Path, arguments: &[&str]) -> (i32, Vec<String>) {
    let mut command = command(folder, arguments, &[]);
    if rustix::process::getuid().is_root() {
        command.uid(65_534).gid(65_534);
    }
    let output = within("an answer", command.output()).await.unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let lines = text.lines().map(str::to_owned).collect();
    (output.status.code().unwrap(), lines)
}

/// Runs the binary to its end. Returns its exit code and what it printed on stdout.
pub async fn printed(folder: &Path, arguments: &[&str]) -> (i32, String) {
    printed_with(folder, arguments, &[]).await
}

/// As `printed`, with environment variables.
pub async fn printed_with(
    folder: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> (i32, String) {
    let output = command(folder, arguments, environment).output();
    let output = within("an answer", output).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text)
}

/// Runs the binary with arguments that it refuses. Returns its exit code and the lines of stderr.
pub async fn refused(
    folder: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> (i32, Vec<String>) {
    let ended = command(folder, arguments, environment).output();
    let output = within("a refusal", ended).await.unwrap();
    assert!(output.stdout.is_empty(), "messages belong on stderr");
    let text = String::from_utf8(output.stderr).unwrap();
    let lines = text.lines().map(str::to_owned).collect();
    (output.status.code().unwrap(), lines)
}

impl Process {
    /// Starts the binary in `folder`, and waits for the line with its address.
    pub async fn start(folder: &Path, arguments: &[&str]) -> Self {
        Process::start_with(folder, arguments, &[]).await
    }

    /// As `start`, with environment variables.
    pub async fn start_with(
        folder: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        Process::spawn(command(folder, arguments, environment)).await
    }

    /// As `start`, through another program, such as a shell that sets a limit first.
    pub async fn start_by(starter: &[&str], folder: &Path, arguments: &[&str]) -> Self {
        Process::spawn(command_by(starter, folder, arguments, &[])).await
    }

    /// As `start`, with sockets that were opened before (`sd_listen_fds`), their names, and environment
    /// variables.
    pub async fn start_on(
        sockets: &[(&TcpListener, &str)],
        folder: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        Process::spawn(command_on(sockets, folder, arguments, environment)).await
    }

    /// Starts a command that ends by itself. Killed when dropped.
    pub fn begin(folder: &Path, arguments: &[&str]) -> Child {
        command(folder, arguments, &[]).spawn().unwrap()
    }

    async fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let read = Arc::clone(&lines);
        tokio::spawn(async move {
            while let Ok(Some(line)) = stderr.next_line().await {
                read.lock().unwrap().push(line);
            }
        });
        let mut process = Process {
            child,
            lines,
            base: String::new(),
            client: Client::builder().no_proxy().build().unwrap(),
        };
        process.wait_for_line("listening on http://").await;
        let lines = process.lines();
        let line = lines.iter().find(|line| line.contains("listening on "));
        let (_, base) = line.unwrap().split_once("listening on ").unwrap();
        process.base = base.trim_end_matches(['"', '}']).to_owned();
        process
    }

    /// Returns the lines of stderr so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub async fn wait_for_line(&self, part: &str) {
        until(&format!("a line with {part:?}"), async || {
            self.lines().iter().any(|line| line.contains(part))
        })
        .await;
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.id(), signal).unwrap();
    }

    pub fn id(&self) -> Pid {
        let id = self.child.id().expect("the process is running");
        Pid::from_raw(i32::try_from(id).unwrap()).unwrap()
    }

    /// Waits for the end of the process.
    pub async fn end(&mut self) -> ExitStatus {
        within("the end of the process", self.child.wait())
            .await
            .unwrap()
    }

    /// Kills the process.
    pub async fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.end().await;
    }

    pub async fn json(&self, path: &str) -> Value {
        let response = self.client.get(format!("{}{path}", self.base)).send();
        response.await.unwrap().json().await.unwrap()
    }

    pub async fn text(&self, path: &str) -> String {
        let response = self.client.get(format!("{}{path}", self.base)).send();
        response.await.unwrap().text().await.unwrap()
    }

    /// Waits until `count` polls are waiting.
    pub async fn until_polled(&self, count: u64) {
        let url = format!("{}/metrics", self.base);
        let line = format!("petstore_viewers{{transport=\"poll\"}} {count}\n");
        until("a poll that waits", async || {
            let answer = self.client.get(&url).send().await.unwrap();
            answer.text().await.unwrap().contains(&line)
        })
        .await;
    }

    /// Sets a status over the API. `None` if the server does not answer.
    pub async fn set_status(&self, pet: u64, status: &str) -> Option<Response> {
        let url = format!("{}/api/v1/pets/{pet}/status", self.base);
        let request = self.client.put(url).json(&json!({ "status": status }));
        request.send().await.ok()
    }
}
