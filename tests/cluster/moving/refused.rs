//! Moves that are not made: into what holds something, out of what holds nothing, and of a file that
//! is not as it was exported. Nothing is written then.

use std::fs;

use super::{done, messages, refused};
use crate::cluster::Nodes;
use crate::cluster::server::{NEWEST, Servers};
use crate::support::Rescue;

#[tokio::test]
async fn what_holds_something_is_not_imported_into_and_what_holds_nothing_is_not_exported() {
    let servers = Servers::start(1, NEWEST);
    let address = servers.address();
    let place = tempfile::tempdir().unwrap();
    let line = refused(place.path(), &["export", "a", "--engine", &address]).await;
    assert!(line.contains("holds no store"), "{line}");
    assert!(!place.path().join("a").exists());
    assert!(messages(&servers, "PET_STORE").is_err(), "nothing was made");

    let nodes = Nodes::start(&servers, 1).await;
    done(place.path(), &["export", "a", "--engine", &address]).await;
    nodes.set(0, 1, "eating").await;
    let before = messages(&servers, "PET_STORE").unwrap();
    let line = refused(place.path(), &["import", "a", "--engine", &address]).await;
    assert!(
        line.contains("holds a store") && line.contains("nothing was written"),
        "{line}"
    );
    assert_eq!(messages(&servers, "PET_STORE").unwrap(), before);
    assert_eq!(nodes.status(0, 1).await, "eating");
}

/// Somebody is known, and no pet ever was: that is a store too.
#[tokio::test]
async fn a_cluster_that_holds_only_staff_is_not_imported_into() {
    let (servers, rescue) = (Servers::start(1, NEWEST), Rescue::start().await);
    let place = tempfile::tempdir().unwrap();
    let data = rescue.folder.path().to_str().unwrap();
    done(place.path(), &["export", "a", "--data", data]).await;
    done(
        place.path(),
        &["import", "a", "--engine", &servers.address()],
    )
    .await;
    servers.ask("$JS.API.STREAM.DELETE.PET_STORE");
    let engine = ["--engine", &servers.address()];
    let line = refused(place.path(), &[&["import", "a"], &engine[..]].concat()).await;
    assert!(
        line.contains("holds a store") && line.contains("nothing was written"),
        "{line}"
    );
    assert!(messages(&servers, "PET_STORE").is_err());
}

#[tokio::test]
async fn of_a_file_with_a_line_that_is_wrong_nothing_is_imported() {
    let (servers, rescue) = (Servers::start(1, NEWEST), Rescue::start().await);
    let place = tempfile::tempdir().unwrap();
    let (folder, address) = (place.path(), servers.address());
    let data = rescue.folder.path().to_str().unwrap();
    done(folder, &["export", "whole", "--data", data]).await;
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
        let line = refused(folder, &["import", "changed", "--engine", &address]).await;
        assert!(
            line.contains(&reason) || line.contains("those that were exported"),
            "{line}"
        );
        assert!(line.contains("nothing was imported"), "{line}");
        assert!(messages(&servers, "PET_STORE").is_err(), "nothing was made");
    }
    done(folder, &["import", "whole", "--engine", &address]).await;
}
