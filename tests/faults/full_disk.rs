//! A disk of 6 MiB that is filled up and emptied again while the server runs.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::ledger::{Ledger, Verdict, set_on};
use super::print_table;
use crate::support::{Process, Viewer, log_of, until};

/// Mounts a small disk in a new mount namespace, which ends with the server.
const ON_A_SMALL_DISK: &str = "mount -t tmpfs -o size=6m none \"$0\" && exec \"$@\"";

/// Fills the rest of the disk.
pub fn fill(path: &PathBuf) {
    let mut ballast = std::fs::File::create(path).unwrap();
    let mut size = 1024 * 1024;
    while size > 0 {
        if ballast.write_all(&vec![1; size]).is_err() {
            size /= 2;
        }
    }
}

async fn status_of(process: &Process, path: &str) -> u16 {
    let url = format!("{}{path}", process.base);
    process
        .client
        .get(url)
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}

#[tokio::test]
async fn the_server_answers_507_on_a_full_disk_and_recovers_as_soon_as_there_is_space() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let data = disk.join("data");
    let starter = [
        "/usr/bin/unshare",
        "-rm",
        "/bin/sh",
        "-c",
        ON_A_SMALL_DISK,
        disk.to_str().unwrap(),
    ];
    let arguments = [
        "demo",
        "--listen",
        "127.0.0.1:0",
        "--simulate",
        "50ms",
        "--data",
        data.to_str().unwrap(),
    ];
    let mut process = Process::start_by(&starter, folder.path(), &arguments).await;
    let id = process.id().as_raw_nonzero();
    let seen = PathBuf::from(format!("/proc/{id}/root{}", disk.display()));
    let mut ledger = Ledger::default();
    assert_eq!(set_on(&process, 1, "eating", &mut ledger).await, 200);

    let ballast = seen.join("ballast");
    fill(&ballast);
    let mut refused = 0;
    until("refusals", async || {
        let code = set_on(&process, 2, "bathing", &mut ledger).await;
        assert!([200, 507].contains(&code), "{code}");
        refused += u32::from(code == 507);
        refused >= 20
    })
    .await;
    let mut viewer = Viewer::open("sse", &process.base, "").await;
    assert_eq!(viewer.next().await["type"], "hello");
    assert_eq!(viewer.next_news().await["type"], "snapshot");
    for path in [
        "/pets",
        "/pets/1",
        "/api/v1/pets/1/changes",
        "/live/state",
        "/healthz",
    ] {
        assert_eq!(status_of(&process, path).await, 200, "{path}");
    }
    assert_eq!(status_of(&process, "/readyz").await, 503);
    let url = format!("{}/metrics", process.base);
    let metrics = process
        .client
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(metrics.contains("petstore_store_writable 0\n"), "{metrics}");

    std::fs::remove_file(&ballast).unwrap();
    let freed = Instant::now();
    until("writing to work again", async || {
        status_of(&process, "/readyz").await == 200
    })
    .await;
    let recovered = freed.elapsed();
    assert!(recovered < Duration::from_secs(30));
    assert_eq!(set_on(&process, 3, "eating", &mut ledger).await, 200);
    ledger.show(&viewer.next_news().await);
    let warnings = process
        .lines()
        .into_iter()
        .filter(|line| line.contains(" ERROR ") || line.contains(" WARN "));
    let warnings: Vec<String> = warnings.collect();
    assert_eq!(
        warnings.len(),
        1,
        "one log line for the outage: {warnings:?}"
    );

    let copy = tempfile::tempdir().unwrap();
    // Stops the process at an arbitrary point, as a power cut would.
    process.signal(rustix::process::Signal::STOP);
    std::fs::copy(
        seen.join("data/pet-store.redb"),
        copy.path().join("pet-store.redb"),
    )
    .unwrap();
    process.kill().await;
    let Verdict { lost, ghosts, .. } = ledger.verify(&log_of(copy.path()));
    assert_eq!((lost, ghosts), (0, 0));
    let row = [
        refused.to_string(),
        format!("{:.2} s", recovered.as_secs_f32()),
        lost.to_string(),
        ghosts.to_string(),
    ];
    let headings = ["refused with 507", "recovery", "lost", "ghosts"];
    print_table(
        "a disk of 6 MiB, full and emptied again",
        &headings,
        &[row.to_vec()],
    );
}
