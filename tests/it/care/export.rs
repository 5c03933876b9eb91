//! An export has all pets and changes, and an import checks every line.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use super::{done, names, refused};
use crate::support::{fill, log_of};

fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

#[tokio::test]
async fn a_store_is_imported_from_its_export_with_a_new_history() {
    let folder = tempfile::tempdir().unwrap();
    let epoch = fill(&folder.path().join("data"), 25);
    done(folder.path(), &["export", "a.ndjson"]).await;
    let written = fs::metadata(folder.path().join("a.ndjson")).unwrap();
    assert_eq!(written.permissions().mode() & 0o777, 0o600);
    let said = done(folder.path(), &["import", "a.ndjson", "--data", "new"]).await;
    assert!(
        said.contains("1 pets and 25 changes up to rev 25"),
        "{said}"
    );
    done(folder.path(), &["export", "b.ndjson", "--data", "new"]).await;
    let (a, b) = (
        lines(&folder.path().join("a.ndjson")),
        lines(&folder.path().join("b.ndjson")),
    );
    assert_eq!(a[0]["epoch"], epoch.as_str());
    assert_ne!(b[0]["epoch"], epoch.as_str());
    assert_eq!(a.len(), 1 + 1 + 25 + 1);
    assert_eq!(a[1..a.len() - 1], b[1..b.len() - 1]);
    let without_epoch = |data: &str| {
        let mut log = log_of(&folder.path().join(data));
        for message in &mut log {
            message.as_object_mut().unwrap().remove("cursor");
        }
        log
    };
    assert_eq!(without_epoch("data"), without_epoch("new"));
}

#[tokio::test]
async fn a_changed_export_is_refused_with_its_line_and_no_store_is_created() {
    let folder = tempfile::tempdir().unwrap();
    fill(&folder.path().join("data"), 5);
    done(folder.path(), &["export", "whole"]).await;
    let whole = fs::read_to_string(folder.path().join("whole")).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    assert_eq!(lines.len(), 8);
    let long = format!("{}{}", lines[0], "x".repeat(9 * 1024 * 1024));
    let changed = [
        (String::new(), "line 1 "),
        (lines[1..].concat(), "line 1 "),
        (whole.replacen("\"format\":3", "\"format\":4", 1), "line 1 "),
        (lines[..7].concat(), "ends in the middle"),
        (whole.trim_end().to_owned(), "ends in the middle"),
        (
            whole.replacen("Biscuit", "Bisquit", 1),
            "changed after the export",
        ),
        (
            [&lines[..3], &lines[4..]].concat().concat(),
            "line 4 of the export: change 2 is missing",
        ),
        (
            whole.replacen("\"by\":\"api\"", "\"by\":\"nobody\"", 1),
            "line 3 ",
        ),
        (
            whole.replacen("{\"line\":\"pet\"", "{\"line\":\"cat\"", 1),
            "line 2 ",
        ),
        (format!("{whole}{{}}\n"), "follows the end"),
        (long, "longer than 8 MiB"),
    ];
    for (text, reason) in changed {
        fs::write(folder.path().join("changed"), text).unwrap();
        let said = refused(folder.path(), &["import", "changed", "--data", "new"]).await;
        assert!(said.contains(reason), "{reason:?} is not in {said:?}");
        assert_eq!(names(&folder.path().join("new")), ["pet-store.lock"]);
    }
    let said = refused(folder.path(), &["import", "whole"]).await;
    assert!(said.contains("is not empty"), "{said}");
    done(folder.path(), &["import", "whole", "--data", "new"]).await;
}

/// Someone copied the data folder of a machine whose node uses a cluster, and not the folder.
#[tokio::test]
async fn commands_for_the_embedded_store_refuse_a_cluster_and_name_the_alternative() {
    let folder = tempfile::tempdir().unwrap();
    fill(&folder.path().join("data"), 2);
    let cluster = ["--engine", "nats://127.0.0.1:1"];
    for command in [
        &["backup", "b"][..],
        &["restore", "b"],
        &["check"],
        &["compact"],
    ] {
        let said = refused(folder.path(), &[command, &cluster].concat()).await;
        assert!(said.contains("pet-store export"), "{said}");
    }
    assert_eq!(names(folder.path()), ["data"]);
}
