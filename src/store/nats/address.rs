//! The addresses of a cluster's servers, as `--engine` names them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use async_nats::ServerAddr;

/// The servers of one cluster, and the files with which a node authenticates them and itself.
#[derive(Clone, Debug)]
pub struct ClusterAddress {
    /// The servers that a node connects to first; they announce the others.
    pub servers: Vec<ServerAddr>,
    /// A credentials file, with a JWT and a seed, as `nsc` writes it.
    pub credentials: Option<PathBuf>,
    /// A file with the certificate authorities of the servers, in PEM; `None` for the system's.
    pub authority: Option<PathBuf>,
}

/// Reason that a text is not the address of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The text names no server, or one without a valid host and port.
    #[error(
        "use redb, or the servers of a NATS cluster separated by commas, for example \
         nats://a:4222,b:4222,c:4222, or tls:// instead of nats://"
    )]
    NoServers,
    /// The text holds a user or a password. The list of processes would show it, and the client
    /// would not send it.
    #[error(
        "the address of an engine must not hold a user or a password: put the credentials into a \
         file, as nsc writes it, and name that file with --engine-credentials"
    )]
    Secret,
}

impl FromStr for ClusterAddress {
    type Err = AddressError;

    /// Parses servers separated by commas. The scheme of the first applies to those without one.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, _) = text.split_once("://").ok_or(AddressError::NoServers)?;
        if !matches!(scheme, "nats" | "tls") {
            return Err(AddressError::NoServers);
        }
        let parse_server = |server: &str| {
            if server.contains('@') {
                return Err(AddressError::Secret);
            }
            let url = if server.contains("://") {
                server.to_owned()
            } else {
                format!("{scheme}://{server}")
            };
            let server = url.parse::<ServerAddr>().ok();
            let server = server.filter(|server| !server.host().is_empty());
            server.ok_or(AddressError::NoServers)
        };
        Ok(ClusterAddress {
            servers: text
                .split(',')
                .map(|server| parse_server(server.trim()))
                .collect::<Result<_, _>>()?,
            credentials: None,
            authority: None,
        })
    }
}

impl fmt::Display for ClusterAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = self.servers.iter().map(|server| match server.host() {
            // Without brackets the port would look like a part of the IPv6 address.
            v6 if v6.contains(':') => format!("[{v6}]:{}", server.port()),
            host => format!("{host}:{}", server.port()),
        });
        f.write_str(&servers.collect::<Vec<_>>().join(", "))
    }
}

impl ClusterAddress {
    /// Adds the files with which a node authenticates itself and the servers.
    pub fn with_files(self, credentials: Option<PathBuf>, authority: Option<PathBuf>) -> Self {
        ClusterAddress {
            credentials,
            authority,
            ..self
        }
    }

    /// Returns the number of replicas of each stream: three, which tolerate the loss of one server,
    /// if there are at least three servers.
    pub fn replicas(&self) -> usize {
        if self.servers.len() < 3 { 1 } else { 3 }
    }

    /// Returns true if every connection must be encrypted: also those to servers that another server
    /// announces.
    pub fn requires_tls(&self) -> bool {
        self.authority.is_some() || self.servers.iter().any(ServerAddr::tls_required)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_separated_by_commas_and_share_the_scheme_of_the_first() {
        let address: ClusterAddress = "nats://a:4222,b:4223,tls://c".parse().unwrap();
        assert_eq!(address.to_string(), "a:4222, b:4223, c:4222");
        assert_eq!(address.replicas(), 3);
        assert!(address.requires_tls());
        let address: ClusterAddress = "nats://one".parse().unwrap();
        assert_eq!(address.to_string(), "one:4222");
        assert_eq!(address.replicas(), 1);
        assert!(!address.requires_tls());
        let address: ClusterAddress = "nats://[2001:db8::1]:4223,[::1]".parse().unwrap();
        assert_eq!(address.to_string(), "[2001:db8::1]:4223, [::1]:4222");
    }

    #[test]
    fn an_address_with_a_user_or_a_password_is_refused() {
        for text in ["nats://a,user:secret@b", "tls://token@a"] {
            let refused = text.parse::<ClusterAddress>().err();
            assert_eq!(refused, Some(AddressError::Secret), "{text}");
        }
    }

    #[test]
    fn an_address_without_a_valid_server_is_refused() {
        let texts = [
            "",
            "nats://",
            "redis://a",
            "a:4222",
            "nats://a,,b",
            "nats://a:x",
        ];
        for text in texts {
            let refused = text.parse::<ClusterAddress>().err();
            assert_eq!(refused, Some(AddressError::NoServers), "{text:?}");
        }
    }
}
