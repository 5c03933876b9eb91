//! The real binary, started as a person would start it.

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
    /// `http://` and where it listens.
    pub base: String,
    pub client: Client,
}

/// The binary with nothing but `environment` in its environment, in `folder`.
fn command(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    command_by(&[], folder, arguments, environment)
}

/// The same, started by another program, which is to become it (`exec`).
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

/// Starts the binary and kills it at once; it has then done some of what it was asked, or nothing.
pub async fn interrupted(folder: &Path, arguments: &[&str]) {
    let mut child = command(folder, arguments, &[]).spawn().unwrap();
    tokio::task::yield_now().await;
    within("the end of the process", child.kill())
        .await
        .unwrap();
}

/// Runs the binary to its end: its exit code and what it says.
pub async fn ran(folder: &Path, arguments: &[&str]) -> (i32, Vec<String>) {
    refused(folder, arguments, &[]).await
}

/// Runs the binary to its end as a user who may write nothing of ours, where a test may say so: as
/// anybody but root, the modes of files do that by themselves.
pub async fn ran_as_nobody(folder: &Path, arguments: &[&str]) -> (i32, Vec<String>) {
    let mut command = command(folder, arguments, &[]);
    if rustix::process::getuid().is_root() {
        command.uid(65_534).gid(65_534);
    }
    let output = within("an answer", command.output()).await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let lines = said.lines().map(str::to_owned).collect();
    (output.status.code().unwrap(), lines)
}

/// Starts the binary with arguments that it must refuse: its exit code and what it says.
pub async fn refused(
    folder: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> (i32, Vec<String>) {
    let ended = command(folder, arguments, environment).output();
    let output = within("a refusal", ended).await.unwrap();
    assert!(output.stdout.is_empty(), "words belong on stderr");
    let said = String::from_utf8(output.stderr).unwrap();
    let lines = said.lines().map(str::to_owned).collect();
    (output.status.code().unwrap(), lines)
}

impl Process {
    /// Starts the binary in `folder` and waits for the line that says where it listens.
    pub async fn start(folder: &Path, arguments: &[&str]) -> Self {
        Process::start_with(folder, arguments, &[]).await
    }

    /// The same, with variables in its environment.
    pub async fn start_with(
        folder: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        Process::spawn(command(folder, arguments, environment)).await
    }

    /// Has `starter` start it, such as a shell that sets a limit first.
    pub async fn start_by(starter: &[&str], folder: &Path, arguments: &[&str]) -> Self {
        Process::spawn(command_by(starter, folder, arguments, &[])).await
    }

    /// Starts a command that ends by itself; killed when dropped.
    pub fn begin(folder: &Path, arguments: &[&str]) -> Child {
        command(folder, arguments, &[]).spawn().unwrap()
    }

    async fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&lines);
        tokio::spawn(async move {
            while let Ok(Some(line)) = said.next_line().await {
                heard.lock().unwrap().push(line);
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

    /// What it has said on stderr so far.
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
        let id = self.child.id().expect("it still runs");
        Pid::from_raw(i32::try_from(id).unwrap()).unwrap()
    }

    /// Waits for the end of the process.
    pub async fn end(&mut self) -> ExitStatus {
        within("the end of the process", self.child.wait())
            .await
            .unwrap()
    }

    /// Ends it at once, as a power cut would.
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

    /// Sets a status over the API; `None` when nobody answers.
    pub async fn set_status(&self, pet: u64, status: &str) -> Option<Response> {
        let url = format!("{}/api/v1/pets/{pet}/status", self.base);
        let request = self.client.put(url).json(&json!({ "status": status }));
        request.send().await.ok()
    }
}
