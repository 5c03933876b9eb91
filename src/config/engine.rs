//! Which engine holds pets and changes.

use std::path::PathBuf;
use std::str::FromStr;

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

impl EngineChoice {
    /// The same, with files that say who this node is, and who vouches for the servers. The embedded
    /// store asks nobody.
    pub fn with_files(self, credentials: Option<PathBuf>, authority: Option<PathBuf>) -> Self {
        match self {
            EngineChoice::Redb => EngineChoice::Redb,
            EngineChoice::Nats(address) => EngineChoice::Nats(Address {
                credentials,
                authority,
                ..address
            }),
        }
    }
}
