//! Which engine holds pets and changes.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use crate::store::{Address, AddressError};

/// The embedded store, or a cluster that other nodes use too.
#[derive(Clone, Debug)]
pub enum EngineChoice {
    Redb,
    Nats(Address),
}

impl FromStr for EngineChoice {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text {
            "redb" => Ok(EngineChoice::Redb),
            text => text.parse().map(EngineChoice::Nats),
        }
    }
}

/// The options that say which engine it is, for every command that opens one.
#[derive(Args, Clone, Debug)]
pub struct EngineOptions {
    /// What holds pets, changes and staff: redb, in --data, on this machine alone; or the servers of
    /// a NATS JetStream cluster that other nodes use too, such as nats://a:4222,b:4222,c:4222, or
    /// tls:// instead of nats:// (see docs/cluster.md)
    #[arg(
        long,
        value_name = "ENGINE",
        env = "PET_STORE_ENGINE",
        default_value = "redb",
        global = true
    )]
    engine: EngineChoice,

    /// File with this node's credentials for the NATS cluster, as nsc writes it
    #[arg(
        long,
        value_name = "FILE",
        env = "PET_STORE_ENGINE_CREDENTIALS",
        global = true
    )]
    engine_credentials: Option<PathBuf>,

    /// File with the certificates that vouch for the NATS servers, in PEM; nothing is then said in
    /// the clear [default for tls://: those that the system trusts]
    #[arg(long, value_name = "FILE", env = "PET_STORE_ENGINE_CA", global = true)]
    engine_ca: Option<PathBuf>,
}

impl EngineOptions {
    /// The engine, with files that say who this node is, and who vouches for the servers. The
    /// embedded store asks nobody.
    pub fn choice(self) -> EngineChoice {
        match self.engine {
            EngineChoice::Redb => EngineChoice::Redb,
            EngineChoice::Nats(address) => EngineChoice::Nats(Address {
                credentials: self.engine_credentials,
                authority: self.engine_ca,
                ..address
            }),
        }
    }
}
