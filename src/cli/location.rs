//! The flags that say which store a command works on.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use crate::config::{EngineChoice, EngineOptions};

/// A store of any engine.
#[derive(Args)]
pub struct StoreLocation {
    /// Folder of the embedded store; ignored if --engine is a cluster
    #[arg(
        long,
        value_name = "DIR",
        env = "PET_STORE_DATA",
        default_value = "./data",
        global = true
    )]
    pub data: PathBuf,

    #[command(flatten)]
    engine: EngineOptions,
}

impl StoreLocation {
    /// Returns the engine of the store.
    pub fn engine(&self) -> EngineChoice {
        self.engine.clone().choice()
    }

    /// Returns the location as messages name it: a folder, or the address of a cluster.
    pub fn name(&self) -> String {
        match self.engine() {
            EngineChoice::Redb => self.data.display().to_string(),
            EngineChoice::Nats(address) => address.to_string(),
        }
    }
}

/// A store of the embedded engine.
#[derive(Args)]
pub struct EmbeddedStore {
    /// Folder of the store
    #[arg(
        long,
        value_name = "DIR",
        env = "PET_STORE_DATA",
        default_value = "./data"
    )]
    data: PathBuf,

    /// Accepted in order to refuse a cluster, whose store is not the one in --data.
    #[arg(long, env = "PET_STORE_ENGINE", default_value = "redb", hide = true)]
    engine: EngineChoice,
}

impl EmbeddedStore {
    /// Returns the folder of the store.
    ///
    /// # Errors
    /// If `--engine` is a cluster.
    pub fn folder(self) -> anyhow::Result<PathBuf> {
        match self.engine {
            EngineChoice::Redb => Ok(self.data),
            EngineChoice::Nats(_) => bail!(
                "this command works on the embedded store in --data, but --engine is a cluster; back \
                 up a cluster with pet-store export, and restore it with pet-store import"
            ),
        }
    }
}
