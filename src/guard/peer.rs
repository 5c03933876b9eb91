//! The other end of a connection, as the kernel names it: a visitor, or a proxy in front of many.

use std::net::IpAddr;

use poem::Request;

/// Headers that a proxy adds about the client that it asks for.
const FORWARDING: [&str; 8] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
    "cf-connecting-ip",
];

/// The address that a connection comes from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

impl Peer {
    /// Returns true if a program on this machine sent the request for itself: the connection comes
    /// from loopback, and no header says that a proxy passed the request on. A proxy that adds no
    /// such header cannot be told from a client.
    pub fn is_local_client(request: &Request) -> bool {
        let peer = request.extensions().get::<Peer>();
        let is_local = peer.is_some_and(|Peer(address)| address.to_canonical().is_loopback());
        let headers = request.headers();
        is_local && !FORWARDING.iter().any(|name| headers.contains_key(*name))
    }
}
