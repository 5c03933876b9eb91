//! The rules of the house that a machine can keep: layers, headers, sizes, and what is never
//! written down.

mod artwork;
mod fields;
mod layers;
mod names;
mod path;
mod style;

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder` of the repository whose name ends in one of `kinds`, with its text.
fn files(folder: &str, kinds: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            let kind = path.extension().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                // Packages of the browser tests, and the results of the build.
                let is_foreign = path.ends_with("node_modules") || path.ends_with("public/built");
                folders.extend((!is_foreign).then_some(path));
            } else if kinds.contains(&&*kind) {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    found
}
