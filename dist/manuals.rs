//! Writes the man pages and the completions of shells into a folder: `cargo run --example manuals FOLDER`.
//!
//! An example, so that the program itself carries neither.

use std::fs;
use std::path::{Path, PathBuf};

use clap_complete::Shell;

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.expect("usage: manuals FOLDER");
    let mut command = pet_store::cli::command();
    command.build();
    let man = make(&folder, "man")?;
    clap_mangen::generate_to(command.clone(), &man)?;
    // The command `help` is clap's own.
    for page in fs::read_dir(&man)?.flatten() {
        if page.file_name().to_string_lossy().contains("-help") {
            fs::remove_file(page.path())?;
        }
    }
    let completions = make(&folder, "completions")?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command, "pet-store", &completions)?;
    }
    Ok(())
}

fn make(folder: &Path, name: &str) -> std::io::Result<PathBuf> {
    let made = folder.join(name);
    fs::create_dir_all(&made)?;
    Ok(made)
}
