//! Unexpected files: moved while the server runs, special files, links, and a read-only disk.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{QUIET, done, names, refused};
use crate::support::{Process, fill, ran_as_nobody, until};

fn make_fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

async fn is_ready(process: &Process) -> bool {
    let asked = process
        .client
        .get(format!("{}/readyz", process.base))
        .send();
    asked.await.unwrap().status() == 200
}

/// Writes were answered 200, and all of them were lost when the server stopped.
#[tokio::test]
async fn writes_are_refused_while_the_data_folder_is_moved_or_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &QUIET).await;
    let (data, away) = (folder.path().join("data"), folder.path().join("away"));
    assert_eq!(process.set_status(1, "eating").await.unwrap().status(), 200);
    for is_replaced in [false, true] {
        fs::rename(&data, &away).unwrap();
        if is_replaced {
            fill(&data, 10);
        }
        let answer = process.set_status(1, "bathing").await.unwrap();
        assert_eq!(answer.status(), 503);
        let said = answer.text().await.unwrap();
        assert!(said.contains("moved or deleted"), "{said}");
        until("readiness to end", async || !is_ready(&process).await).await;
        let metrics = process.text("/metrics").await;
        assert!(metrics.contains("petstore_store_writable 0"));
        assert_eq!(process.json("/api/v1/pets/1").await["status"], "eating");
        if is_replaced {
            fs::remove_dir_all(&data).unwrap();
        }
        fs::rename(&away, &data).unwrap();
        until("readiness", async || is_ready(&process).await).await;
    }
    let answer = process.set_status(1, "playing").await.unwrap();
    assert_eq!(answer.status(), 200);
    let logged = process.lines();
    let logged = logged.iter().filter(|line| line.contains("was deleted or"));
    assert_eq!(
        logged.count(),
        1,
        "both outages are one to a reader of the log"
    );
}

/// The deletion was only noticed by the next write.
#[tokio::test]
async fn a_deleted_store_is_noticed_while_nobody_writes() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &QUIET).await;
    fs::remove_dir_all(folder.path().join("data")).unwrap();
    until("readiness to end", async || !is_ready(&process).await).await;
    assert!(
        names(folder.path()).is_empty(),
        "nothing is made in its place"
    );
}

/// Opening a pipe blocks until a process opens its other end.
#[tokio::test]
async fn pipes_devices_and_folders_are_refused_wherever_a_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fill(&folder.path().join("data"), 2);
    let path = |name: &str| folder.path().join(name);
    make_fifo(&path("pipe"));
    for place in ["piped-store", "piped-lock", "folder-store"] {
        fs::create_dir(path(place)).unwrap();
    }
    make_fifo(&path("piped-store/pet-store.redb"));
    make_fifo(&path("piped-lock/pet-store.lock"));
    fs::create_dir(path("folder-store/pet-store.redb")).unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data"];
    for (arguments, kind) in [
        (&["check", "--data", "piped-store"][..], "a pipe"),
        (&["check", "--data", "folder-store"], "a directory"),
        (&["backup", "b", "--data", "piped-store"], "a pipe"),
        (&["export", "e", "--data", "piped-store"], "a pipe"),
        (&["compact", "--data", "piped-store"], "a pipe"),
        (&[&serve[..], &["piped-store"]].concat(), "a pipe"),
        (&[&serve[..], &["piped-lock"]].concat(), "a pipe"),
        (&["restore", "pipe", "--data", "new"], "a pipe"),
        (&["import", "pipe", "--data", "new"], "a pipe"),
        (&["import", "data", "--data", "new"], "a directory"),
        (&["import", "/dev/zero", "--data", "new"], "a device"),
        (
            &[
                "staff",
                "add",
                "anna",
                "--role",
                "admin",
                "--password-file",
                "pipe",
            ],
            "a pipe",
        ),
        (
            &[
                "export",
                "e",
                "--engine",
                "nats://127.0.0.1:1",
                "--engine-credentials",
                "pipe",
            ],
            "a pipe",
        ),
        (
            &[
                "export",
                "e",
                "--engine",
                "nats://127.0.0.1:1",
                "--engine-ca",
                "pipe",
            ],
            "a pipe",
        ),
    ] {
        let said = refused(folder.path(), arguments).await;
        assert!(said.contains(kind), "{arguments:?}: {said}");
    }
    let said = refused(folder.path(), &["backup", "pipe"]).await;
    assert!(said.contains("choose another name"), "{said}");
}

