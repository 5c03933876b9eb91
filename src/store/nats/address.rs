//! Where the servers are, as `--engine` says it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use async_nats::ServerAddr;

/// The servers of one cluster, and how this node proves who it is.
#[derive(Clone, Debug)]
pub struct Address {
    pub servers: Vec<ServerAddr>,
    /// A file with a JWT and a seed, as `nsc` writes it.
    pub credentials: Option<PathBuf>,
}

/// The text names no servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an engine is redb, or the servers of a NATS cluster with commas between, such as \
     nats://a:4222,b:4222,c:4222, or tls:// instead of nats://"
)]
pub struct AddressError;

impl FromStr for Address {
    type Err = AddressError;

    /// The scheme of the first server holds for those after it that have none.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, _) = text.split_once("://").ok_or(AddressError)?;
        if !matches!(scheme, "nats" | "tls") {
            return Err(AddressError);
        }
        let server = |server: &str| {
            let url = match server.contains("://") {
                true => server.to_owned(),
                false => format!("{scheme}://{server}"),
            };
            let server = url.parse::<ServerAddr>().map_err(|_| AddressError)?;
            (!server.host().is_empty())
                .then_some(server)
                .ok_or(AddressError)
        };
        let servers = text.split(',').map(str::trim).map(server);
        Ok(Address {
            servers: servers.collect::<Result<_, _>>()?,
            credentials: None,
        })
    }
}

/// Without users and passwords, which an address may hold.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = self.servers.iter();
        let servers = servers.map(|server| format!("{}:{}", server.host(), server.port()));
        f.write_str(&servers.collect::<Vec<_>>().join(", "))
    }
}

impl Address {
    /// Copies that the cluster is to keep of everything: as many as bear the loss of one server,
    /// where there are enough of them.
    pub fn replicas(&self) -> u64 {
        if self.servers.len() < 3 { 1 } else { 3 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_are_listed_once_and_share_a_scheme() {
        let address: Address = "nats://a:4222,b:4223,tls://c".parse().unwrap();
        assert_eq!(address.to_string(), "a:4222, b:4223, c:4222");
        assert_eq!(address.replicas(), 3);
        let address: Address = "tls://user:secret@one".parse().unwrap();
        assert_eq!(address.to_string(), "one:4222");
        assert_eq!(address.replicas(), 1);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "nats://",
            "redis://a",
            "a:4222",
            "nats://a,,b",
            "nats://a:x",
        ] {
            assert_eq!(
                text.parse::<Address>().err(),
                Some(AddressError),
                "{text:?}"
            );
        }
    }
}
