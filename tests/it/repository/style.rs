//! Headers, sizes, and what does not belong into a file.

use std::path::Path;

use super::{files, root};

/// Lines of the longest file that is still read from top to bottom.
const LONGEST: usize = 400;

/// Everything that people write.
fn sources() -> Vec<(std::path::PathBuf, String)> {
    let folders = ["src", "tests", "benches", "public", "views"];
    let kinds = ["rs", "js", "mjs", "css", "html", "svg"];
    folders
        .iter()
        .flat_map(|folder| files(folder, &kinds))
        .collect()
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let sources = sources();
    assert!(sources.len() > 100);
    for (path, text) in sources {
        let openings: &[&str] = match path.extension().unwrap().to_str().unwrap() {
            "rs" => &["//! "],
            "js" | "mjs" => &["// ", "/*"],
            "css" => &["/*"],
            "svg" => &["<!--"],
            _ => &["{# ", "<!--"],
        };
        let opens = openings.iter().any(|opening| text.starts_with(opening));
        assert!(opens, "{} opens without a word", path.display());
    }
}

#[test]
fn no_file_is_too_long_to_be_read() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines", path.display());
    }
}

/// A panic says why it cannot happen, or the error is passed on.
#[test]
fn nothing_is_unwrapped_outside_of_tests() {
    let is_test = |path: &Path| {
        let is_in_tests = path
            .components()
            .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "contract");
        is_in_tests || path.ends_with("tests.rs") || path.ends_with("contract.rs")
    };
    for (path, text) in files("src", &["rs"]) {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let is_clean = !code.contains(".unwrap()") && !code.contains(".expect(\"\")");
        assert!(is_test(&path) || is_clean, "{}", path.display());
    }
}

#[test]
fn a_test_waits_for_a_fact_and_is_never_left_out() {
    let forbidden = [["sle", "ep("].concat(), ["#[ig", "nore"].concat()];
    for (path, text) in files("tests/it", &["rs"]) {
        for part in &forbidden {
            assert!(!text.contains(part), "{part} in {}", path.display());
        }
    }
}

#[test]
fn no_template_has_an_inline_script_or_style() {
    for (path, text) in files("views", &["html"]) {
        let text = text.replace("<script>{{ \"loader.js\"|inline }}</script>", "");
        // Data, which no browser runs.
        let text = text.replace("<script type=\"application/ld+json\">", "");
        for tag in text.split('<').skip(1) {
            let tag = tag.split('>').next().unwrap();
            let is_inline = tag.starts_with("style")
                || (tag.starts_with("script") && !tag.contains(" src="))
                || tag.contains(" style=")
                || tag.contains(" onclick=");
            assert!(!is_inline, "<{tag}> in {}", path.display());
        }
        let escapes = ["|safe", "| safe", "autoescape"];
        assert!(
            !escapes.iter().any(|part| text.contains(part)),
            "{}",
            path.display()
        );
    }
}

/// Addresses that are complete, and the one that a feed names itself by.
const COMPLETE_ADDRESSES: [&str; 12] = [
    "rescue.website",
    "phone_link",
    "rescue[\"contact-page\"]",
    "public_url",
    "ask.mail",
    "ask.phone[0]",
    "ask.page",
    "sharing.address",
    "address",
    "page",
    "entry.address",
    "entry.photo.address",
];

#[test]
fn an_address_in_a_template_begins_with_the_base_path() {
    for (path, text) in files("views", &["html", "xml"]) {
        for attribute in [
            "href=\"",
            "src=\"",
            "action=\"",
            "srcset=\"",
            "-upload=\"",
            "-poll=\"",
            "-draft=\"",
            "; url=",
        ] {
            for value in text.split(attribute).skip(1) {
                let place = || format!("{attribute}{:.40} in {}", value, path.display());
                let variable = value
                    .strip_prefix("{{ ")
                    .map(|rest| rest.split(" }}").next().unwrap());
                let is_known = match variable {
                    Some(name) => {
                        name == "base"
                            || name.ends_with("|asset")
                            || COMPLETE_ADDRESSES.contains(&name)
                    }
                    None => !value.starts_with('/') && !value.starts_with("{% if"),
                };
                assert!(is_known, "{}", place());
            }
        }
    }
}

/// Where packages come from is the business of whoever builds: an address written down here would
/// send them to a machine that they cannot reach, or should not.
#[test]
fn a_lock_file_says_which_package_and_not_from_where() {
    for config in [".npmrc", "package-lock.json", ".yarnrc"] {
        assert!(!root().join(config).exists(), "{config}");
    }
    let config = std::fs::read_to_string(root().join(".cargo/config.toml")).unwrap();
    let sections = config.lines().filter(|line| line.starts_with('['));
    assert_eq!(
        sections.collect::<Vec<_>>(),
        ["[env]"],
        ".cargo/config.toml"
    );
    for folder in ["tests", "benches"] {
        for (path, text) in files(folder, &["json"]) {
            assert!(!text.contains("\"resolved\""), "{}", path.display());
        }
    }
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let sources = lock.lines().filter(|line| line.starts_with("source = "));
    for source in sources {
        assert!(
            source.ends_with("github.com/rust-lang/crates.io-index\""),
            "{source}"
        );
    }
}
