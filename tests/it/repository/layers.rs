//! Lower never imports higher: the order of the design, read out of the imports.

use std::path::Path;

use super::files;

/// Modules of one line import only from the lines above it, and from themselves.
///
/// The design has `app`, `simulator` and `cli` on one line; they are three here, because the app
/// starts the simulator and the command line starts the app.
const LAYERS: [&[&str]; 14] = [
    &["model", "metrics", "limits"],
    &["wire", "store", "clock", "serve"],
    &["hub"],
    &["writer"],
    &["auth"],
    &["error"],
    &["delivery"],
    &["app_state"],
    &["live", "views"],
    &["web"],
    &["config"],
    &["simulator"],
    &["app"],
    &["cli"],
];

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// The top-level module that a file belongs to; none for the door and for `main`.
fn module_of(path: &Path) -> Option<String> {
    let path = path.strip_prefix("src").unwrap();
    let first = path.components().next()?.as_os_str().to_string_lossy();
    let module = first.trim_end_matches(".rs");
    (!["lib", "main"].contains(&module)).then(|| module.to_owned())
}

/// The top-level modules that a file names, in imports and in paths.
fn named_in(text: &str) -> Vec<String> {
    let paths = text.split("crate::").skip(1).map(str::trim_start);
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    paths
        .flat_map(|path| match path.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap().split(',').collect(),
            None => vec![path],
        })
        .map(|name| {
            name.trim()
                .chars()
                .take_while(|letter| is_word(*letter))
                .collect()
        })
        .filter(|name: &String| !name.is_empty())
        .collect()
}

#[test]
fn every_module_has_its_layer() {
    for (path, _) in files("src", &["rs"]) {
        if let Some(module) = module_of(&path) {
            assert!(
                layer_of(&module).is_some(),
                "{}: which layer?",
                path.display()
            );
        }
    }
}

#[test]
fn lower_never_imports_higher_and_neighbours_do_not_import_each_other() {
    let mut imports = 0;
    for (path, text) in files("src", &["rs"]) {
        let Some(module) = module_of(&path) else {
            continue;
        };
        for named in named_in(&text) {
            if named != module {
                let is_lower = layer_of(&named) < layer_of(&module);
                assert!(is_lower, "{} must not know {named}", path.display());
                imports += 1;
            }
        }
    }
    assert!(imports > 100, "the imports were not found");
}

/// Words that would say what delivery delivers. Its tests need changes to publish, and may use them.
const FOREIGN_TO_DELIVERY: [&str; 7] =
    ["Pet", "PetId", "PetBody", "Status", "writer", "web", "pet"];

#[test]
fn delivery_knows_topics_and_frames_and_no_pets() {
    let mut read = 0;
    for (path, text) in files("src", &["rs"]) {
        let mut parts = path.components();
        let is_test = path.ends_with("tests.rs") || parts.any(|part| part.as_os_str() == "tests");
        if is_test || module_of(&path).as_deref() != Some("delivery") {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for word in code.split(|letter: char| !letter.is_alphanumeric() && letter != '_') {
            let is_foreign = FOREIGN_TO_DELIVERY.contains(&word);
            assert!(!is_foreign, "{} must not know {word}", path.display());
        }
        read += 1;
    }
    assert!(read > 8, "the files of delivery were not found");
}

#[test]
fn the_imports_are_read_in_every_form() {
    let text =
        "use crate::model::{A, B};\nuse crate::{hub, wire::Frame};\nlet x = crate::auth::AuthMode;";
    assert_eq!(named_in(text), ["model", "hub", "wire", "auth"]);
}
