//! Faults from the operating system, on the real program: a limit on the size of files, and errors
//! that strace injects into its system calls. Also counts its fsyncs.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, Signal, prlimit};
use serde_json::json;
use tokio::process::{Child, Command};

use super::ledger::{Ledger, Verdict, set_on};
use super::{print_table, rounds};
use crate::support::{Process, Viewer, log_of, until};

const DEMO: [&str; 5] = ["demo", "--listen", "127.0.0.1:0", "--simulate", "off"];

async fn until_ready(process: &Process) {
    until("writing to work again", async || {
        let url = format!("{}/readyz", process.base);
        process.client.get(url).send().await.unwrap().status() == 200
    })
    .await;
}

async fn end(mut process: Process, folder: &Path, ledger: &Ledger) -> Verdict {
    process.signal(Signal::TERM);
    assert_eq!(process.end().await.code(), Some(0));
    let verdict = ledger.verify(&log_of(&folder.join("data")));
    assert_eq!((verdict.lost, verdict.ghosts), (0, 0));
    verdict
}

/// Sets a long text, which fills the store sooner than a status, and returns the status of the response.
async fn set_about(process: &Process, pet: u64, about: &str) -> u16 {
    let url = format!("{}/api/v1/pets/{pet}", process.base);
    let request = process.client.patch(url).json(&json!({ "about": about }));
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn the_server_survives_a_limit_on_the_size_of_files() {
    let folder = tempfile::tempdir().unwrap();
    // In blocks of 512 bytes: a new store fits, and little more.
    let shell = ["/bin/sh", "-c", "ulimit -S -f 7400 && exec \"$0\" \"$@\""];
    let process = Process::start_by(&shell, folder.path(), &DEMO).await;
    let mut ledger = Ledger::default();
    let mut code = 200;
    let mut turn = 0;
    while code == 200 {
        assert!(turn < 3000, "the limit was never reached");
        turn += 1;
        let pet = turn % 6 + 1;
        code = set_about(&process, pet, &turn.to_string().repeat(200)).await;
        if code == 200 {
            let status = ["eating", "playing"][turn as usize % 2];
            code = set_on(&process, pet, status, &mut ledger).await;
        }
    }
    assert_eq!(code, 507);
    let state = process.json("/live/state").await;
    assert_eq!(state["pets"].as_array().unwrap().len(), 6, "reads go on");
    let unlimited = Rlimit {
        current: None,
        maximum: None,
    };
    prlimit(Some(process.id()), Resource::Fsize, unlimited).unwrap();
    until_ready(&process).await;
    assert_eq!(set_on(&process, 1, "bathing", &mut ledger).await, 200);
    end(process, folder.path(), &ledger).await;
}

#[tokio::test]
async fn the_server_recovers_from_errors_of_its_system_calls() {
    let nths = rounds(1, 60);
    let mut rows = Vec::new();
    for (call, error) in [
        ("pwrite64", "EIO"),
        ("pwrite64", "ENOSPC"),
        ("fdatasync", "EIO"),
    ] {
        for until_healed in ["", "+"] {
            let (mut refused, mut kept) = (0, 0);
            let folder = tempfile::tempdir().unwrap();
            let process = Process::start(folder.path(), &DEMO).await;
            let mut ledger = Ledger::default();
            for nth in 1..=nths {
                let injected = format!("inject={call}:error={error}:when={nth}{until_healed}");
                let mut strace = inject(&process, &injected).await;
                let mut code = 200;
                for turn in 0..200 {
                    code = set_on(&process, turn % 6 + 1, "eating", &mut ledger).await;
                    if code != 200 {
                        break;
                    }
                }
                assert_eq!(
                    code,
                    if error == "ENOSPC" { 507 } else { 503 },
                    "{injected}"
                );
                refused += 1;
                let history = format!("{}/api/v1/pets/1/changes", process.base);
                let history = process.client.get(history).send().await.unwrap();
                assert_eq!(history.status(), 200, "{injected}");
                strace.kill().await.unwrap();
                until_ready(&process).await;
                assert_eq!(set_on(&process, 1, "playing", &mut ledger).await, 200);
                kept = ledger.acknowledged();
            }
            let verdict = end(process, folder.path(), &ledger).await;
            rows.push(vec![
                format!("{call} {error}"),
                if until_healed.is_empty() {
                    "once"
                } else {
                    "until healed"
                }
                .to_owned(),
                nths.to_string(),
                refused.to_string(),
                kept.to_string(),
                verdict.lost.to_string(),
            ]);
        }
    }
    let headings = [
        "call and error",
        "lasts",
        "N up to",
        "refused",
        "acknowledged",
        "lost",
    ];
    print_table(
        "errors that strace injected into system calls",
        &headings,
        &rows,
    );
}

/// The longest that a page may take, and the longest time between two messages, while an fsync takes
/// 2 s.
const NOT_DELAYED: Duration = Duration::from_secs(1);

#[tokio::test]
async fn pages_and_viewers_are_not_delayed_while_an_fsync_takes_two_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let heartbeat = ["--heartbeat", "100ms"];
    let process = Process::start(folder.path(), &[&DEMO[..], &heartbeat].concat()).await;
    let mut viewer = Viewer::open("sse", &process.base, "").await;
    let _strace = inject(&process, "inject=fdatasync:delay_enter=2000000").await;
    let began = Instant::now();
    let writing = async {
        let answer = process.set_status(1, "eating").await.unwrap();
        assert_eq!(answer.status(), 200);
        began.elapsed()
    };
    let mut slowest = Duration::ZERO;
    let mut longest_silence = Duration::ZERO;
    let reading = async {
        loop {
            let began = Instant::now();
            let page = process.client.get(format!("{}/pets/1", process.base));
            assert_eq!(page.send().await.unwrap().status(), 200);
            slowest = slowest.max(began.elapsed());
            let listening = Instant::now();
            viewer.next().await;
            longest_silence = longest_silence.max(listening.elapsed());
        }
    };
    let written = tokio::select! {
        written = writing => written,
        () = reading => unreachable!("the loop never ends"),
    };
    assert!(written >= Duration::from_secs(2), "{written:?}");
    assert!(slowest < NOT_DELAYED, "a page took {slowest:?}");
    assert!(
        longest_silence < NOT_DELAYED,
        "no message for {longest_silence:?}"
    );
    let headings = ["one write", "slowest page", "longest silence"];
    let cells =
        [written, slowest, longest_silence].map(|time| format!("{:.3} s", time.as_secs_f32()));
    print_table(
        "an fsync of the real program that takes 2 s",
        &headings,
        &[cells.to_vec()],
    );
}

