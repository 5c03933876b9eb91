//! A backup is complete, private and consistent, and a restored store has a new history.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use super::{QUIET, done, names, refused};
use crate::support::{Process, fill, interrupted, log_of, ran, rev_of, spawn_app_in, until};

/// The changes of a log, without their epoch.
fn facts(log: &[Value]) -> Vec<(u64, Value, Value)> {
    let fact = |message: &Value| {
        let rev = rev_of(message["cursor"].as_str().unwrap());
        (rev, message["pet"].clone(), message["status"].clone())
    };
    log.iter().map(fact).collect()
}

async fn newest(process: &Process) -> u64 {
    let state = process.json("/live/state").await;
    rev_of(state["cursor"].as_str().unwrap())
}

/// `cp` of a live file gave copies that would not open.
#[tokio::test]
async fn backups_of_a_busy_server_are_complete_private_and_consistent() {
    let folder = tempfile::tempdir().unwrap();
    let busy = ["demo", "--listen", "127.0.0.1:0", "--simulate", "10ms"];
    let mut process = Process::start(folder.path(), &busy).await;
    let mut backups = Vec::new();
    for number in 0..5 {
        let before = newest(&process).await;
        until("some changes", async || {
            newest(&process).await > before + 20
        })
        .await;
        let before = newest(&process).await;
        let name = format!("backup-{number}.redb");
        let said = done(folder.path(), &["backup", &name]).await;
        assert!(said.contains("6 pets"), "{said}");
        let mode = fs::metadata(folder.path().join(&name))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        backups.push((name, before, newest(&process).await));
    }
    assert!(process.set_status(1, "eating").await.unwrap().status() == 200);
    process.signal(Signal::TERM);
    assert_eq!(process.end().await.code(), Some(0));
    let all = facts(&log_of(&folder.path().join("data")));
    for (name, before, after) in backups {
        let restored = format!("restored-{name}");
        done(folder.path(), &["restore", &name, "--data", &restored]).await;
        let log = facts(&log_of(&folder.path().join(&restored)));
        let count = log.len() as u64;
        assert!(
            (before..=after).contains(&count),
            "{before} {count} {after}"
        );
        assert_eq!(log, all[..log.len()], "{name}");
    }
}

#[tokio::test]
async fn a_backup_replaces_no_file_and_leaves_no_partial_one() {
    let folder = tempfile::tempdir().unwrap();
    let said = refused(folder.path(), &["backup", "b.redb"]).await;
    assert!(said.contains("no store in ./data"), "{said}");
    assert_eq!(names(folder.path()), [""; 0], "nothing was made");
    fill(&folder.path().join("data"), 10);
    fs::write(folder.path().join("mine"), "precious").unwrap();
    let said = refused(folder.path(), &["backup", "mine"]).await;
    assert!(said.contains("choose another name"), "{said}");
    let kept = fs::read_to_string(folder.path().join("mine")).unwrap();
    assert_eq!(kept, "precious");
    let said = refused(folder.path(), &["backup", "no/such/folder"]).await;
    assert!(said.contains("no/such/folder"), "{said}");
    assert_eq!(names(folder.path()), ["data", "mine"]);
}

#[tokio::test]
async fn a_killed_backup_does_not_disturb_the_server_or_the_next_backup() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &QUIET).await;
    for status in ["eating", "bathing", "sleeping", "playing"] {
        interrupted(folder.path(), &["backup", "b.redb"]).await;
        let answer = process.set_status(1, status).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let said = done(folder.path(), &["backup", "whole.redb"]).await;
    assert!(said.contains("10 changes"), "{said}");
    assert!(!names(folder.path()).contains(&"whole.redb.unfinished".to_owned()));
}

