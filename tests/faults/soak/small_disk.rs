//! The small disk of the soak test, which outlasts the servers on it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::{Process, within};

/// Mounts a disk in a new mount namespace, which lasts until stdin is closed.
const HOLD: &str = "mount -t tmpfs -o size=64m none \"$0\" && echo mounted && exec cat";

/// A disk in a mount namespace.
pub struct SmallDisk {
    folder: TempDir,
    /// Keeps the namespace; killed when dropped.
    holder: Child,
}

impl SmallDisk {
    pub async fn mount() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut holder = Command::new("unshare")
            .args(["-rm", "sh", "-c", HOLD])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
        let line = within("the mount", lines.next_line()).await;
        assert_eq!(line.unwrap().as_deref(), Some("mounted"));
        SmallDisk { folder, holder }
    }

    /// Starts the server on the disk.
    pub async fn start(&self, listen: &str) -> Process {
        let holder = self.holder.id().unwrap().to_string();
        let starter = [
            "/usr/bin/nsenter",
            "--preserve-credentials",
            "--user",
            "--mount",
            "--target",
            &holder,
        ];
        let data = self.folder.path().join("data");
        let arguments = [
            &["demo", "--listen", listen, "--data", data.to_str().unwrap()],
            ["--simulate", "off", "--heartbeat", "1s"].as_slice(),
            &["--grace", "3s", "--write-timeout", "5s"],
            &["--max-connection-age", "20s", "--idle-timeout", "2s"],
        ]
        .concat();
        Process::start_by(&starter, self.folder.path(), &arguments).await
    }

    /// The path of a file on the disk, outside of the namespace.
    pub fn file(&self, name: &str) -> PathBuf {
        let holder = self.holder.id().unwrap();
        let root = PathBuf::from(format!("/proc/{holder}/root"));
        root.join(self.folder.path().strip_prefix("/").unwrap())
            .join(name)
    }

    /// Copies the store of a stopped server to another folder.
    pub fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        let store = Path::new("data").join("pet-store.redb");
        let from = self.file(store.to_str().unwrap());
        std::fs::copy(from, copy.path().join("pet-store.redb")).unwrap();
        copy
    }
}
