//! The templates of `views/`: part of a release binary, and read from the sources by a debug one.

#[cfg(embedded)]
include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// Returns the template at this path within `views/`.
#[cfg(embedded)]
pub fn read(name: &str) -> Option<String> {
    let found = TEMPLATES.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| (*text).to_owned())
}

/// Returns the template at this path within `views/`.
#[cfg(not(embedded))]
pub fn read(name: &str) -> Option<String> {
    let path = format!("{}/views/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).ok()
}