#[tokio::test]
async fn a_killed_restore_can_be_repeated() {
    let folder = tempfile::tempdir().unwrap();
    fill(&folder.path().join("data"), 10);
    done(folder.path(), &["backup", "b.redb"]).await;
    let new = folder.path().join("new");
    fs::create_dir(&new).unwrap();
    for left in ["pet-store.lock", "pet-store.redb.unfinished"] {
        fs::write(new.join(left), "half").unwrap();
    }
    done(folder.path(), &["restore", "b.redb", "--data", "new"]).await;
    assert_eq!(names(&new), ["pet-store.lock", "pet-store.redb"]);
}

#[tokio::test]
async fn a_backup_works_after_a_crash_before_the_store_is_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path(), &QUIET).await;
    for status in ["eating", "bathing", "playing"] {
        assert_eq!(process.set_status(1, status).await.unwrap().status(), 200);
    }
    process.kill().await;
    let file = folder.path().join("data/pet-store.redb");
    let crashed = fs::read(&file).unwrap();
    let said = done(folder.path(), &["backup", "b.redb"]).await;
    assert!(said.contains("9 changes"), "{said}");
    let said = done(folder.path(), &["check"]).await;
    assert!(said.contains("all pages and records are intact"), "{said}");
    assert_eq!(
        fs::read(&file).unwrap(),
        crashed,
        "neither touched the store"
    );
}

#[tokio::test]
async fn a_check_of_a_running_servers_store_reports_what_it_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let _process = Process::start(folder.path(), &QUIET).await;
    let said = done(folder.path(), &["check"]).await;
    assert!(said.contains("all records are intact: 6 pets"), "{said}");
    assert!(
        said.contains("stop the server to check the pages"),
        "{said}"
    );
}

#[tokio::test]
async fn a_store_is_only_restored_into_an_empty_folder() {
    let folder = tempfile::tempdir().unwrap();
    fill(&folder.path().join("data"), 10);
    done(folder.path(), &["backup", "b.redb"]).await;
    let store = fs::read(folder.path().join("data/pet-store.redb")).unwrap();
    let said = refused(folder.path(), &["restore", "b.redb"]).await;
    assert!(said.contains("is not empty"), "{said}");
    assert_eq!(
        fs::read(folder.path().join("data/pet-store.redb")).unwrap(),
        store
    );
    fs::write(folder.path().join("broken"), "redb, or so it says").unwrap();
    let said = refused(folder.path(), &["restore", "broken", "--data", "new"]).await;
    assert!(said.contains("broken is"), "{said}");
    assert!(!folder.path().join("new").exists());
    let said = done(folder.path(), &["restore", "b.redb", "--data", "new"]).await;
    assert!(said.contains("10 changes up to rev 10"), "{said}");
    let logs = ["data", "new"].map(|data| facts(&log_of(&folder.path().join(data))));
    assert_eq!(logs[0], logs[1]);
}

/// A viewer may have received changes that the restored backup does not have. With the same epoch it
/// would get other changes with the same revs.
#[tokio::test]
async fn a_cursor_of_the_replaced_history_is_answered_with_a_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let epoch = fill(&folder.path().join("data"), 10);
    done(folder.path(), &["backup", "b.redb"]).await;
    done(folder.path(), &["restore", "b.redb", "--data", "new"]).await;
    // The same if someone copies the file by hand.
    fs::create_dir(folder.path().join("by-hand")).unwrap();
    let by_hand = folder.path().join("by-hand/pet-store.redb");
    fs::copy(folder.path().join("b.redb"), by_hand).unwrap();
    for data in ["data", "new", "by-hand"] {
        let app = spawn_app_in(&folder.path().join(data), |_| {}).await;
        let path = format!("/live/poll?wait=0&since={epoch}-8");
        let answer = app.json(&path).await;
        let types = answer["messages"].as_array().unwrap().iter();
        let types: Vec<&str> = types
            .map(|message| message["type"].as_str().unwrap())
            .collect();
        let expected: &[&str] = match data {
            "data" => &["hello", "status", "status"],
            _ => &["hello", "snapshot"],
        };
        assert_eq!(types, expected, "{data}");
        let cursor = app.cursor().await;
        app.stop().await;
        let app = spawn_app_in(&folder.path().join(data), |_| {}).await;
        assert_eq!(app.cursor().await, cursor, "its epoch stays");
    }
}

