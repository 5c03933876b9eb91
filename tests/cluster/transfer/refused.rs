//! Refused exports and imports: from an empty cluster, into one that is not empty, and of a file that was
//! changed. Nothing is written.

use std::fs;

use super::{fail, messages, succeed};
use crate::cluster::server::{NEWEST, Servers};
use crate::cluster::support::Nodes;
use crate::support::Rescue;

#[tokio::test]
async fn an_empty_cluster_is_not_exported_and_one_with_a_store_is_not_imported_into() {
    let servers = Servers::start(1, NEWEST);
    let address = servers.address();
    let place = tempfile::tempdir().unwrap();
    let line = fail(place.path(), &["export", "a", "--engine", &address]).await;
    assert!(line.contains("holds no store"), "{line}");
    assert!(!place.path().join("a").exists());
    assert!(
        messages(&servers, "PET_STORE").is_err(),
        "nothing was created"
    );

    let nodes = Nodes::start(&servers, 1).await;
    succeed(place.path(), &["export", "a", "--engine", &address]).await;
    nodes.set(0, 1, "eating").await;
    let before = messages(&servers, "PET_STORE").unwrap();
    let line = fail(place.path(), &["import", "a", "--engine", &address]).await;
    assert!(
        line.contains("holds a store") && line.contains("nothing was written"),
        "{line}"
    );
    assert_eq!(messages(&servers, "PET_STORE").unwrap(), before);
    assert_eq!(nodes.status(0, 1).await, "eating");
}

/// Accounts without pets are a store too.
#[tokio::test]
async fn a_cluster_that_holds_only_accounts_is_not_imported_into() {
    let (servers, rescue) = (Servers::start(1, NEWEST), Rescue::start().await);
    let place = tempfile::tempdir().unwrap();
    let data = rescue.folder.path().to_str().unwrap();
    succeed(place.path(), &["export", "a", "--data", data]).await;
    succeed(
        place.path(),
        &["import", "a", "--engine", &servers.address()],
    )
    .await;
    servers.ask("$JS.API.STREAM.DELETE.PET_STORE");
    let engine = ["--engine", &servers.address()];
    let line = fail(place.path(), &[&["import", "a"], &engine[..]].concat()).await;
    assert!(
        line.contains("holds a store") && line.contains("nothing was written"),
        "{line}"
    );
    assert!(messages(&servers, "PET_STORE").is_err());
}

#[tokio::test]
async fn a_file_with_an_invalid_line_is_not_imported_at_all() {
    let (servers, rescue) = (Servers::start(1, NEWEST), Rescue::start().await);
    let place = tempfile::tempdir().unwrap();
    let (folder, address) = (place.path(), servers.address());
    let data = rescue.folder.path().to_str().unwrap();
    succeed(folder, &["export", "whole", "--data", data]).await;
    let whole = fs::read_to_string(folder.join("whole")).unwrap();
    let cut = whole.lines().count() - 1;
    let cut: Vec<&str> = whole.split_inclusive('\n').take(cut).collect();
    let changed = [
        (
            cut.concat(),
            format!("line {} of the export", cut.len() + 1),
        ),
        (whole.replacen("Biscuit", "Bisquit", 1), "line 2".to_owned()),
        (
            whole.replacen("\"by\":\"api\"", "\"by\":\"me\"", 1),
            "line 3 ".to_owned(),
        ),
    ];
    for (text, reason) in changed {
        fs::write(folder.join("changed"), text).unwrap();
        let line = fail(folder, &["import", "changed", "--engine", &address]).await;
        assert!(
            line.contains(&reason) || line.contains("changed after the export"),
            "{line}"
        );
        assert!(line.contains("nothing was imported"), "{line}");
        assert!(
            messages(&servers, "PET_STORE").is_err(),
            "nothing was created"
        );
    }
    succeed(folder, &["import", "whole", "--engine", &address]).await;
}
