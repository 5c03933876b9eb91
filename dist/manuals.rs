//! Writes the man pages and the completions of shells into a folder: `cargo run --example manuals FOLDER`.
//!
//! An example, so that the program itself carries neither. The date of the pages is `SOURCE_DATE_EPOCH`, or today.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use jiff::{Timestamp, tz::TimeZone};

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.expect("usage: manuals FOLDER");
    let epoch = env::var("SOURCE_DATE_EPOCH").ok();
    let epoch = epoch.and_then(|epoch| Timestamp::from_second(epoch.parse().ok()?).ok());
    let date = epoch.unwrap_or_else(Timestamp::now).to_zoned(TimeZone::UTC);
    let date = date.date().to_string();

    let mut command = pet_store::cli::command();
    let completions = make(&folder, "completions")?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command, "pet-store", &completions)?;
    }
    repair_bash(&completions.join("pet-store.bash"))?;

    let mut command = pet_store::cli::command().disable_help_subcommand(true);
    command.build();
    write_pages(command, &make(&folder, "man")?, &date)
}

/// Writes the page of a command, and those of its subcommands.
///
/// `clap_mangen::generate_to` leaves the date empty, which moves the name of the program into its place.
fn write_pages(command: Command, folder: &Path, date: &str) -> io::Result<()> {
    for subcommand in command.get_subcommands() {
        write_pages(subcommand.clone(), folder, date)?;
    }
    let source = concat!("pet-store ", env!("CARGO_PKG_VERSION"));
    let page = Man::new(command).date(date).source(source);
    page.manual("pet-store").generate_to(folder)?;
    Ok(())
}

/// Gives the cases of subcommands the name that the completion looks for.
///
/// `clap_complete` 4.6 spells the hyphen of a program's name in two ways, so that nothing is completed after a
/// subcommand (clap-rs/clap issue 6421).
fn repair_bash(file: &Path) -> io::Result<()> {
    let script = fs::read_to_string(file)?;
    fs::write(file, script.replace("pet__subcmd__store", "pet__store"))
}

fn make(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let made = folder.join(name);
    fs::create_dir_all(&made)?;
    Ok(made)
}