#[tokio::test]
async fn a_store_is_compacted_only_while_no_server_runs_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &QUIET).await;
    let said = refused(folder.path(), &["compact"]).await;
    assert!(said.contains("in use"), "{said}");
    drop(process);
    let data = folder.path().join("big");
    fill(&data, 3000);
    let before = log_of(&data);
    let size = |data: &Path| fs::metadata(data.join("pet-store.redb")).unwrap().len();
    let large = size(&data);
    let said = done(folder.path(), &["compact", "--data", "big"]).await;
    assert!(size(&data) < large, "{said}");
    assert!(
        said.contains(&format!("to {} bytes", size(&data))),
        "{said}"
    );
    assert_eq!(log_of(&data), before);
}

/// A cursor from before the trimmed log gets a snapshot; a later one gets every change.
#[tokio::test]
async fn a_trimmed_log_still_serves_returning_viewers() {
    let folder = tempfile::tempdir().unwrap();
    let epoch = fill(folder.path(), 10_600);
    // The changes of `fill` are a minute apart.
    let app = spawn_app_in(folder.path(), |config| {
        config.store.history = Some(std::time::Duration::from_hours(24));
    })
    .await;
    let oldest = async || {
        let path = "/api/v1/pets/1/changes?limit=1&before=601";
        app.json(path).await["changes"].as_array().unwrap().len()
    };
    until("the log to be trimmed", async || oldest().await == 0).await;
    let first = async |since: u64| {
        let answer = app
            .json(&format!("/live/poll?wait=0&since={epoch}-{since}"))
            .await;
        answer["messages"][1].clone()
    };
    assert_eq!(first(599).await["type"], "snapshot");
    assert_eq!(first(600).await["cursor"], format!("{epoch}-601"));
    assert_eq!(first(10_599).await["cursor"], format!("{epoch}-10600"));
}

/// redb panics over damaged pages. Only the check of a store without a server caught that.
#[tokio::test]
async fn a_damaged_page_is_a_one_line_error_also_while_a_server_runs() {
    const PAGE: usize = 4096;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fill(&data, 600);
    let arguments = [&["serve", "--listen", "127.0.0.1:0"][..], &QUIET[3..]].concat();
    let _process = Process::start(folder.path(), &arguments).await;
    let store = data.join("pet-store.redb");
    let sound = fs::read(&store).unwrap();
    let file = fs::File::options().write(true).open(&store).unwrap();
    let is_used = |page: &usize| sound[page * PAGE..][..PAGE].iter().any(|byte| *byte != 0);
    let pages: Vec<usize> = (1..sound.len() / PAGE).filter(is_used).collect();
    let mut damages = 0;
    for page in pages.iter().step_by(pages.len() / 12) {
        let start = (page * PAGE) as u64;
        file.write_all_at(&[0xa5; PAGE], start).unwrap();
        for arguments in [&["check"][..], &["backup", "b"], &["export", "e"]] {
            let (code, lines) = ran(folder.path(), arguments).await;
            assert!(
                code == 0 || code == 1,
                "page {page}, {arguments:?}: {lines:?}"
            );
            assert_eq!(lines.len(), 1, "page {page}, {arguments:?}: {lines:?}");
            damages += usize::from(lines[0].contains("data/pet-store.redb is damaged"));
            let made = names(folder.path());
            let is_left = made.iter().any(|name| name.ends_with(".unfinished"));
            assert!(!is_left, "page {page}, {arguments:?}: {made:?}");
            for name in ["b", "e"] {
                let _ = fs::remove_file(folder.path().join(name));
            }
        }
        let bytes = &sound[page * PAGE..][..PAGE];
        file.write_all_at(bytes, start).unwrap();
    }
    assert!(damages > 0, "none of {} pages was read", pages.len());
    done(folder.path(), &["check"]).await;
}
