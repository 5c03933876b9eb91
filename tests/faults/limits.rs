//! Faults from the operating system, on the real program: a limit on the size of files, and
//! errors that strace puts into its calls.

use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, Signal, prlimit};

use super::ledger::{Ledger, Verdict};
use super::strace::inject;
use super::writing::set_on;
use super::{rounds, table};
use crate::support::{Process, Viewer, log_of, until};

const DEMO: [&str; 5] = ["demo", "--listen", "127.0.0.1:0", "--simulate", "off"];

async fn until_ready(process: &Process) {
    until("writing to work again", async || {
        let url = format!("{}/readyz", process.base);
        process.client.get(url).send().await.unwrap().status() == 200
    })
    .await;
}

async fn end(mut process: Process, folder: &std::path::Path, ledger: &Ledger) -> Verdict {
    process.signal(Signal::TERM);
    assert_eq!(process.end().await.code(), Some(0));
    let verdict = ledger.verify(&log_of(&folder.join("data")));
    assert_eq!((verdict.lost, verdict.ghosts), (0, 0));
    verdict
}

#[tokio::test]
async fn a_limit_on_the_size_of_files_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // In blocks of 512 bytes: a new store fits, and little more.
    let shell = ["/bin/sh", "-c", "ulimit -S -f 300 && exec \"$0\" \"$@\""];
    let process = Process::start_by(&shell, folder.path(), &DEMO).await;
    let mut ledger = Ledger::default();
    let mut code = 200;
    let mut turn = 0;
    while code == 200 {
        assert!(turn < 3000, "the limit was never reached");
        turn += 1;
        code = set_on(
            &process,
            turn % 6 + 1,
            ["eating", "playing"][turn as usize % 2],
            &mut ledger,
        )
        .await;
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
async fn an_error_in_a_call_of_the_real_program_is_answered_and_got_over() {
    let nths = rounds(1, 60);
    let mut rows = Vec::new();
    for (call, error) in [
        ("pwrite64", "EIO"),
        ("pwrite64", "ENOSPC"),
        ("fdatasync", "EIO"),
    ] {
        for for_good in ["", "+"] {
            let (mut refused, mut kept) = (0, 0);
            let folder = tempfile::tempdir().unwrap();
            let process = Process::start(folder.path(), &DEMO).await;
            let mut ledger = Ledger::default();
            for nth in 1..=nths {
                let injected = format!("inject={call}:error={error}:when={nth}{for_good}");
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
                if for_good.is_empty() {
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
    table::print(
        "errors that strace put into the program's calls",
        &headings,
        &rows,
    );
}

/// What a page may take, and a heartbeat may be late, while the disk takes 2 s.
const UNDISTURBED: Duration = Duration::from_secs(1);

#[tokio::test]
async fn while_a_sync_of_the_real_program_takes_two_seconds_pages_and_viewers_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let heartbeat = ["--heartbeat", "100ms"];
    let process = Process::start(folder.path(), &[&DEMO[..], &heartbeat].concat()).await;
    let mut viewer = Viewer::open("sse", &process.base, "").await;
    let _strace = inject(&process, "inject=fdatasync:delay_enter=2000000").await;
    let asked = Instant::now();
    let writing = async {
        let answer = process.set_status(1, "eating").await.unwrap();
        assert_eq!(answer.status(), 200);
        asked.elapsed()
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
        () = reading => unreachable!("it never ends"),
    };
    assert!(written >= Duration::from_secs(2), "{written:?}");
    assert!(slowest < UNDISTURBED, "a page took {slowest:?}");
    assert!(
        longest_silence < UNDISTURBED,
        "no message for {longest_silence:?}"
    );
    let headings = ["one write", "slowest page", "longest silence"];
    let told =
        [written, slowest, longest_silence].map(|time| format!("{:.3} s", time.as_secs_f32()));
    table::print(
        "a sync of the real program that takes 2 s",
        &headings,
        &[told.to_vec()],
    );
}
