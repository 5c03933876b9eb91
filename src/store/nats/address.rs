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
    /// A file with the certificates that vouch for the servers; otherwise the system's do.
    pub authority: Option<PathBuf>,
}

/// Why the text names no servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error(
        "an engine is redb, or the servers of a NATS cluster with commas between, such as \
         nats://a:4222,b:4222,c:4222, or tls:// instead of nats://"
    )]
    NoServers,
    /// It would stand in the list of processes, and the client would not send it.
    #[error(
        "an engine's address holds no user and no password: put the credentials into a file, as \
         nsc writes it, and name that with --engine-credentials"
    )]
    Secret,
}

impl FromStr for Address {
    type Err = AddressError;

    /// The scheme of the first server holds for those after it that have none.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, _) = text.split_once("://").ok_or(AddressError::NoServers)?;
        if !matches!(scheme, "nats" | "tls") {
            return Err(AddressError::NoServers);
        }
        let server = |server: &str| {
            let url = match server.contains("://") {
                true => server.to_owned(),
                false => format!("{scheme}://{server}"),
            };
            if server.contains('@') {
                return Err(AddressError::Secret);
            }
            let server = url.parse::<ServerAddr>();
            let server = server.map_err(|_| AddressError::NoServers)?;
            (!server.host().is_empty())
                .then_some(server)
                .ok_or(AddressError::NoServers)
        };
        let servers = text.split(',').map(str::trim).map(server);
        Ok(Address {
            servers: servers.collect::<Result<_, _>>()?,
            credentials: None,
            authority: None,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = self.servers.iter().map(|server| match server.host() {
            // Otherwise nobody sees where an IPv6 address ends and its port begins.
            v6 if v6.contains(':') => format!("[{v6}]:{}", server.port()),
            host => format!("{host}:{}", server.port()),
        });
        f.write_str(&servers.collect::<Vec<_>>().join(", "))
    }
}

impl Address {
    /// Copies that the cluster is to keep of everything: as many as bear the loss of one server,
    /// where there are enough of them.
    pub fn replicas(&self) -> u64 {
        if self.servers.len() < 3 { 1 } else { 3 }
    }

    /// Whether nothing is to be said in the clear. What holds for one server holds for those that
    /// it tells of.
    pub fn wants_tls(&self) -> bool {
        self.authority.is_some() || self.servers.iter().any(ServerAddr::tls_required)
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
        assert!(address.wants_tls());
        let address: Address = "nats://one".parse().unwrap();
        assert_eq!(address.to_string(), "one:4222");
        assert_eq!(address.replicas(), 1);
        assert!(!address.wants_tls());
        let address: Address = "nats://[2001:db8::1]:4223,[::1]".parse().unwrap();
        assert_eq!(address.to_string(), "[2001:db8::1]:4223, [::1]:4222");
    }

    /// The client leaves them out without a word, and whoever lists processes reads them.
    #[test]
    fn a_user_or_a_password_in_the_address_is_refused() {
        for text in ["nats://a,user:secret@b", "tls://token@a"] {
            let refused = text.parse::<Address>().err();
            assert_eq!(refused, Some(AddressError::Secret), "{text}");
        }
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
                Some(AddressError::NoServers),
                "{text:?}"
            );
        }
    }
}
