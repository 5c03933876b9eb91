//! The real program with limited resources, and its use of them.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::within;

/// A process without the simulator; killed when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    pub base: String,
    folder: TempDir,
}

/// Sets the limits, and executes the rest of the command line. Joins a cgroup before the program starts,
/// so that all of its memory counts.
const SHELL: &str = "ulimit -n \"$0\"; if [ -n \"$PET_STORE_CGROUP\" ]; then \
     echo $$ > \"$PET_STORE_CGROUP/cgroup.procs\"; fi; \
     ulimit -v \"${PET_STORE_ADDRESS_SPACE_KIB:-unlimited}\"; exec \"$@\"";

impl Server {
    pub async fn start(open_files: u32, flags: &[&str]) -> Self {
        Server::start_as("demo", open_files, flags).await
    }

    /// Like `start`, with another command of the program.
    pub async fn start_as(mode: &str, open_files: u32, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Server::run(folder, None, mode, open_files, flags).await
    }

    /// Starts a rescue with many pets, which a demo without a memory limit has added before.
    pub async fn start_large(pets: usize) -> Self {
        let data = ["--data", "pets"];
        let folder = tempfile::tempdir().unwrap();
        let pets = pets.to_string();
        let flags = [&data[..], &["--pets", &pets]].concat();
        let mut demo = Server::run(folder, Some("".into()), "demo", 1024, &flags).await;
        demo.child.kill().await.unwrap();
        let cgroup = std::env::var_os("PET_STORE_LARGE_CGROUP").unwrap_or_default();
        Server::run(demo.folder, Some(cgroup), "serve", 1024, &data).await
    }

    /// Starts the program in `folder`, in the given cgroup or that of the environment.
    async fn run(
        folder: TempDir,
        cgroup: Option<OsString>,
        mode: &str,
        open_files: u32,
        flags: &[&str],
    ) -> Self {
        let mut command = Command::new("/bin/sh");
        if let Some(cgroup) = cgroup {
            command.env("PET_STORE_CGROUP", cgroup);
        }
        let program = std::env::var_os("PET_STORE_PROGRAM");
        let program = program.unwrap_or_else(|| env!("CARGO_BIN_EXE_pet-store").into());
        command.args(["-c", SHELL, &open_files.to_string()]);
        command.arg(program);
        command.args([mode, "--listen", "127.0.0.1:0", "--simulate", "off"]);
        command.args(flags).current_dir(folder.path());
        command.stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let listening = async {
            loop {
                let line = lines.next_line().await.unwrap().expect("it starts");
                if let Some(base) = line.strip_prefix("listening on ") {
                    return base.to_owned();
                }
            }
        };
        let base = within("the server to listen", listening).await;
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Server {
            child,
            address: base.strip_prefix("http://").unwrap().parse().unwrap(),
            base,
            folder,
        }
    }

    fn id(&self) -> u32 {
        self.child.id().expect("it still runs")
    }

    fn status(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.unwrap().trim_start_matches(':').trim();
        number.trim_end_matches(" kB").parse().unwrap()
    }

    /// Returns the memory in use, in KiB.
    pub fn memory_kib(&self) -> u64 {
        self.status("VmRSS")
    }

    /// Returns the peak memory, in KiB.
    pub fn peak_kib(&self) -> u64 {
        self.status("VmHWM")
    }

    /// CPU time so far, in hundredths of a second.
    pub fn cpu_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap();
        let fields = stat.rsplit(')').next().unwrap().split_whitespace();
        fields
            .skip(11)
            .take(2)
            .map(|ticks| ticks.parse::<u64>().unwrap())
            .sum()
    }

    /// Fails when the process has ended.
    pub fn assert_alive(&mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "it ended");
    }
}
