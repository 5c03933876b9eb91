//! strace on the running program: what it asks the system for, and errors in place of answers.

use std::path::Path;
use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::support::{Process, until};

/// Has strace carry out `expression`, as its `-e` takes it, on the process, and write down the
/// calls it sees. It ends when it is killed or dropped.
pub async fn attach(process: &Process, expression: &str, calls: &Path) -> Child {
    let id = process.id().as_raw_nonzero().to_string();
    let mut strace = Command::new("/usr/bin/strace");
    strace.args(["-f", "-qq", "-p", &id, "-e", expression, "-o"]);
    // It grumbles when it is killed in the middle of a call.
    strace.arg(calls).stderr(Stdio::null()).kill_on_drop(true);
    let child = strace.spawn().unwrap();
    let status = format!("/proc/{id}/status");
    until("strace to have attached", async || {
        let status = std::fs::read_to_string(&status).unwrap();
        !status.contains("TracerPid:\t0\n")
    })
    .await;
    child
}

/// The same, with nothing written down.
pub async fn inject(process: &Process, expression: &str) -> Child {
    attach(process, expression, Path::new("/dev/null")).await
}
