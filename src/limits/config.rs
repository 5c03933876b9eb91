//! Settings of the limits, and their defaults.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

/// Settings of the `ClientLimiter`.
#[derive(Clone, Debug)]
pub struct ClientLimits {
    /// Simultaneous connections of one address.
    pub connections_per_address: Quota,
    /// Writes per second of one account, or of one address without an account, on average.
    pub writes_per_second: Quota,
    /// Memory of all unfinished requests together, in bytes.
    pub request_memory_bytes: usize,
    /// Proxies whose forwarding headers are used. IPv4 networks are written as such, not as part
    /// of IPv6.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for ClientLimits {
    fn default() -> Self {
        let quota = |limit| Quota {
            limit,
            includes_loopback: false,
        };
        ClientLimits {
            connections_per_address: quota(1000),
            writes_per_second: quota(50),
            request_memory_bytes: 256 * 1024 * 1024,
            trusted_proxies: Vec::new(),
        }
    }
}

/// How much of something each client may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The most that one client may use.
    pub limit: u32,
    /// True if clients on this machine have a limit too. By default they have none: behind a proxy
    /// on this machine that `--trusted-proxy` does not name, all visitors would share one quota.
    pub includes_loopback: bool,
}

/// Largest sizes of what a client sends.
#[derive(Clone, Copy, Debug)]
pub struct SizeLimits {
    /// Bytes of the head of a request, and of a response that waits for the socket.
    pub head_bytes: usize,
    /// Header fields of a request.
    pub head_fields: usize,
    /// Bytes of the body of a request.
    pub body_bytes: usize,
    /// Bytes of a WebSocket message.
    pub message_bytes: usize,
}

impl Default for SizeLimits {
    fn default() -> Self {
        SizeLimits {
            head_bytes: 64 * 1024,
            head_fields: 100,
            body_bytes: 64 * 1024,
            message_bytes: 4 * 1024,
        }
    }
}

/// How long a connection may wait for its client.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From the first byte of a head to its end; for the first request of a connection, from its
    /// start. Also for a WebSocket message.
    pub head: Duration,
    /// From the end of a head to the end of the body.
    pub body: Duration,
    /// From a response to the first byte of the next request. Also for a WebSocket without viewer.
    pub idle: Duration,
    /// For a socket that takes no byte.
    pub write: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            write: Duration::from_secs(30),
        }
    }
}

/// The text is not an address or a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an address or a network is allowed, such as 10.0.0.7, 10.0.0.0/8 or 2001:db8::/32")]
pub struct InvalidNetwork;

/// Parses an address or a network in CIDR notation. IPv4 within IPv6 (`::ffff:10.0.0.0/104`) becomes
/// the IPv4 network.
///
/// # Errors
/// `InvalidNetwork`, also for bits behind the prefix: 10.0.0.7/8 may mean one address or many.
pub fn parse_network(text: &str) -> Result<IpNet, InvalidNetwork> {
    /// Length of the prefix of IPv4 within IPv6 (RFC 4291, section 2.5.5.2).
    const MAPPED_PREFIX: u8 = 96;
    let address = text.parse().map(|address: IpAddr| address.into());
    let network: IpNet = address
        .or_else(|_| text.parse())
        .map_err(|_| InvalidNetwork)?;
    if network.addr() != network.network() {
        return Err(InvalidNetwork);
    }
    let mapped = match network {
        IpNet::V6(network) => network.addr().to_ipv4_mapped(),
        IpNet::V4(_) => None,
    };
    match (mapped, network.prefix_len().checked_sub(MAPPED_PREFIX)) {
        (Some(address), Some(prefix)) => {
            IpNet::new(address.into(), prefix).map_err(|_| InvalidNetwork)
        }
        _ => Ok(network),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_read_as_cidr_and_ipv4_within_ipv6_as_ipv4() {
        for (text, network) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("2001:db8::/33", "2001:db8::/33"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::1", "::1/128"),
            ("::ffff:127.0.0.1", "127.0.0.1/32"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
        ] {
            assert_eq!(parse_network(text).unwrap().to_string(), network, "{text}");
        }
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "10.0/8",
            "::/129",
            "lan",
            "1.2.3.4/-1",
            "::ffff:10.0.0.1/104",
            "::ffff:0:0/95",
            "::ffff:10.0.0.0/129",
        ] {
            assert_eq!(parse_network(text), Err(InvalidNetwork), "{text:?}");
        }
    }
}
