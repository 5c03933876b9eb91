//! The commands that maintain a store: backup, restore, check, export, import and compact.

use std::io::{BufRead, BufReader, Write};
use std::panic;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use clap::Subcommand;

use super::location::{EmbeddedStore, StoreLocation};
use super::{fail, print_line};
use crate::config::EngineChoice;
use crate::store::archive::StaffData;
use crate::store::{self, Contents, StoreError, open_source};

/// The exit code of a Rust program that panicked.
const PANICKED: u8 = 101;

/// A command that maintains a store.
#[derive(Subcommand)]
pub enum StoreCommand {
    /// Copy the store to a new file; a server may be running
    Backup {
        /// The new file
        file: PathBuf,
        #[command(flatten)]
        store: EmbeddedStore,
    },
    /// Restore a backup into an empty folder
    Restore {
        /// A file written by pet-store backup
        file: PathBuf,
        #[command(flatten)]
        store: EmbeddedStore,
    },
    /// Check all pages and records of the store; only its records while a server is running
    Check(EmbeddedStore),
    /// Write pets, changes and staff as JSON lines; a server may be running
    Export {
        /// The new file, or - for standard output. It contains the password hashes of staff: store it
        /// like a backup
        file: PathBuf,
        /// Leave out accounts, tokens and the audit log, for use in other programs
        #[arg(long)]
        without_staff: bool,
        #[command(flatten)]
        location: StoreLocation,
    },
    /// Create a store from an export, in an empty folder or an empty cluster
    Import {
        /// A file written by pet-store export, or - for standard input
        file: PathBuf,
        #[command(flatten)]
        location: StoreLocation,
    },
    /// Return unused space of the store to the disk; no server may be running
    Compact(EmbeddedStore),
}

/// Runs a command, and prints its result or its error in one line.
pub fn run(command: StoreCommand) -> ExitCode {
    // redb may panic on a damaged page; the hook keeps the message for the one line.
    let message = Arc::new(Mutex::new(String::new()));
    let panicked = Arc::clone(&message);
    panic::set_hook(Box::new(move |info| {
        if let Ok(mut panicked) = panicked.lock() {
            *panicked = info.to_string().replace('\n', " ");
        }
    }));
    match panic::catch_unwind(|| execute(command)) {
        Ok(Ok(result)) => {
            print_line(&result);
            ExitCode::SUCCESS
        }
        Ok(Err(error)) => fail(&error.to_string(), 1),
        Err(_) => {
            let message = message.lock().map(|message| message.clone());
            fail(&message.unwrap_or_default(), PANICKED)
        }
    }
}

fn execute(command: StoreCommand) -> anyhow::Result<String> {
    Ok(match command {
        StoreCommand::Backup { file, store } => {
            let contents = describe(store::backup(&store.folder()?, &file)?);
            format!("wrote {contents} to {}", file.display())
        }
        StoreCommand::Restore { file, store } => {
            let folder = store.folder()?;
            let contents = describe(store::restore(&file, &folder)?);
            format!("restored {contents} into {}", folder.display())
        }
        StoreCommand::Check(store) => match store::check(&store.folder()?)? {
            (contents, true) => format!("all pages and records are intact: {}", describe(contents)),
            (contents, false) => format!(
                "all records are intact: {}; stop the server to check the pages too",
                describe(contents)
            ),
        },
        StoreCommand::Export {
            file,
            without_staff,
            location,
        } => {
            let (staff, note) = if without_staff {
                (StaffData::Excluded, "without staff")
            } else {
                (StaffData::Included, "with staff: store it like a backup")
            };
            export(&location, staff, &file)?;
            let (location, file) = (location.name(), file.display());
            format!("exported {location} to {file}, {note}")
        }
        StoreCommand::Import { file, location } => {
            let contents = import(&file, &location)?;
            format!("imported {contents} into {}", location.name())
        }
        StoreCommand::Compact(store) => {
            let (before, after) = store::compact(&store.folder()?)?;
            format!("compacted the store from {before} to {after} bytes")
        }
    })
}

fn describe(contents: Contents) -> String {
    let Contents {
        schema,
        pets,
        trash,
        changes,
        rev,
    } = contents;
    let trash = match trash {
        0 => String::new(),
        trash => format!(" ({trash} in the trash)"),
    };
    format!("{pets} pets{trash} and {changes} changes up to rev {rev} (schema {schema})")
}

fn is_stream(file: &Path) -> bool {
    file == Path::new("-")
}

/// Writes an export to standard output, or to a new file that is complete or does not exist.
fn export(location: &StoreLocation, staff: StaffData, file: &Path) -> Result<(), StoreError> {
    let engine = location.engine();
    let write = |out: &mut dyn Write| match &engine {
        EngineChoice::Redb => store::export(&location.data, staff, out),
        EngineChoice::Nats(address) => store::export_cluster(address, staff, out),
    };
    if is_stream(file) {
        write(&mut std::io::stdout().lock())
    } else {
        store::write_new(file, |out| write(out))
    }
}

/// Imports an export, and describes its contents.
fn import(file: &Path, location: &StoreLocation) -> Result<String, StoreError> {
    let read = |input: &mut dyn BufRead| match location.engine() {
        EngineChoice::Redb => store::import(input, &location.data).map(describe),
        EngineChoice::Nats(address) => {
            store::import_into_cluster(input, &address).map(|imported| imported.to_string())
        }
    };
    if is_stream(file) {
        return read(&mut std::io::stdin().lock());
    }
    let opened = open_source(file).map_err(|error| StoreError::from_open(file, &error))?;
    read(&mut BufReader::new(opened))
}
