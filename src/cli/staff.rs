//! `pet-store staff`: accounts from the command line, for whoever has the machine.
//!
//! It opens the store itself. The embedded one it can open while no server has it open, and says so
//! otherwise: a running server has a page of its own to change who is staff. On a cluster it is one
//! more node for a moment, and those that run hear of what it did.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use tokio::runtime::Runtime;

use super::location::StoreLocation;
use super::{fail, password};
use crate::auth::{Accounts, Actor, check_password_rules, hash_password};
use crate::config::EngineChoice;
use crate::error::sentence;
use crate::model::{AccountName, Author, Role};
use crate::store::{RedbEngine, StoreError, connect_cluster, open_source};

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    location: StoreLocation,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add somebody; the password is asked for
    Add {
        name: AccountName,
        /// admin: also says who is staff; staff: changes pets
        #[arg(long)]
        role: Role,
        #[command(flatten)]
        password: PasswordOption,
    },
    /// List everybody
    List,
    /// Set somebody's password; ends their sessions and tokens
    Reset {
        name: AccountName,
        #[command(flatten)]
        password: PasswordOption,
    },
    /// Let somebody in no more, until they are enabled again
    Disable { name: AccountName },
    /// Let somebody in again
    Enable { name: AccountName },
    /// Remove somebody with their sessions and tokens
    Remove { name: AccountName },
}

#[derive(Args)]
struct PasswordOption {
    /// Read the password from the first line of FILE instead of the terminal
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Does what was asked, or says in a line why not.
pub fn run(options: Options) -> ExitCode {
    match carry_out(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("{error:#}"), 1),
    }
}

fn carry_out(options: Options) -> anyhow::Result<()> {
    let is_adding = matches!(options.command, Command::Add { .. });
    match options.location.engine() {
        EngineChoice::Redb => {
            let data = &options.location.data;
            if !is_adding && !data.is_dir() {
                bail!("there is no store in {}", data.display());
            }
            obey(options.command, &open(data)?)
        }
        EngineChoice::Nats(address) => {
            let runtime = Runtime::new().context("no runtime could be started")?;
            let (engine, accounts) = runtime.block_on(connect_cluster(&address))?;
            let directory = Accounts::open(accounts)?;
            let obeyed = obey(options.command, &directory);
            engine.close();
            obeyed
        }
    }
}

fn obey(command: Command, directory: &Accounts) -> anyhow::Result<()> {
    let done = match command {
        Command::List => return list(directory),
        Command::Add {
            name,
            role,
            password,
        } => {
            let hash = new_password(&password, &name)?;
            directory.members().add(&name, role, hash, &operator())?;
            format!("{name} is {} now", role.as_str())
        }
        Command::Reset { name, password } => {
            if directory.account(&name).is_none() {
                bail!("there is no account {name}");
            }
            let hash = new_password(&password, &name)?;
            directory.members().set_password(&name, hash, &operator())?;
            format!("{name} has a new password; sessions and tokens are ended")
        }
        Command::Disable { name } => {
            directory.members().disable(&name, &operator())?;
            format!("{name} is disabled")
        }
        Command::Enable { name } => {
            directory.members().enable(&name, &operator())?;
            format!("{name} is enabled")
        }
        Command::Remove { name } => {
            directory.members().remove(&name, &operator())?;
            format!("{name} is removed")
        }
    };
    print(&done)
}

fn open(data: &Path) -> anyhow::Result<Accounts> {
    let engine = RedbEngine::open(data).map_err(|error| match error {
        StoreError::InUse(data) => anyhow::anyhow!(
            "a server is running on {}: stop it first, or use its page /staff",
            data.display()
        ),
        error => error.into(),
    })?;
    Ok(Accounts::open(Arc::new(engine))?)
}

fn list(directory: &Accounts) -> anyhow::Result<()> {
    for member in directory.members().list() {
        let account = &member.account;
        let state = match (account.is_disabled, &account.password) {
            (true, _) => "disabled",
            (false, None) => "no password yet",
            (false, Some(_)) => "active",
        };
        let (name, role) = (account.name.as_str(), account.role.as_str());
        print(&format!("{name:40} {role:5} {state}"))?;
    }
    Ok(())
}

/// The hash of the password that `name` is to have.
fn new_password(option: &PasswordOption, name: &AccountName) -> anyhow::Result<String> {
    let password = match &option.password_file {
        Some(file) => {
            let shown = file.display();
            let read = open_source(file).and_then(std::io::read_to_string);
            let text = read.with_context(|| format!("cannot read {shown}"))?;
            text.lines().next().unwrap_or_default().to_owned()
        }
        None => password::ask_twice(name)?,
    };
    if let Err(error) = check_password_rules(&password, name) {
        bail!("this password is not accepted: {}", sentence(&error));
    }
    Ok(hash_password(&password))
}

fn operator() -> Actor {
    Actor::operator(Author {
        name: "command line".to_owned(),
        client: "command line".to_owned(),
    })
}

fn print(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot write to the terminal")
}
