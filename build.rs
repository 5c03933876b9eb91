//! Makes templates and assets a part of release binaries, with the assets compressed as far as possible.
//!
//! Writes two lists, which `src/web/assets/files.rs` and `src/views/templates.rs` include. A debug binary reads the files at run time instead, so that
//! an edit needs no build.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The best of each format.
const BROTLI_QUALITY: u32 = 11;
const BROTLI_WINDOW: u32 = 22;

const ASSETS: &str = "public/built";
const TEMPLATES: &str = "views";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(embedded)");
    if env::var("PROFILE")? != "release" {
        return Ok(());
    }
    for folder in [ASSETS, TEMPLATES] {
        println!("cargo:rerun-if-changed={folder}");
    }
    println!("cargo:rustc-cfg=embedded");
    let (root, out) = (env::var("CARGO_MANIFEST_DIR")?, env::var("OUT_DIR")?);
    let (root, out) = (Path::new(&root), Path::new(&out));
    let mut list = String::from("static ASSETS: &[(&str, &[u8], &[u8], &[u8])] = &[\n");
    for (name, path) in files(&root.join(ASSETS))? {
        if name == "manifest.json" {
            continue;
        }
        let content = fs::read(&path)?;
        let (brotli, gzip) = (
            out.join(format!("{name}.br")),
            out.join(format!("{name}.gz")),
        );
        fs::write(&brotli, compress_brotli(&content)?)?;
        fs::write(&gzip, compress_gzip(&content)?)?;
        let included = [path, brotli, gzip]
            .map(|path| format!("include_bytes!({:?})", path.to_string_lossy()));
        list.push_str(&format!("    ({name:?}, {}),\n", included.join(", ")));
    }
    list.push_str("];\n");
    fs::write(out.join("assets.rs"), list)?;
    let mut list = String::from("static TEMPLATES: &[(&str, &str)] = &[\n");
    for (name, path) in files(&root.join(TEMPLATES))? {
        let included = format!("include_str!({:?})", path.to_string_lossy());
        list.push_str(&format!("    ({name:?}, {included}),\n"));
    }
    list.push_str("];\n");
    fs::write(out.join("templates.rs"), list)?;
    Ok(())
}

/// Returns the files in `folder` and below, by their paths within it.
fn files(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for entry in fs::read_dir(current)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(name) = path.strip_prefix(folder) {
                found.push((name.to_string_lossy().replace('\\', "/"), path));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn compress_brotli(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, BROTLI_QUALITY, BROTLI_WINDOW);
    writer.write_all(content)?;
    Ok(writer.into_inner())
}

fn compress_gzip(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(content)?;
    writer.finish()
}