/// Number of fsyncs that succeeded so far.
fn syncs(calls: &Path) -> usize {
    let calls = std::fs::read_to_string(calls).unwrap();
    let succeeded = |call: &&str| call.contains("fdatasync") && call.ends_with(" = 0");
    calls.lines().filter(succeeded).count()
}

/// A change that is written without an fsync survives every kill and no power cut.
#[tokio::test]
async fn every_change_is_synced_before_it_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let calls = folder.path().join("calls");
    let process = Process::start(folder.path(), &DEMO).await;
    let _strace = attach(&process, "trace=fdatasync", &calls).await;
    let mut before = 0;
    for turn in 0..20 {
        let status = ["eating", "bathing"][turn % 2];
        let answer = process.set_status(1, status).await.unwrap();
        assert_eq!(answer.status(), 200);
        let after = syncs(&calls);
        assert!(
            after > before,
            "change {turn} was acknowledged before its fsync"
        );
        before = after;
    }
}

/// Attaches strace to the process with `expression`, as for its option `-e`. Writes the system calls
/// to the file `calls`. strace ends when the child is killed or dropped.
pub async fn attach(process: &Process, expression: &str, calls: &Path) -> Child {
    let id = process.id().as_raw_nonzero().to_string();
    let mut strace = Command::new("/usr/bin/strace");
    strace.args(["-f", "-qq", "-p", &id, "-e", expression, "-o"]);
    // strace complains if it is killed during a call.
    strace.arg(calls).stderr(Stdio::null()).kill_on_drop(true);
    let child = strace.spawn().unwrap();
    // strace attaches to one thread after the other, and the writer is not the first.
    let threads = format!("/proc/{id}/task");
    until("strace to have attached", async || {
        let mut threads = std::fs::read_dir(&threads).unwrap();
        threads.all(|thread| is_traced(&thread.unwrap().path()))
    })
    .await;
    child
}

/// Returns true if the thread is traced; false if it has ended.
fn is_traced(thread: &Path) -> bool {
    let status = std::fs::read_to_string(thread.join("status"));
    status.is_ok_and(|status| !status.contains("TracerPid:\t0\n"))
}

/// Like `attach`, without a file of calls.
pub async fn inject(process: &Process, expression: &str) -> Child {
    attach(process, expression, Path::new("/dev/null")).await
}
