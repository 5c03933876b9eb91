//! Looking after a store: backups while the server runs, restoring, checking, exporting.

mod backup;
mod export;
mod files;

use std::path::Path;

use crate::support::ran;

/// A demo on a free port in which nothing moves by itself.
const QUIET: [&str; 5] = ["demo", "--listen", "127.0.0.1:0", "--simulate", "off"];

/// Runs a command that works; what it says.
async fn done(folder: &Path, arguments: &[&str]) -> String {
    let (code, lines) = ran(folder, arguments).await;
    assert_eq!((code, lines.len()), (0, 1), "{arguments:?}: {lines:?}");
    lines[0].clone()
}

/// Runs a command that is refused; the one line that says why.
async fn refused(folder: &Path, arguments: &[&str]) -> String {
    let (code, lines) = ran(folder, arguments).await;
    assert_eq!((code, lines.len()), (1, 1), "{arguments:?}: {lines:?}");
    lines[0].clone()
}

/// The names of what is in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}
