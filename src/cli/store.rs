//! The commands that look after a store: copies of it, its health and its size; and that move it
//! from one engine to another.

use std::io::{BufRead, BufReader, Write};
use std::panic;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use anyhow::bail;
use clap::{Args, Subcommand};

use super::place::Place;
use super::{fail, say};
use crate::config::EngineChoice;
use crate::store::archive::StaffData;
use crate::store::{self, Contents, StoreError, open_source};

/// The exit code of a Rust program that panicked.
const PANICKED: u8 = 101;

#[derive(Subcommand)]
pub enum StoreCommand {
    /// Copy the store into a new file, also while a server runs on it
    Backup {
        /// The new file
        file: PathBuf,
        #[command(flatten)]
        data: Embedded,
    },
    /// Put a backup into an empty folder
    Restore {
        /// A file that pet-store backup made
        file: PathBuf,
        #[command(flatten)]
        data: Embedded,
    },
    /// Check every page and every record of the store; only its records while a server runs on it
    Check(Embedded),
    /// Write pets, changes and staff as text, one JSON object a line; also while a server runs
    Export {
        /// The new file, or - for the standard output. It holds staff's password hashes: keep it
        /// like a backup
        file: PathBuf,
        /// Leave out accounts, tokens and the audit, for other programs
        #[arg(long)]
        without_staff: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Make a store out of an export: in an empty folder, or in a cluster that holds nothing
    Import {
        /// A file that pet-store export made, or - for the standard input
        file: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Give room that the store no longer needs back to the disk; no server may run on it
    Compact(Embedded),
}

/// A store of the embedded engine.
#[derive(Args)]
pub struct Embedded {
    /// Folder of the store
    #[arg(
        long,
        value_name = "DIR",
        env = "PET_STORE_DATA",
        default_value = "./data"
    )]
    data: PathBuf,

    /// Known in order to be refused: what is meant is not the store in --data.
    #[arg(long, env = "PET_STORE_ENGINE", default_value = "redb", hide = true)]
    engine: EngineChoice,
}

impl Embedded {
    fn folder(self) -> anyhow::Result<PathBuf> {
        match self.engine {
            EngineChoice::Redb => Ok(self.data),
            EngineChoice::Nats(_) => bail!(
                "this command looks after the embedded store in --data, and --engine is a cluster: \
                 use pet-store export and pet-store import, which are a cluster's backup too"
            ),
        }
    }
}

/// Does what is asked, and says in one line what was done or why not.
pub fn run(command: StoreCommand) -> ExitCode {
    // A panic over a damaged page becomes an error of the store, whose line says enough.
    let panicked = Arc::new(Mutex::new(String::new()));
    let noted = Arc::clone(&panicked);
    panic::set_hook(Box::new(move |info| {
        if let Ok(mut noted) = noted.lock() {
            *noted = info.to_string().replace('\n', " ");
        }
    }));
    match panic::catch_unwind(|| carry_out(command)) {
        Ok(Ok(done)) => {
            say(&done);
            ExitCode::SUCCESS
        }
        Ok(Err(error)) => fail(&error.to_string(), 1),
        Err(_) => {
            let panicked = panicked.lock().map(|panicked| panicked.clone());
            fail(&panicked.unwrap_or_default(), PANICKED)
        }
    }
}

fn carry_out(command: StoreCommand) -> anyhow::Result<String> {
    Ok(match command {
        StoreCommand::Backup { file, data } => {
            let contents = store::backup(&data.folder()?, &file)?;
            format!("wrote {} into {}", told(contents), file.display())
        }
        StoreCommand::Restore { file, data } => {
            let folder = data.folder()?;
            let contents = store::restore(&file, &folder)?;
            format!("restored {} into {}", told(contents), folder.display())
        }
        StoreCommand::Check(data) => match store::check(&data.folder()?)? {
            (contents, true) => format!("every page and record is sound: {}", told(contents)),
            (contents, false) => format!(
                "every record is sound: {}; its pages can be checked when no server runs on it",
                told(contents)
            ),
        },
        StoreCommand::Export {
            file,
            without_staff,
            place,
        } => {
            let (staff, note) = match without_staff {
                true => (StaffData::Excluded, "without staff"),
                false => (StaffData::Included, "with staff: keep it like a backup"),
            };
            export(&place, staff, &file)?;
            let (place, file) = (place.told(), file.display());
            format!("exported {place} to {file}, {note}")
        }
        StoreCommand::Import { file, place } => {
            let contents = import(&file, &place)?;
            format!("imported {contents} into {}", place.told())
        }
        StoreCommand::Compact(data) => {
            let (before, after) = store::compact(&data.folder()?)?;
            format!("the store took {before} bytes and takes {after}")
        }
    })
}

fn told(contents: Contents) -> String {
    let Contents {
        schema,
        pets,
        changes,
        rev,
    } = contents;
    format!("{pets} pets and {changes} changes up to rev {rev} (schema {schema})")
}

fn is_stream(file: &Path) -> bool {
    file == Path::new("-")
}

/// Into a new file that is whole or not there, or to the standard output.
fn export(place: &Place, staff: StaffData, file: &Path) -> Result<(), StoreError> {
    let engine = place.engine();
    let write = |out: &mut dyn Write| match &engine {
        EngineChoice::Redb => store::export(&place.data, staff, out),
        EngineChoice::Nats(address) => store::export_cluster(address, staff, out),
    };
    match is_stream(file) {
        true => write(&mut std::io::stdout().lock()),
        false => store::write_new(file, |out| write(out)),
    }
}

/// What was imported, in words.
fn import(file: &Path, place: &Place) -> Result<String, StoreError> {
    let read = |input: &mut dyn BufRead| match place.engine() {
        EngineChoice::Redb => store::import(input, &place.data).map(told),
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
