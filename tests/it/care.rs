//! Maintenance of a store: backups while the server runs, restores, checks and exports.

mod backup;
mod export;
mod files;

use std::path::Path;

use crate::support::ran;

/// A demo on a free port without the simulator.
const QUIET: [&str; 5] = ["demo", "--listen", "127.0.0.1:0", "--simulate", "off"];

/// Runs a command that must succeed, and returns its one line of output.
async fn done(folder: &Path, arguments: &[&str]) -> String {
    let (code, lines) = ran(folder, arguments).await;
    assert_eq!((code, lines.len()), (0, 1), "{arguments:?}: {lines:?}");
    lines[0].clone()
}

/// Runs a command that must fail, and returns its one line of output.
async fn refused(folder: &Path, arguments: &[&str]) -> String {
    let (code, lines) = ran(folder, arguments).await;
    assert_eq!((code, lines.len()), (1, 1), "{arguments:?}: {lines:?}");
    lines[0].clone()
}

/// The names of the files in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}
