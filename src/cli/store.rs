//! The commands that look after a store: copies of it, its health and its size.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{fail, say};
use crate::store::{self, Contents, StoreError};

#[derive(Subcommand)]
pub enum StoreCommand {
    /// Copy the store into a new file, also while a server runs on it
    Backup {
        /// The new file
        file: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// Put a backup into an empty folder
    Restore {
        /// A file that pet-store backup made
        file: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// Check every page and every record of the store; only its records while a server runs on it
    Check(Data),
    /// Write pets and changes as text, one JSON object a line; also while a server runs
    Export {
        /// The new file, or - for the standard output
        file: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// Make a store out of an export, in an empty folder
    Import {
        /// A file that pet-store export made, or - for the standard input
        file: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// Give room that the store no longer needs back to the disk; no server may run on it
    Compact(Data),
}

#[derive(Args)]
pub struct Data {
    /// Folder of the store
    #[arg(
        long,
        value_name = "DIR",
        env = "PET_STORE_DATA",
        default_value = "./data"
    )]
    data: PathBuf,
}

/// Does what is asked, and says in one line what was done or why not.
pub fn run(command: StoreCommand) -> ExitCode {
    match carry_out(command) {
        Ok(done) => {
            say(&done);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error.to_string(), 1),
    }
}

fn carry_out(command: StoreCommand) -> anyhow::Result<String> {
    Ok(match command {
        StoreCommand::Backup { file, data } => {
            let contents = store::backup(&data.data, &file)?;
            format!("wrote {} into {}", told(contents), file.display())
        }
        StoreCommand::Restore { file, data } => {
            let contents = store::restore(&file, &data.data)?;
            format!("restored {} into {}", told(contents), data.data.display())
        }
        StoreCommand::Check(data) => match store::check(&data.data)? {
            (contents, true) => format!("every page and record is sound: {}", told(contents)),
            (contents, false) => format!(
                "every record is sound: {}; its pages can be checked when no server runs on it",
                told(contents)
            ),
        },
        StoreCommand::Export { file, data } => {
            export(&data.data, &file)?;
            format!("exported {} to {}", data.data.display(), file.display())
        }
        StoreCommand::Import { file, data } => {
            let contents = import(&file, &data.data)?;
            format!("imported {} into {}", told(contents), data.data.display())
        }
        StoreCommand::Compact(data) => {
            let (before, after) = store::compact(&data.data)?;
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
fn export(folder: &Path, file: &Path) -> anyhow::Result<()> {
    if is_stream(file) {
        store::export(folder, std::io::stdout().lock())?;
    } else {
        store::export_to(folder, file)?;
    }
    Ok(())
}

fn import(file: &Path, folder: &Path) -> anyhow::Result<Contents> {
    if is_stream(file) {
        return Ok(store::import(std::io::stdin().lock(), folder)?);
    }
    let opened = File::open(file).map_err(|error| StoreError::Open {
        path: file.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(store::import(BufReader::new(opened), folder)?)
}
