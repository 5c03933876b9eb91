//! The files of `public/built/`: part of a release binary, compressed by `build.rs`, and read from the sources by a
//! debug one.

use bytes::Bytes;

/// A file of `public/built/`.
pub struct BuiltFile {
    /// Name of the file.
    pub name: String,
    /// Content of the file.
    pub content: Bytes,
    /// The content in Brotli and in gzip. `None` in a debug binary.
    pub compressed: Option<(Bytes, Bytes)>,
}

#[cfg(embedded)]
include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Reads every file.
#[cfg(embedded)]
pub fn read() -> Vec<BuiltFile> {
    let files = ASSETS.iter();
    files
        .map(|(name, content, brotli, gzip)| BuiltFile {
            name: (*name).to_owned(),
            content: Bytes::from_static(content),
            compressed: Some((Bytes::from_static(brotli), Bytes::from_static(gzip))),
        })
        .collect()
}

/// Reads every file.
#[cfg(not(embedded))]
pub fn read() -> Vec<BuiltFile> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/public/built");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_name() != "manifest.json");
    files
        .filter_map(|entry| {
            Some(BuiltFile {
                name: entry.file_name().into_string().ok()?,
                content: std::fs::read(entry.path()).ok()?.into(),
                compressed: None,
            })
        })
        .collect()
}
