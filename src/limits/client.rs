//! Addresses of clients: the peer of a connection, the client of a request, and the key under which
//! both are counted.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use poem::Request;
use poem::http::HeaderMap;

/// Headers that a proxy adds about the client whose request it passes on.
const FORWARDING_HEADERS: [&str; 8] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
    "cf-connecting-ip",
];

/// Key under which an address is counted: an IPv4 address, or a /64 of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressKey(u64);

impl From<IpAddr> for AddressKey {
    fn from(address: IpAddr) -> Self {
        /// The upper half of an IPv4 address within IPv6 (`::ffff:0:0/96`), as if that were a /64.
        /// No such network is ever routed, so no /64 has the key of an IPv4 address.
        const MAPPED: u64 = 0x0000_FFFF_0000_0000;
        AddressKey(match address.to_canonical() {
            IpAddr::V6(address) if !address.is_loopback() => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                u64::from_be_bytes([a, b, c, d, e, f, g, h])
            }
            IpAddr::V6(_) => MAPPED | u64::from(Ipv4Addr::LOCALHOST.to_bits()),
            IpAddr::V4(address) => MAPPED | u64::from(address.to_bits()),
        })
    }
}

impl AddressKey {
    /// Returns true for the addresses of this machine: `127.0.0.0/8` and `::1`.
    pub(super) fn is_loopback(self) -> bool {
        const LOOPBACK: u64 = 0x0000_FFFF_7F00_0000;
        self.0 >> 24 == LOOPBACK >> 24
    }
}

/// Address of the client that sent a request, as far as the forwarding headers can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress {
    /// The client's address, or that of the proxy if its headers cannot be used.
    pub ip: IpAddr,
    /// True if the request came through a trusted proxy with a forwarding header, so that its
    /// connection is not the client's. Clients whose header cannot be read share one quota under the
    /// address of the proxy: no header gets a client out of a limit.
    pub is_forwarded: bool,
}

impl ClientAddress {
    /// Returns the address that the accept loop stored with a request.
    pub fn from_request(request: &Request) -> Self {
        let stored = request.extensions().get::<ClientAddress>().copied();
        let remote = request.remote_addr().as_socket_addr();
        stored.unwrap_or(ClientAddress {
            ip: remote.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), SocketAddr::ip),
            is_forwarded: false,
        })
    }

    /// Returns the key under which the client is counted.
    pub fn key(self) -> AddressKey {
        AddressKey::from(self.ip)
    }
}

/// Address of the other end of a connection: a client, or a proxy in front of many.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddress(pub IpAddr);

impl PeerAddress {
    /// Returns true if a program on this machine sent the request for itself: the connection comes
    /// from loopback, and no header says that a proxy passed the request on. A proxy that adds no
    /// such header cannot be told from a client.
    pub fn is_local_client(request: &Request) -> bool {
        let peer = request.extensions().get::<PeerAddress>();
        let is_local = peer.is_some_and(|peer| peer.0.to_canonical().is_loopback());
        is_local && !has_forwarding_header(request.headers())
    }
}

/// Returns true if a proxy has added something about its client.
pub fn has_forwarding_header(headers: &HeaderMap) -> bool {
    let mut names = FORWARDING_HEADERS.iter();
    names.any(|name| headers.contains_key(*name))
}
