//! The flags that choose the storage engine.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use crate::store::{AddressError, ClusterAddress};

/// The storage engine: the embedded store, or a cluster shared with other servers of pet-store (nodes).
#[derive(Clone, Debug)]
pub enum EngineChoice {
    /// The embedded store.
    Redb,
    /// A NATS `JetStream` cluster.
    Nats(ClusterAddress),
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

/// The engine flags of every command that opens a store.
#[derive(Args, Clone, Debug)]
pub struct EngineOptions {
    /// Where pets, changes and staff are stored: `redb`, on this machine in --data, or the servers of
    /// a NATS `JetStream` cluster, such as nats://a:4222,b:4222,c:4222, or tls:// instead of nats://
    /// (see docs/cluster.md)
    #[arg(
        long,
        value_name = "ENGINE",
        env = "PET_STORE_ENGINE",
        default_value = "redb",
        global = true
    )]
    engine: EngineChoice,

    /// Credentials file (.creds) of this node for the NATS cluster
    #[arg(
        long,
        value_name = "FILE",
        env = "PET_STORE_ENGINE_CREDENTIALS",
        global = true
    )]
    engine_credentials: Option<PathBuf>,

    /// CA certificates (PEM) that the NATS servers must be signed by; requires TLS [default for
    /// <tls://>: those of the system]
    #[arg(long, value_name = "FILE", env = "PET_STORE_ENGINE_CA", global = true)]
    engine_ca: Option<PathBuf>,
}

impl EngineOptions {
    /// Returns the chosen engine. The files apply to a cluster only.
    pub fn choice(self) -> EngineChoice {
        match self.engine {
            EngineChoice::Redb => EngineChoice::Redb,
            EngineChoice::Nats(address) => {
                EngineChoice::Nats(address.with_files(self.engine_credentials, self.engine_ca))
            }
        }
    }
}
