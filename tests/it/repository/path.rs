//! The documentation in `lib.rs` is true: the table of the way of a change, and the tests that hold
//! the invariants.

use std::collections::BTreeSet;
use std::fs;

use super::{files, root};

/// The most files that a reader opens to follow a change from the request to the socket.
const MAX_FILES: usize = 12;

/// A row of the table.
struct Step {
    file: String,
    function: String,
    /// The step whose file calls the function; `None` for the first.
    caller: Option<usize>,
}

/// The module documentation of `lib.rs`.
fn documentation() -> String {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    lines.collect::<Vec<_>>().join("\n")
}

fn steps() -> Vec<Step> {
    let documentation = documentation();
    let rows = documentation.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim().split('|').map(str::trim).collect();
        // The table begins and ends each row with a bar.
        let [_, number, file, function, _, caller, _] = cells[..] else {
            return None;
        };
        number.parse::<usize>().ok()?;
        let code = |cell: &str| cell.trim_matches('`').to_owned();
        Some(Step {
            file: code(file),
            function: code(function),
            caller: caller.parse().ok(),
        })
    });
    rows.collect()
}

#[test]
fn every_step_of_a_change_is_called_where_the_table_says() {
    let steps = steps();
    assert!(steps.len() >= 12, "only {} steps were found", steps.len());
    let text = |step: &Step| {
        let path = root().join("src").join(&step.file);
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", step.file))
    };
    for (index, step) in steps.iter().enumerate() {
        let Step { file, function, .. } = step;
        let is_defined = ["(", "<"].map(|end| text(step).contains(&format!("fn {function}{end}")));
        assert!(
            is_defined.contains(&true),
            "{file} has no function {function}"
        );
        let Some(caller) = step.caller else {
            assert_eq!(index, 0, "only the first step has no caller");
            continue;
        };
        assert!(caller <= index + 1, "step {} is called later", index + 1);
        let caller = &steps[caller - 1];
        let is_called = [".", "::"].map(|before| {
            let call = format!("{before}{function}(");
            text(caller).contains(&call)
        });
        assert!(
            is_called.contains(&true),
            "{} does not call {function}",
            caller.file
        );
    }
}

#[test]
fn the_way_of_a_change_is_read_in_at_most_twelve_files() {
    let files: BTreeSet<String> = steps().into_iter().map(|step| step.file).collect();
    assert!(files.len() <= MAX_FILES, "{} files: {files:?}", files.len());
}

#[test]
fn every_test_that_the_documentation_names_exists() {
    let documentation = documentation();
    let invariants = documentation.split("# Invariants").nth(1).unwrap();
    let code = invariants.split('`').skip(1).step_by(2);
    let rust: String = ["src", "tests"]
        .iter()
        .flat_map(|folder| files(folder, &["rs"]))
        .map(|(_, text)| text)
        .collect();
    let mut names = 0;
    for name in code {
        if name.starts_with("tests/") {
            assert!(root().join(name).exists(), "{name}");
        } else if name.len() > 20 && !name.contains("::") {
            assert!(rust.contains(&format!("fn {name}()")), "{name}");
        } else {
            continue;
        }
        names += 1;
    }
    assert!(names > 15, "only {names} names were found");
}