#[tokio::test]
async fn an_unfinished_file_is_private_and_replaces_a_link() {
    let folder = tempfile::tempdir().unwrap();
    fill(&folder.path().join("data"), 2);
    let victim = folder.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    fs::set_permissions(&victim, Permissions::from_mode(0o666)).unwrap();
    symlink(&victim, folder.path().join("linked.unfinished")).unwrap();
    fs::write(folder.path().join("open.unfinished"), "").unwrap();
    let open = Permissions::from_mode(0o666);
    fs::set_permissions(folder.path().join("open.unfinished"), open).unwrap();
    for name in ["linked", "open"] {
        done(folder.path(), &["export", name]).await;
        let made = fs::symlink_metadata(folder.path().join(name)).unwrap();
        assert!(made.is_file(), "{name}");
        assert_eq!(made.permissions().mode() & 0o777, 0o600, "{name}");
    }
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    done(folder.path(), &["import", "open", "--data", "new/data"]).await;
    let made = fs::metadata(folder.path().join("new/data")).unwrap();
    assert_eq!(made.permissions().mode() & 0o777, 0o700);
}

/// The system mounts a failing disk read-only, and its store was then refused. This test makes the
/// folder read-only by its owner.
#[tokio::test]
async fn a_read_only_store_can_be_checked_exported_and_backed_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("out")).unwrap();
    for (data, has_lock) in [("data", true), ("copy", false)] {
        fill(&path(data), 5);
        fs::set_permissions(
            path(data).join("pet-store.redb"),
            Permissions::from_mode(0o444),
        )
        .unwrap();
        if !has_lock {
            fs::remove_file(path(data).join("pet-store.lock")).unwrap();
        }
        let lock = path(data).join("pet-store.lock");
        let _ = fs::set_permissions(lock, Permissions::from_mode(0o444));
        fs::set_permissions(path(data), Permissions::from_mode(0o555)).unwrap();
    }
    fs::set_permissions(path("out"), Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    for data in ["data", "copy"] {
        for command in [
            vec!["check".to_owned()],
            vec!["export".to_owned(), format!("out/{data}.ndjson")],
            vec!["backup".to_owned(), format!("out/{data}.redb")],
        ] {
            let command = command.iter().map(String::as_str);
            let arguments: Vec<&str> = command.chain(["--data", data]).collect();
            let (code, lines) = ran_as_nobody(folder.path(), &arguments).await;
            assert_eq!(code, 0, "{arguments:?}: {lines:?}");
            assert!(lines[0].contains("5 changes") || lines[0].contains("exported"));
        }
    }
    for data in ["data", "copy"] {
        fs::set_permissions(path(data), Permissions::from_mode(0o755)).unwrap();
    }
}

/// The command opened the pipe by the name of the store, and blocked.
#[tokio::test]
async fn a_pipe_in_place_of_a_running_servers_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _process = Process::start(folder.path(), &QUIET).await;
    let store = folder.path().join("data/pet-store.redb");
    fs::rename(&store, folder.path().join("away")).unwrap();
    make_fifo(&store);
    for arguments in [&["check"][..], &["backup", "b"], &["export", "e"]] {
        let said = refused(folder.path(), arguments).await;
        assert!(said.contains("a pipe"), "{arguments:?}: {said}");
    }
}

/// The answer was "File exists", or that there is no store.
#[tokio::test]
async fn a_link_without_a_target_is_reported_as_one() {
    let folder = tempfile::tempdir().unwrap();
    fill(&folder.path().join("data"), 2);
    fs::create_dir(folder.path().join("linked-store")).unwrap();
    for link in ["linked", "linked-store/pet-store.redb"] {
        symlink("nothing-here", folder.path().join(link)).unwrap();
    }
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data"];
    for arguments in [
        &["backup", "linked"][..],
        &["export", "linked"],
        &["restore", "linked", "--data", "new"],
        &["import", "linked", "--data", "new"],
        &["check", "--data", "linked"],
        &["check", "--data", "linked/folder"],
        &["backup", "b", "--data", "linked-store"],
        &["compact", "--data", "linked-store"],
        &[&serve[..], &["linked"]].concat(),
        &[&serve[..], &["linked/folder"]].concat(),
        &[&serve[..], &["linked-store"]].concat(),
    ] {
        let said = refused(folder.path(), arguments).await;
        let is_named = said.contains("is a link to nothing-here, which does not exist");
        assert!(is_named, "{arguments:?}: {said}");
        assert!(
            !said.contains("may read and write"),
            "{arguments:?}: {said}"
        );
    }
    done(folder.path(), &["backup", "b"]).await;
    let said = refused(folder.path(), &["restore", "b", "--data", "linked"]).await;
    assert!(said.contains("is a link to nothing-here"), "{said}");
    assert!(!folder.path().join("nothing-here").exists());
}
