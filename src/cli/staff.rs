//! `pet-store staff`: manages accounts from the command line, for operators.
//!
//! The command opens the store itself. A server locks the embedded store, so the command works only while
//! the server is stopped, and says so otherwise. On a cluster the command is one more node for a moment,
//! and the running nodes apply its edits.

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
use crate::model::{AccountName, Author, Role};
use crate::store::{RedbEngine, StoreError, connect_cluster, open_source};

/// Options of `pet-store staff`.
#[derive(Args)]
pub struct StaffOptions {
    #[command(flatten)]
    location: StoreLocation,

    #[command(subcommand)]
    command: StaffCommand,
}

#[derive(Subcommand)]
enum StaffCommand {
    /// Add an account; asks for the password
    Add {
        name: AccountName,
        /// staff: can add and update pets; admin: can also manage staff
        #[arg(long)]
        role: Role,
        #[command(flatten)]
        password: PasswordOption,
    },
    /// List all accounts
    List,
    /// Set a new password; ends the account's sessions and revokes its tokens
    Reset {
        name: AccountName,
        #[command(flatten)]
        password: PasswordOption,
    },
    /// Suspend an account until it is enabled
    Disable { name: AccountName },
    /// Reactivate a suspended account
    Enable { name: AccountName },
    /// Remove an account with its sessions and tokens
    Remove { name: AccountName },
}

#[derive(Args)]
struct PasswordOption {
    /// Read the password from the first line of FILE instead of the terminal
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Runs the command, or prints in one line why it failed.
pub fn run(options: StaffOptions) -> ExitCode {
    match open_and_run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("{error:#}"), 1),
    }
}

fn open_and_run(options: StaffOptions) -> anyhow::Result<()> {
    let is_adding = matches!(options.command, StaffCommand::Add { .. });
    match options.location.engine() {
        EngineChoice::Redb => {
            let data = &options.location.data;
            if !is_adding && !data.is_dir() {
                bail!("there is no store in {}", data.display());
            }
            run_command(options.command, &open(data)?)
        }
        EngineChoice::Nats(address) => {
            let runtime = Runtime::new().context("cannot start the async runtime")?;
            let (engine, store) = runtime.block_on(connect_cluster(&address))?;
            let done = run_command(options.command, &Accounts::open(store)?);
            engine.close();
            done
        }
    }
}

fn run_command(command: StaffCommand, accounts: &Accounts) -> anyhow::Result<()> {
    let (members, operator) = (accounts.members(), operator());
    let done = match command {
        StaffCommand::List => return list(accounts),
        StaffCommand::Add {
            name,
            role,
            password,
        } => {
            let hash = new_password(&password, &name)?;
            members.add(&name, role, hash, &operator)?;
            format!("added {name} as {}", role.as_str())
        }
        StaffCommand::Reset { name, password } => {
            if accounts.account(&name).is_none() {
                bail!("there is no account {name}");
            }
            let hash = new_password(&password, &name)?;
            members.set_password(&name, hash, &operator)?;
            format!("set the password of {name}, ended all sessions and revoked all tokens")
        }
        StaffCommand::Disable { name } => {
            members.disable(&name, &operator)?;
            format!("suspended {name}")
        }
        StaffCommand::Enable { name } => {
            members.enable(&name, &operator)?;
            format!("reactivated {name}")
        }
        StaffCommand::Remove { name } => {
            members.remove(&name, &operator)?;
            format!("removed {name}")
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

fn list(accounts: &Accounts) -> anyhow::Result<()> {
    for summary in accounts.members().list() {
        let account = &summary.account;
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

/// Reads a new password for `name`, and returns its hash.
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
        bail!("weak password: {error}");
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
