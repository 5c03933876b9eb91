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
    // It attaches to one thread after the other, and the one that writes is not the first.
    let threads = format!("/proc/{id}/task");
    until("strace to have attached", async || {
        let mut threads = std::fs::read_dir(&threads).unwrap();
        threads.all(|thread| is_traced(&thread.unwrap().path()))
    })
    .await;
    child
}

/// Whether somebody traces a thread. One that has just ended is not there when it is looked again.
fn is_traced(thread: &Path) -> bool {
    let status = std::fs::read_to_string(thread.join("status"));
    status.is_ok_and(|status| !status.contains("TracerPid:\t0\n"))
}

/// The same, with nothing written down.
pub async fn inject(process: &Process, expression: &str) -> Child {
    attach(process, expression, Path::new("/dev/null")).await
}
