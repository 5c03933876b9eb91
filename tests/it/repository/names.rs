//! Names: one type per name, a type's methods in its own file, small folders, and doc comments
//! that begin with a verb or a noun.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::{files, root};

/// Entries of a folder that a reader takes in at one look.
const MAX_ENTRIES: usize = 20;

/// Files that may contain `impl` blocks of one type: its own, and one more.
const MAX_IMPL_FILES: usize = 2;

/// First words that leave the subject to be guessed. A doc comment begins with a verb in the third
/// person, or with the noun that it defines.
const FORBIDDEN_OPENINGS: [&str; 16] = [
    "What",
    "Whether",
    "Whose",
    "Who",
    "Whom",
    "Whoever",
    "Why",
    "Of",
    "Those",
    "It",
    "Its",
    "Someone",
    "Somebody",
    "Something",
    "Nobody",
    "Everyone",
];

/// Returns true for a file that contains only tests.
fn is_test(path: &Path) -> bool {
    let is_in_tests = path
        .components()
        .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "contract");
    is_in_tests || path.ends_with("tests.rs") || path.ends_with("contract.rs")
}

/// The files of `src` without their tests.
fn sources() -> Vec<(PathBuf, String)> {
    let mut sources = files("src", &["rs"]);
    sources.retain(|(path, _)| !is_test(path));
    for (_, text) in &mut sources {
        if let Some(end) = text.find("#[cfg(test)]\nmod tests {") {
            text.truncate(end);
        }
    }
    assert!(sources.len() > 100, "the files were not found");
    sources
}

/// The leading identifier of `text`.
fn identifier(text: &str) -> String {
    let is_part = |letter: &char| letter.is_alphanumeric() || *letter == '_';
    text.chars().take_while(is_part).collect()
}

/// The name of the type that `line` defines at the top level of a module.
fn defined_type(line: &str) -> Option<String> {
    let mut line = line;
    if let Some(rest) = line.strip_prefix("pub") {
        line = match rest.strip_prefix('(') {
            Some(scope) => scope.split_once(')')?.1,
            None => rest,
        };
        line = line.strip_prefix(' ')?;
    }
    let kinds = ["struct ", "enum ", "trait ", "type ", "union "];
    let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
    Some(identifier(rest))
}

/// The name of the type whose `impl` block `line` opens.
fn implemented_type(line: &str) -> Option<String> {
    let mut rest = line.strip_prefix("impl")?;
    if rest.starts_with('<') {
        let mut depth = 0;
        let end = rest.char_indices().find_map(|(at, letter)| {
            depth += match letter {
                '<' => 1,
                '>' if !rest[..at].ends_with('-') => -1,
                _ => 0,
            };
            (depth == 0).then_some(at)
        })?;
        rest = &rest[end + 1..];
    }
    let rest = rest.strip_prefix(' ')?;
    let named = rest.split_once(" for ").map_or(rest, |(_, named)| named);
    let named = named.trim_start_matches(['&', '(']);
    let path: String = named
        .chars()
        .take_while(|letter| letter.is_alphanumeric() || ['_', ':'].contains(letter))
        .collect();
    let name = path.rsplit("::").next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

#[test]
fn no_two_types_have_the_same_name() {
    let mut defined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in sources() {
        for name in text.lines().filter_map(defined_type) {
            let file = path.display().to_string();
            defined.entry(name).or_default().push(file);
        }
    }
    assert!(defined.len() > 200, "the types were not found");
    defined.retain(|_, files| files.len() > 1);
    assert!(defined.is_empty(), "ambiguous names: {defined:#?}");
}

#[test]
fn the_methods_of_a_type_are_in_its_file_and_at_most_one_more() {
    let sources = sources();
    let types: BTreeSet<String> = sources
        .iter()
        .flat_map(|(_, text)| text.lines().filter_map(defined_type))
        .collect();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in &sources {
        for name in text.lines().filter_map(implemented_type) {
            if types.contains(&name) {
                let file = path.display().to_string();
                found.entry(name).or_default().insert(file);
            }
        }
    }
    assert!(found.len() > 200, "the impl blocks were not found");
    found.retain(|_, files| files.len() > MAX_IMPL_FILES);
    assert!(found.is_empty(), "scattered types: {found:#?}");
}

#[test]
fn lines_of_code_are_read_as_they_are_meant() {
    assert_eq!(
        defined_type("pub(super) struct Head<'a> {").unwrap(),
        "Head"
    );
    assert_eq!(defined_type("enum Kind {").unwrap(), "Kind");
    assert_eq!(defined_type("    type Err = Error;"), None);
    let implemented = |line| implemented_type(line).unwrap();
    assert_eq!(
        implemented("impl<R: Fn() -> u8> Engine for Log<R> {"),
        "Log"
    );
    assert_eq!(
        implemented("impl From<Stop> for crate::error::Failure {"),
        "Failure"
    );
    assert_eq!(implemented("impl Hub {"), "Hub");
}

#[test]
fn no_folder_has_more_entries_than_a_reader_takes_in() {
    let mut folders: Vec<PathBuf> = ["src", "views", "public", "benches", "tests", "docs"]
        .map(|folder| root().join(folder))
        .into();
    let mut crowded = Vec::new();
    while let Some(folder) = folders.pop() {
        // Snapshots are listed by the names of their tests, and read one at a time; what is built is not read.
        let unread = ["node_modules", "snapshots", "built"];
        if unread.iter().any(|name| folder.ends_with(name)) {
            continue;
        }
        let entries = fs::read_dir(&folder).unwrap();
        let entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        // A module and its folder count once. The roots of the crate are no modules, and a package
        // manager asks for its files.
        let mut names: BTreeSet<_> = entries.iter().filter_map(|path| path.file_stem()).collect();
        let others = [
            "lib",
            "main",
            "node_modules",
            "package",
            "package-lock",
            ".npmrc",
        ];
        names.retain(|name| !others.map(OsStr::new).contains(name));
        if names.len() > MAX_ENTRIES {
            crowded.push(format!("{}: {}", folder.display(), names.len()));
        }
        folders.extend(entries.into_iter().filter(|path| path.is_dir()));
    }
    assert!(crowded.is_empty(), "crowded folders: {crowded:#?}");
}

#[test]
fn a_doc_comment_begins_with_a_verb_or_a_noun() {
    let mut unclear = Vec::new();
    let mut comments = 0;
    for (path, text) in files("src", &["rs"]) {
        let mut is_inside = false;
        for (line, number) in text.lines().zip(1..) {
            let comment = line.trim_start().strip_prefix("///");
            let comment = comment.or_else(|| line.strip_prefix("//!"));
            if let (Some(comment), false) = (comment, is_inside) {
                comments += 1;
                let first = identifier(comment.trim_start());
                if FORBIDDEN_OPENINGS.contains(&first.as_str()) {
                    unclear.push(format!("{}:{number}:{comment}", path.display()));
                }
            }
            is_inside = comment.is_some();
        }
    }
    assert!(comments > 1000, "the comments were not found");
    assert!(
        unclear.is_empty(),
        "{} unclear: {unclear:#?}",
        unclear.len()
    );
}
