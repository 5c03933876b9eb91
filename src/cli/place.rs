//! Where a store is, as the commands that look after one are told.

use std::path::PathBuf;

use clap::Args;

use crate::config::{EngineChoice, EngineOptions};

/// A store of any engine.
#[derive(Args)]
pub struct Place {
    /// Folder of the store; means nothing where --engine is a cluster
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

impl Place {
    pub fn engine(&self) -> EngineChoice {
        self.engine.clone().choice()
    }

    /// As the line about what was done names it.
    pub fn told(&self) -> String {
        match self.engine() {
            EngineChoice::Redb => self.data.display().to_string(),
            EngineChoice::Nats(address) => address.to_string(),
        }
    }
}
